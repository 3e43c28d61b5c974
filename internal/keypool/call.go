package keypool

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/worker"
)

// run runs a script and reads what all replies have in common. A trouble with worker.CodeRedisDown leaves it open whether the
// script ran.
func (p *Pool) run(ctx context.Context, pool string, s *script, keys []string, args ...any) (r reply, err error) {
	until := time.Now().Add(p.allows(s))
	err = p.within(ctx, until, func() (err error) {
		r, err = p.once(ctx, until, s, keys, args)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return r, p.understand(pool, r)
}

// patiently tries something and repeats it after a connection error, within the time of a call. All that is tried this way
// changes nothing when it is repeated.
func (p *Pool) patiently(ctx context.Context, try func(context.Context) error) error {
	until := time.Now().Add(p.config.CallTimeout)
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return p.within(ctx, until, func() error { return try(ctx) })
}

// within repeats what bounds itself by until.
func (p *Pool) within(ctx context.Context, until time.Time, try func() error) error {
	for pause := p.config.Backoff; ; pause *= 2 {
		err := try()
		if err == nil || errors.Is(err, redis.Nil) {
			return nil
		}
		if !passing(err) || !wait(ctx, min(pause, time.Until(until))) || !time.Now().Before(until) {
			return down(err)
		}
	}
}

// understand wakes the flusher when a script left events behind, and makes a trouble of any status but ok.
func (p *Pool) understand(pool string, r reply) error {
	if r.events() {
		p.outbox.wake(pool)
	}
	if status := r.status(); status != statusOK {
		if status == statusUnverified {
			p.doubts.wake(pool)
		}
		return refusal(pool, status, r.text(2))
	}
	return nil
}

// wait pauses unless ctx ends first.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// passing says whether an error may be gone at the next try: anything about the connection, and a Redis that is starting,
// changing roles, moving data or was told to forget its scripts.
func passing(err error) bool {
	if errors.Is(err, errClosed) || errors.Is(err, context.Canceled) {
		return false
	}
	answer, fromRedis := errors.AsType[redis.Error](err)
	if !fromRedis {
		return true
	}
	word, _, _ := strings.Cut(answer.Error(), " ")
	switch word {
	case "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN", "BUSY", "NOREPLICAS", "NOSCRIPT":
		return true
	}
	return false
}

// down is the trouble of a Redis that cannot be used now.
func down(err error) *worker.Trouble {
	return &worker.Trouble{Code: worker.CodeRedisDown, Reason: "redis cannot be used", Err: err}
}

// reply is what a script returns: a status, how many events it left in the outbox, and then its own values. In brief it is one text, where
// the status is ok: events, turn, now, app key, products, attempt, resent. As eight values these would cost Redis as much as the step.
type reply struct {
	values []any
	brief  string
}

// replyOf is a reply as it came from a script.
func replyOf(value any) reply {
	values, _ := value.([]any)
	brief, _ := value.(string)
	return reply{values, brief}
}

// status is ok or why not; events is how many were left in the outbox.
func (r reply) status() string {
	if r.brief != "" {
		return statusOK
	}
	return r.text(0)
}

func (r reply) events() bool {
	if r.brief != "" {
		return r.brief[0] != '0'
	}
	return r.number(1) > 0
}

const (
	statusOK         = "ok"
	statusUnverified = "unverified"
	statusDoubtful   = "doubtful"
)

func (r reply) text(i int) string {
	if i >= len(r.values) {
		return ""
	}
	text, _ := r.values[i].(string)
	return text
}

func (r reply) number(i int) int64 {
	if i >= len(r.values) {
		return 0
	}
	n, _ := r.values[i].(int64)
	return n
}

// refusal gives a status other than ok its code and its words.
func refusal(pool, status, detail string) error {
	if denied, ok := denials[status]; ok {
		denied.Reason += detail
		return &denied
	}
	trouble := func(code worker.Code, reason string) *worker.Trouble {
		return &worker.Trouble{Code: code, Reason: "pool " + pool + ": " + reason}
	}
	switch status {
	case "conflict":
		return trouble(worker.CodeConflict, "the reference is taken by a request with another meaning")
	case "too_large":
		return trouble(worker.CodeTooLarge, "the order has more products than any key may take ("+detail+")")
	case "no_pool":
		return trouble(worker.CodeNoPool, "no key has been added")
	case "no_key":
		return noKey(pool, strings.Split(detail+";;;", ";"))
	case "turned_down":
		return turnedDown(pool, strings.Split(detail, ", "))
	case "forbidden":
		return trouble(worker.CodeForbidden, "it is not for this tenant")
	case "fenced":
		return trouble(worker.CodeFenced, "a later delivery owns the claim")
	case "lost":
		return trouble(worker.CodeLost, "the claim may be lost: the pool is younger than the order")
	case "no_claim":
		return trouble(worker.CodeLost, "there is no such claim")
	case statusUnverified:
		return trouble(worker.CodeRedisDown, "redis was started, emptied or exchanged: its counts are being compared with the journal")
	case statusDoubtful:
		return trouble(worker.CodeRedisDown, "it was rebuilt while a step was being made")
	case "broken":
		return trouble(worker.CodeRedisDown, "counter of a known key is missing: app key "+detail)
	case "unknown_key":
		return trouble(worker.CodeInternal, "app key "+detail+" is not in the pool")
	}
	return trouble(worker.CodeInternal, "unexpected status "+status)
}

// noKey says that no key has room, and which ones are meant: products, alipay, the key whose account it must be, and the keys whose
// accounts it must not be.
func noKey(pool string, of []string) *worker.Trouble {
	reason := "no key"
	if of[1] != "" {
		reason += " with " + of[1] + " Alipay"
	}
	if of[2] != "" {
		reason += " of the account of app key " + of[2]
	}
	if of[3] != "" {
		reason += " of another account than turned it down"
	}
	return &worker.Trouble{Code: worker.CodeNoKey, Reason: "pool " + pool + ": " + reason + " has room for " + of[0] + " products",
		Payer: worker.Payer{Alipay: of[1], Like: of[2], Unlike: of[3]}}
}

// turnedDown says that no account is left that may pay, and who said what. The last word counts.
func turnedDown(pool string, said []string) *worker.Trouble {
	_, code, _ := strings.Cut(said[len(said)-1], " ")
	return &worker.Trouble{Code: worker.Code(code),
		Reason: "pool " + pool + ": no account is left to order with, app keys that turned it down: " + strings.Join(said, ", ")}
}
