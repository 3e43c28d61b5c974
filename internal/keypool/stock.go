package keypool

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// State is where a key stands.
type State string

// The states of a key.
const (
	StateReady   State = "ready"   // takes over when an active key is spent; takes what the active ones have no room for
	StateActive  State = "active"  // drawn first
	StateSpent   State = "spent"   // reached its limit
	StateBenched State = "benched" // taken out by the machine, or by a person; Restore puts it back
	StateStopped State = "stopped" // taken out with all keys of its account; a person's Restore puts it back

	StateOnboarding State = "onboarding" // takes nothing before its onboarding is done
	StateDisabled   State = "disabled"   // taken out by a person, and put back only by one
	StateRetired    State = "retired"    // has done its work
	StateRemoved    State = "removed"    // no part of the pool any more; its count is kept

	stateNew State = "new" // waits for the journal; shown as ready, with nothing left
)

// Info is a key as it stands.
type Info struct {
	Pool    string
	AppKey  string
	State   State
	Limit   int64
	Used    int64 // ordered
	Held    int64 // held for orders under way or unknown
	Left    int64 // what it can still take; 0 unless ready or active
	Account string
	Alipay  string
	Source  string // whose secret it has: own or managed
	Version int64  // counts what persons changed, from 1

	Fingerprint string // of the sealed secret; "" if there is none
}

// infoOf reads the reply of the scripts that return a key:
// ok, events, app key, state, limit, used, held, account, alipay, source, version, fingerprint.
func infoOf(pool string) func(reply, error) (Info, error) {
	return func(r reply, err error) (Info, error) {
		if err != nil {
			return Info{}, err
		}
		i := Info{
			Pool: pool, AppKey: r.text(2), State: State(r.text(3)), Limit: r.number(4), Used: r.number(5), Held: r.number(6),
			Account: r.text(7), Alipay: r.text(8), Source: r.text(9), Version: r.number(10), Fingerprint: r.text(11),
		}
		return i.withLeft(), nil
	}
}

func (i Info) withLeft() Info {
	switch i.State {
	case StateReady, StateActive:
		i.Left = max(0, i.Limit-i.Used-i.Held)
	case stateNew:
		i.State = StateReady
	}
	return i
}

// Left returns how many products the pool's active and ready keys can still take together; see worker.Stock. A pool that is
// not verified is worker.CodeRedisDown, and so is the pool "" while any is known not to be, or a cluster's master does not
// answer.
func (p *Pool) Left(ctx context.Context, pool string) (int64, error) {
	if pool == "" {
		if err := p.whole(ctx); err != nil {
			return 0, err
		}
	}
	var values []any
	err := p.patiently(ctx, func(ctx context.Context) (err error) {
		values, err = p.client.HMGet(ctx, namesOf(pool).pool, "left", "size", "server").Result()
		return err
	})
	if err != nil {
		return 0, err
	}
	if server, _ := values[2].(string); p.guarded() && server != p.seen(ctx, pool) && pool != "" {
		p.doubts.wake(pool)
		return 0, refusal(pool, statusUnverified, "")
	}
	if values[1] == nil {
		return 0, refusal(pool, "no_pool", "")
	}
	text, _ := values[0].(string)
	left, _ := strconv.ParseInt(text, 10, 64)
	return left, nil
}

// whole returns nil while every pool can be used as far as is known.
func (p *Pool) whole(ctx context.Context) error {
	if doubted := p.doubts.list(); len(doubted) > 0 {
		return refusal(doubted[0], statusUnverified, "")
	}
	if p.shards.cluster != nil {
		return p.Ping(ctx)
	}
	return nil
}

// AppKeys lists all keys of a pool, those that are drawn first at the head, since an order that may be on any key is most
// likely on one of them; see worker.Stock. A missing pool has none.
func (p *Pool) AppKeys(ctx context.Context, pool string) ([]string, error) {
	n := namesOf(pool)
	var lists [3]*redis.StringSliceCmd
	err := p.together(ctx, func(pipe redis.Pipeliner) {
		for i, name := range []string{n.active, n.ready, n.known} {
			lists[i] = pipe.LRange(ctx, name, 0, -1)
		}
	})
	if err != nil {
		return nil, err
	}
	keys := make([]string, 0, len(lists[2].Val()))
	for _, list := range lists {
		for _, key := range list.Val() {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys, nil
}

// Keys lists all keys of a pool as they stood at one moment, in the order in which they were added. A missing pool has none.
// Errors are *worker.Trouble.
func (p *Pool) Keys(ctx context.Context, pool string) ([]Info, error) {
	n := namesOf(pool)
	var known *redis.StringSliceCmd
	var books *redis.MapStringStringCmd
	err := p.together(ctx, func(pipe redis.Pipeliner) {
		known, books = pipe.LRange(ctx, n.known, 0, -1), pipe.HGetAll(ctx, n.pool)
	})
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(known.Val()))
	for _, appKey := range known.Val() {
		info, ok := infoFrom(books.Val(), pool, appKey)
		if !ok {
			return nil, refusal(pool, "broken", appKey)
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// Show gives one key as it stands, a removed one too. Errors: *worker.Denied if the pool does not have it, or a *worker.Trouble.
func (p *Pool) Show(ctx context.Context, pool, appKey string) (Info, error) {
	books, err := p.fields(ctx, namesOf(pool).pool)
	if err != nil {
		return Info{}, err
	}
	if _, there := books[appKey+".state"]; !there {
		return Info{}, refusal(pool, "no_such_key", appKey)
	}
	info, ok := infoFrom(books, pool, appKey)
	if !ok {
		return Info{}, refusal(pool, "broken", appKey)
	}
	return info, nil
}

// infoFrom reads one key from the pool's books; ok is false when a counter is missing.
func infoFrom(books map[string]string, pool, appKey string) (info Info, ok bool) {
	ok = true
	number := func(name string) int64 {
		n, err := strconv.ParseInt(books[appKey+"."+name], 10, 64)
		ok = ok && err == nil
		return n
	}
	info = Info{
		Pool: pool, AppKey: appKey, State: State(books[appKey+".state"]),
		Limit: number("limit"), Used: number("used"), Held: number("held"), Version: number("version"),
		Account: books[appKey+".account"], Alipay: books[appKey+".alipay"], Source: cmp.Or(books[appKey+".source"], "own"),
		Fingerprint: books[appKey+".print"],
	}
	return info.withLeft(), ok
}

// fields reads a whole hash; a missing one has none.
func (p *Pool) fields(ctx context.Context, hash string) (all map[string]string, err error) {
	err = p.patiently(ctx, func(ctx context.Context) (err error) {
		all, err = p.client.HGetAll(ctx, hash).Result()
		return err
	})
	return all, err
}

// together reads several things as they stood at one moment.
func (p *Pool) together(ctx context.Context, queue func(redis.Pipeliner)) error {
	return p.patiently(ctx, func(ctx context.Context) error {
		_, err := p.client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			queue(pipe)
			return nil
		})
		return err
	})
}
