package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// Run runs a plan to its end and judges what came of it. An error means that it could not be run or judged; broken promises
// are in the report. If ctx ends it stops where it is, with ctx's error.
func Run(ctx context.Context, c Config) (Report, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return Report{}, err
	}
	requests := samples(c.Seed, c.Orders)
	r := &run{config: c, requests: requests, notes: &notes{to: c.Progress}, began: time.Now(), moved: make(chan struct{})}
	r.dueNext.Store(int64(c.Orders))
	s, err := newSystem(c, newKeys(products(requests)), r.notes)
	if err != nil {
		return Report{}, err
	}
	defer s.close()
	r.system = s
	return r.perform(ctx)
}

type run struct {
	*system
	config   Config
	requests []worker.Request
	notes    *notes
	began    time.Time
	bus      *bus.Bus
	reserve  []sim1688.Key // keys that are not in the pool yet

	mu       sync.Mutex
	moved    chan struct{} // closed and replaced when there are more results
	results  int
	last     time.Time    // of the newest result
	injected atomic.Int64 // faults
	dueNext  atomic.Int64 // results after which the next fault comes
}

func (r *run) perform(ctx context.Context) (Report, error) {
	limited, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	if err := r.open(limited); err != nil {
		return Report{}, err
	}
	defer func() { _ = r.bus.Close() }() // what matters was read before

	var side sync.WaitGroup
	defer side.Wait()
	working, end := context.WithCancel(limited)
	defer end()
	side.Go(func() { r.count(working) })
	side.Go(func() { r.operate(working) })
	side.Go(func() { r.tell(working) })
	side.Go(func() { r.publish(working) })
	if err := r.torment(working); err != nil {
		return Report{}, err
	}
	r.settle(working)
	r.pay(working)
	r.hear(working)
	if ctx.Err() != nil {
		return Report{}, context.Cause(ctx)
	}
	return r.judge(ctx)
}

// open connects, and adds the keys through a worker as soon as one answers.
func (r *run) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for r.bus == nil {
		if r.bus, err = bus.Connect(ctx, bus.Config{URL: r.nats, Name: "chaos"}); err != nil && ctx.Err() != nil {
			return err
		}
		wait(ctx, restartAfter)
	}
	if err := r.bus.Provision(ctx); err != nil {
		return err
	}
	r.reserve = r.keys[len(r.keys)-reserve:]
	for _, key := range r.keys[:len(r.keys)-reserve] {
		if err := r.addKey(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// startPatience is how long the system may take to be up.
const startPatience = 90 * time.Second

// operator signs what a person would do.
var operator = bus.Change{By: "operator"}

func (r *run) addKey(ctx context.Context, key sim1688.Key) error {
	for {
		_, err := bus.KeysAdd.Ask(ctx, r.bus, bus.AddKey{AppKey: key.AppKey, Limit: int64(key.Limit), Account: key.Member, Change: operator})
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no worker has added key %s: %w", key.AppKey, err)
		}
		wait(ctx, restartAfter)
	}
}

// window is how far publishing may run ahead of the results and of the plan.
const window = 200

// publish submits all requests, a few at a time, each until the broker has it.
func (r *run) publish(ctx context.Context) {
	next := make(chan worker.Request)
	var publishers sync.WaitGroup
	for range 8 {
		publishers.Go(func() {
			for request := range next {
				r.submit(ctx, request)
			}
		})
	}
	for i, request := range r.requests {
		if !r.await(ctx, func(results int) bool { return i < min(results, int(r.dueNext.Load()))+window }) {
			break
		}
		next <- request
	}
	close(next)
	publishers.Wait()
}

func (r *run) submit(ctx context.Context, request worker.Request) {
	body := schemas.AppendRequest(nil, request)
	for ctx.Err() == nil {
		receipt, err := r.bus.Submit(ctx, tenant, request.ID, body)
		switch {
		case err == nil && receipt.Fate == bus.Conflict:
			r.notes.say("request %s is said to conflict with itself", request.ID)
			return
		case err == nil:
			return
		case !errors.Is(err, bus.ErrNotStored):
			r.notes.say("request %s: %v", request.ID, err)
		}
		wait(ctx, restartAfter)
	}
}

// operate puts benched keys back into use, as a person would: the simulator's 401 is none of theirs. And it adds a key when
// there is hardly any room.
func (r *run) operate(ctx context.Context) {
	for ctx.Err() == nil {
		wait(ctx, time.Second)
		keys, err := bus.KeysList.Ask(ctx, r.bus, bus.ListKeys{})
		if err != nil {
			continue // it is asked again
		}
		left := int64(0)
		for _, key := range keys {
			left += key.Left
			if key.State == "benched" {
				_, _ = bus.KeysRestore.Ask(ctx, r.bus, bus.ChangeKey{AppKey: key.AppKey, Change: operator}) // the same
			}
		}
		if left < hardlyAny && len(r.reserve) > 0 && r.addKey(ctx, r.reserve[0]) == nil {
			r.reserve = r.reserve[1:]
		}
	}
}

// hardlyAny is less than the largest orders take, in products.
const hardlyAny = 20

// tell says now and then how far it is.
func (r *run) tell(ctx context.Context) {
	for ctx.Err() == nil {
		wait(ctx, 5*time.Second)
		results, _, _ := r.state()
		r.notes.say("%d of %d results, %d of %d faults, %.0f s", results, len(r.requests), r.injected.Load(), r.config.Faults, time.Since(r.began).Seconds())
	}
}
