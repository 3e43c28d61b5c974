package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// holding starts a worker whose shelf goes through a test's hands, and the handing out of what is due.
func (r *rig) holding(around func(worker.Shelf) worker.Shelf) {
	r.t.Helper()
	r.must(r.bus.HandOutDue(r.ctx))
	r.work(func(_ *worker.Config, p *worker.Ports) { p.Shelf = around(r.bus) })
}

func asItIs(s worker.Shelf) worker.Shelf { return s }

// held waits until so many requests are held and nothing else is under way.
func (r *rig) held(n uint64) {
	r.t.Helper()
	r.eventually("the requests to be held", func() bool {
		depth, errDepth := r.bus.Depth(r.ctx)
		held, next, errHeld := r.bus.Held(r.ctx)
		return errDepth == nil && errHeld == nil && depth.Waiting == 0 && depth.InFlight == 0 && held == n && (n == 0) == next.IsZero()
	})
}

// boughtOnce checks a request's result and books, and gives when it was ordered.
func (r *rig) boughtOnce(id string) time.Time {
	r.t.Helper()
	result := r.result(id)
	orders := r.orders(id)
	if result.Outcome != worker.OutcomePlaced || len(orders) != 1 || len(result.Orders) != 1 {
		r.t.Fatalf("%s: %+v, 1688 has %+v", id, result, orders)
	}
	return orders[0].CreatedAt
}

// TestWhatIsHeldIsBoughtOnceInItsTime: by not_before or hold_for, in any lane, also if the broker is started again meanwhile, and a
// second time just when it is due. Until then it is in nobody's way.
func TestWhatIsHeldIsBoughtOnceInItsTime(t *testing.T) {
	server := workertest.NATS(t)
	r := newRig(t, workertest.Stack{NATS: server.URL, Redis: workertest.Redis(t).URL})
	r.addKey("1000001", 1000)
	r.holding(asItIs)
	began := time.Now()
	due := map[string]time.Time{}
	for i, lane := range worker.Lanes() {
		q := r.request(fmt.Sprint("before-", lane), i)
		q.Priority, q.NotBefore = lane, began.Add(3*time.Second).Truncate(time.Millisecond)
		q.Deadline = q.NotBefore.Add(time.Minute)
		due[q.ID] = q.NotBefore
		r.ask(q)
	}
	grace := r.request("grace", 4)
	grace.HoldFor = 3 * time.Second
	due[grace.ID] = began.Add(grace.HoldFor)
	r.ask(grace)
	r.held(4)
	r.ask(r.request("now", 5))
	if at := r.boughtOnce("now"); at.After(began.Add(3 * time.Second)) {
		t.Errorf("what is held was in the way until %v", at)
	}
	server.Restart()
	r.held(4)
	for id, due := range due {
		if at := r.boughtOnce(id); at.Before(due.Add(-time.Second)) { // 1688 tells seconds
			t.Errorf("%s was bought at %v, which is before %v", id, at, due)
		}
		if time.Now().Before(due) {
			t.Errorf("%s was bought before %v", id, due)
		}
	}
	r.held(0)
	server.Restart()
	r.eventually("the broker to be back", func() bool { return r.bus.Ready(r.ctx) == nil })
	for id := range due {
		r.boughtOnce(id)
	}
	if key := r.key("1000001"); key.Used != 5 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// TestWhatIsHeldIsTakenBack: it is cancelled at once, and never ordered when its time comes.
func TestWhatIsHeldIsTakenBack(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.holding(asItIs)
	q := r.request("PR-1", 0)
	q.NotBefore = time.Now().Add(2 * time.Second)
	r.ask(q)
	r.held(1)
	answer, err := r.canceller().Cancel(r.ctx, worker.Cancellation{Tenant: "acme", RequestID: "PR-1", By: "li"})
	if err != nil || !answer.All() || answer.Outcome != worker.OutcomeCancelled {
		t.Fatalf("%+v, %v", answer, err)
	}
	r.until("the time of what was taken back", func(e worker.Event) bool { return e.Stage == worker.StageFinished && e.RequestID == "PR-1" })
	if result := r.result("PR-1"); result.Outcome != worker.OutcomeCancelled || len(r.orders("PR-1")) != 0 {
		t.Errorf("%+v, %+v", result, r.orders("PR-1"))
	}
	if key := r.key("1000001"); key.Used != 0 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// late is a shelf on which things are put just when a test says, and whose answer is lost the first time.
type late struct {
	worker.Shelf
	lost   chan struct{}
	before func(until time.Time)
}

func (l late) Hold(ctx context.Context, d worker.Delivery, until time.Time) error {
	if err := l.Shelf.Hold(ctx, d, until); err != nil {
		return err
	}
	select {
	case <-l.lost:
		l.before(until)
		return errors.New("the process died here")
	default:
		return nil
	}
}

// TestDyingBetweenHoldingAndAcknowledging: the request is held and comes again all the same, before its time or when it has come, so that
// it is handled beside what was held. There is one order.
func TestDyingBetweenHoldingAndAcknowledging(t *testing.T) {
	for name, before := range map[string]func(time.Time){
		"before its time":  func(time.Time) {},
		"when it has come": func(until time.Time) { <-time.After(time.Until(until) + 300*time.Millisecond) },
		"just as it comes": func(until time.Time) { <-time.After(time.Until(until) - 250*time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, processes(t))
			r.addKey("1000001", 1000)
			lost := make(chan struct{}, 1)
			lost <- struct{}{}
			r.holding(func(s worker.Shelf) worker.Shelf { return late{s, lost, before} })
			q := r.request("PR-1", 0)
			q.NotBefore = time.Now().Add(1500 * time.Millisecond)
			r.ask(q)
			r.boughtOnce("PR-1")
			r.held(0)
			r.eventually("all to be done", func() bool {
				depth, err := r.bus.Depth(r.ctx)
				return err == nil && depth.Waiting == 0 && depth.InFlight == 0
			})
			r.boughtOnce("PR-1")
			if key := r.key("1000001"); key.Used != 1 || key.Held != 0 {
				t.Errorf("%+v", key)
			}
		})
	}
}

// TestWhatCanNeverBeBoughtIsRefused, and says which field keeps it from that.
func TestWhatCanNeverBeBoughtIsRefused(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.holding(asItIs)
	for field, change := range map[string]func(*worker.Request){
		"not_before": func(q *worker.Request) { q.NotBefore = time.Now().Add(28 * 24 * time.Hour) },
		"hold_for":   func(q *worker.Request) { q.HoldFor, q.Deadline = time.Hour, time.Now().Add(time.Minute) },
		"deadline": func(q *worker.Request) {
			q.NotBefore, q.Deadline = time.Now().Add(time.Hour), time.Now().Add(time.Minute)
		},
	} {
		q := r.request("PR-"+field, 0)
		change(&q)
		r.ask(q)
		if result := r.result(q.ID); result.Outcome != worker.OutcomeRefused || result.Code != worker.CodeInvalid || result.Reason[:len(field)+1] != field+":" {
			t.Errorf("%s: %+v", field, result)
		}
	}
}
