package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// count follows the results.
func (r *run) count(ctx context.Context) {
	seen := map[string]bool{}
	for message, err := range r.bus.Watch(ctx, bus.WatchOptions{Subjects: []string{resultsOf}, Since: r.began.Add(-time.Minute)}) {
		if err != nil {
			r.notes.say("results: %v", err)
			continue
		}
		if result, err := schemas.DecodeResult(message.Data); err == nil && result.RequestID != marker {
			seen[result.RequestID] = true
			r.reached(len(seen))
		}
	}
}

const resultsOf = "purchase.result." + tenant + ".>"

func (r *run) reached(results int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results, r.last = results, time.Now()
	r.wake()
}

func (r *run) wake() {
	close(r.moved)
	r.moved = make(chan struct{})
}

func (r *run) state() (results int, last time.Time, moved <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.results, r.last, r.moved
}

// await waits for so many results; false means that ctx ended before.
func (r *run) await(ctx context.Context, enough func(results int) bool) bool {
	for {
		results, _, moved := r.state()
		if enough(results) {
			return true
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
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

// torment injects every fault of the plan when it is due, and returns when all are over.
func (r *run) torment(ctx context.Context) error {
	v := &villain{system: r.system, victims: map[any]*sync.Mutex{}}
	slots := make(chan struct{}, r.config.AtOnce)
	failed := make(chan error, r.config.Faults)
	var faults sync.WaitGroup
	for _, f := range plan(r.config) {
		r.due(f.Due)
		if !r.comesDue(ctx, f) {
			break
		}
		slots <- struct{}{}
		r.notes.say("%d results: %s, %v", f.Due, f.Kind, f.For)
		r.notes.strike(f.Kind)
		r.injected.Add(1)
		faults.Go(func() {
			defer func() { <-slots }()
			if err := v.inflict(ctx, f); err != nil {
				failed <- fmt.Errorf("%s: %w", f.Kind, err)
			}
		})
	}
	r.due(len(r.requests))
	faults.Wait()
	close(failed)
	if err := <-failed; ctx.Err() == nil {
		return err
	}
	return nil
}

// comesDue waits for a fault's turn; false means that the work stands still, or that ctx ended.
func (r *run) comesDue(ctx context.Context, f fault) bool {
	bounded, cancel := context.WithTimeout(ctx, standstill)
	defer cancel()
	if r.await(bounded, func(results int) bool { return results >= f.Due }) {
		return true
	}
	r.notes.say("not %d results within %v: no more faults", f.Due, standstill)
	return false
}

func (r *run) due(results int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dueNext.Store(int64(results))
	r.wake()
}

// settle waits until every request has its result and is acknowledged, or until nothing has come for long.
func (r *run) settle(ctx context.Context) {
	began := time.Now()
	for ctx.Err() == nil {
		results, last, _ := r.state()
		depth, err := r.bus.Depth(ctx)
		switch {
		case results == len(r.requests) && err == nil && depth.Waiting == 0 && depth.InFlight == 0:
			return
		case time.Since(last) > standstill && time.Since(began) > standstill:
			r.notes.say("nothing has come for %v: %d waiting, %d under way (%v)", standstill, depth.Waiting, depth.InFlight, err)
			return
		}
		wait(ctx, restartAfter)
	}
}

// pay waits until every order is paid for that is to be, or until none of those that are left got on for so long. Payments that were
// never answered are looked up by a person, now that nothing is under way any more.
func (r *run) pay(ctx context.Context) {
	var left []unpaid
	for since := time.Now(); ctx.Err() == nil && time.Since(since) < standstill; wait(ctx, 2*time.Second) {
		now := r.unpaid(ctx)
		if len(now) == 0 {
			return
		}
		if len(now) != len(left) {
			r.notes.say("%d orders are to be paid for", len(now))
		}
		if !slices.Equal(now, left) {
			left, since = now, time.Now()
		}
		r.agree(ctx)
	}
	for _, u := range left {
		r.notes.say("order %s was not paid for: %s %s", u.orderID, u.step, u.reason)
	}
}

// agree has payments made again that were never answered and took no money, as the books say.
func (r *run) agree(ctx context.Context) {
	waiting, err := r.bus.Unpaid(ctx)
	if err != nil {
		return // it is asked again
	}
	for _, p := range waiting {
		of := func(o sim1688.Order) bool { return o.OrderID == p.OrderID && len(o.Payments) == 0 }
		if p.Code != worker.WaitAnswer || !slices.ContainsFunc(r.sim.Orders(sim1688.OrderFilter{OutOrderID: p.Reference}), of) {
			continue
		}
		_, err := bus.PayAgree.Ask(ctx, r.bus, bus.AgreeToPay{OutOrderID: p.Reference, OrderID: p.OrderID, Most: p.Amount, By: operator.By})
		r.notes.say("the payment of %s was never answered and took no money: it is made again (%v)", p.OrderID, err)
	}
}

// unpaid is an order that is to be paid for and is not, and how far its payment has got.
type unpaid struct {
	orderID, reason string
	step            worker.PaymentStep
	place           uint64
}

// unpaid lists them: those in a result that asks for it.
func (r *run) unpaid(ctx context.Context) (list []unpaid) {
	for _, order := range r.sim.Orders(sim1688.OrderFilter{}) {
		_, ref, _, _ := worker.ParseReference(order.OutOrderID)
		id, _ := worker.DecodeRef(ref)
		if len(order.Payments) > 0 {
			continue
		}
		result, _, err := r.bus.Result(ctx, tenant, id)
		is := func(o worker.ResultOrder) bool { return o.OrderID == order.OrderID }
		if err == nil && (result.Pay != worker.PayAuto || !slices.ContainsFunc(result.Orders, is)) {
			continue
		}
		payment, place, _ := r.bus.Payment(ctx, tenant, id, order.OrderID) // it is asked again
		list = append(list, unpaid{orderID: order.OrderID, step: payment.Step, reason: payment.Reason, place: place})
	}
	return list
}

// standstill is after how long without a result and without a fault nothing more is expected. It is longer than the longest
// pause between two tries of a request, 30 s, with all that may follow.
const standstill = 100 * time.Second

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
