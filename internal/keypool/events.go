package keypool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/worker"
)

// outbox remembers which pools have events waiting, as far as this process caused them.
type outbox struct {
	signal chan struct{}
	mutex  *sync.Mutex
	pools  map[string]struct{}
}

func newOutbox() outbox {
	return outbox{signal: make(chan struct{}, 1), mutex: new(sync.Mutex), pools: map[string]struct{}{}}
}

func (o outbox) wake(pool string) {
	o.mutex.Lock()
	o.pools[pool] = struct{}{}
	o.mutex.Unlock()
	select {
	case o.signal <- struct{}{}:
	default: // it is being told already
	}
}

func (o outbox) take() []string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	var pools []string
	for pool := range o.pools {
		pools = append(pools, pool)
	}
	clear(o.pools)
	return pools
}

// list is take without taking.
func (o outbox) list() []string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return slices.Collect(maps.Keys(o.pools))
}

func (o outbox) done(pool string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	delete(o.pools, pool)
}

// flushBatch is how many events are recorded before they are taken out of the outbox.
const flushBatch = 100

// takeScript takes recorded events out of the outbox, and puts the keys that were added into use.
//
//	KEYS    the pool's
//	ARGV    1 born of the pool in which they were read  2 sequence of the last one recorded  3 how many at most
//	returns ok
//
// It goes by sequence, so that two flushers who recorded the same events take each of them out once, and by the pool's birth,
// so that a pool rebuilt meanwhile keeps its own.
var takeScript = newScript(`
local born = pool.born and tostring(pool.born) or ''
if born ~= ARGV[1] then return {'ok', events} end
if take(tonumber(ARGV[2]), tonumber(ARGV[3])) then alarm() end
return {'ok', events}
`)

// waiting is an event as it lies in the outbox.
type waiting struct {
	worker.PoolEvent
	At int64 `json:"at"` // milliseconds of Redis's clock
}

// Events lists the events of a pool that no journal has recorded yet, oldest first. Errors are *worker.Trouble.
func (p *Pool) Events(ctx context.Context, pool string) ([]worker.PoolEvent, error) {
	events, _, err := p.peek(ctx, pool, -1)
	return events, err
}

// peek reads the outbox up to the index last, and when the pool was born.
func (p *Pool) peek(ctx context.Context, pool string, last int64) ([]worker.PoolEvent, string, error) {
	n := namesOf(pool)
	var entries *redis.StringSliceCmd
	var born *redis.StringCmd
	err := p.together(ctx, func(pipe redis.Pipeliner) {
		entries, born = pipe.LRange(ctx, n.events, 0, last), pipe.HGet(ctx, n.pool, "born")
	})
	if err != nil {
		return nil, "", err
	}
	events := make([]worker.PoolEvent, 0, len(entries.Val()))
	for _, entry := range entries.Val() {
		event, err := eventOf(pool, entry)
		if err != nil {
			return nil, "", err
		}
		events = append(events, event)
	}
	return events, born.Val(), nil
}

func eventOf(pool, entry string) (worker.PoolEvent, error) {
	var w waiting
	if err := json.Unmarshal([]byte(entry), &w); err != nil {
		return worker.PoolEvent{}, &worker.Trouble{Code: worker.CodeInternal, Reason: "pool " + pool + ": an event cannot be read", Err: err}
	}
	event := w.PoolEvent
	event.Pool, event.At = pool, time.UnixMilli(w.At).UTC()
	return event, nil
}

// Flush records the waiting events of all pools in the journal, each pool's in order, and takes them out of the outbox. Any
// number of processes may flush at once. It goes on with the next pool after an error and returns all of them.
func (p *Pool) Flush(ctx context.Context, journal worker.Journal) error {
	pools, err := p.Pools(ctx)
	if err != nil {
		return err
	}
	return p.flush(ctx, journal, pools)
}

func (p *Pool) flush(ctx context.Context, journal worker.Journal, pools []string) error {
	var failed []error
	for _, pool := range pools {
		if err := p.flushPool(ctx, journal, pool); err != nil {
			failed = append(failed, fmt.Errorf("flush events of pool %s: %w", pool, err))
		}
	}
	return errors.Join(failed...)
}

func (p *Pool) flushPool(ctx context.Context, journal worker.Journal, pool string) error {
	for {
		events, born, err := p.peek(ctx, pool, flushBatch-1)
		if err != nil || len(events) == 0 {
			return err
		}
		if verified, err := p.verified(ctx, pool); err != nil || !verified {
			return err // what this Redis says may be old: the journal must not hear it twice
		}
		recorded, failure := record(ctx, journal, events)
		if recorded > 0 {
			last := events[recorded-1].Sequence
			_, err = p.run(ctx, pool, takeScript, namesOf(pool).keys(), born, last, recorded)
		}
		if failure = errors.Join(failure, err); failure != nil {
			return failure
		}
	}
}

// record records events in order until one fails and says how many it recorded.
func record(ctx context.Context, journal worker.Journal, events []worker.PoolEvent) (int, error) {
	for i, event := range events {
		if err := journal.Record(ctx, event); err != nil {
			return i, err
		}
	}
	return len(events), nil
}

// RunFlusher records events as soon as this process causes them, and looks from time to time for what others left behind,
// until ctx ends. What cannot be recorded stays in the outbox and is tried again.
func (p *Pool) RunFlusher(ctx context.Context, journal worker.Journal) {
	tick := time.NewTicker(p.config.FlushEvery)
	defer tick.Stop()
	failing := false
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-p.outbox.signal:
			err = p.flush(ctx, journal, p.outbox.take())
		case <-tick.C:
			err = p.Flush(ctx, journal)
		}
		if err != nil && !failing && ctx.Err() == nil {
			p.log.Warn().Err(err).Msg("key pool events cannot be recorded: they wait in redis")
		}
		failing = err != nil
	}
}
