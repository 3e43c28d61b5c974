package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// withdrawing is the ledger as the program's administrators have it: a pool is verified before anything is cancelled in it.
type withdrawing struct{ *rig }

func (w withdrawing) Withdraw(ctx context.Context, ask worker.Withdrawal) (worker.Claim, error) {
	if err := w.pool.Rebuild(ctx, ask.Pool, w.bus.History()); err != nil {
		return worker.Claim{}, err
	}
	return w.pool.Withdraw(ctx, ask)
}

func (r *rig) canceller() *worker.Canceller {
	return &worker.Canceller{
		Record: r.bus, Claims: r.pool, Ledger: withdrawing{r}, Outbox: r.outbox(), Market: r.client, Marks: r.bus,
		Observe: func(e worker.Event) { r.events <- e },
	}
}

// cancel takes a request back and gives the answer, which must be the same when it is asked once more.
func (r *rig) cancel(id, reference string) worker.Cancelled {
	r.t.Helper()
	ask := worker.Cancellation{Tenant: "acme", RequestID: id, Reference: reference, By: "li", Why: "not wanted"}
	answer, err := r.canceller().Cancel(r.ctx, ask)
	r.must(err)
	return answer
}

// cancelled wants a request to be cancelled as a whole, at once and for good.
func (r *rig) cancelled(id string) {
	r.t.Helper()
	for range 2 {
		answer := r.cancel(id, "")
		if !answer.All() || answer.Outcome != worker.OutcomeCancelled || answer.Orders[0].Reason != "cancelled by li: not wanted" {
			r.t.Fatalf("%+v", answer)
		}
	}
	result := r.result(id)
	if result.Outcome != worker.OutcomeCancelled || result.Code != worker.CodeCancelled || result.Reason != "cancelled by li: not wanted" ||
		len(result.Failed) == 0 || result.DecidedAt.IsZero() {
		r.t.Errorf("%+v", result)
	}
}

// never waits until the queue is empty, and wants no order for any of these.
func (r *rig) never(ids ...string) {
	r.t.Helper()
	r.awaits("the queue to be empty", func() bool {
		depth, err := r.bus.Depth(r.ctx)
		return err == nil && depth.Waiting == 0 && depth.InFlight == 0
	})
	for _, id := range ids {
		if orders := r.orders(id); len(orders) != 0 {
			r.t.Errorf("%s: %d orders", id, len(orders))
		}
	}
}

func TestCancelBeforeDelivery(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.ask(r.request("no-pool", 0))
	r.cancelled("no-pool") // nobody has added a key to the pool yet
	r.addKey("1000001", 1000)
	r.ask(r.request("waits", 0))
	dry := worker.Cancellation{Tenant: "acme", RequestID: "waits", DryRun: true, By: "li"}
	if answer, err := r.canceller().Cancel(r.ctx, dry); err != nil || !answer.All() || answer.Outcome != "" {
		t.Errorf("%+v, %v", answer, err)
	}
	if _, found, err := r.pool.Claim(r.ctx, "default", "acme.waits-1"); found || err != nil {
		t.Errorf("a dry run left a claim: %v, %v", found, err)
	}
	r.cancelled("waits")
	r.ask(r.request("goes-on", 0))
	r.work()
	if result := r.result("goes-on"); result.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", result)
	}
	r.never("no-pool", "waits")
	r.books(1, 0)
}

// TestCancelWhileItWaitsForAKey: its delivery is in a worker's hands, and ends without an order once there is room.
func TestCancelWhileItWaitsForAKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1)
	r.work()
	r.ask(r.request("first", 0))
	r.result("first")
	r.ask(r.request("waits", 0))
	r.until("it to wait", func(e worker.Event) bool { return e.Stage == worker.StageWaiting })
	r.cancelled("waits")
	r.addKey("1000002", 1000)
	r.never("waits")
}

// TestCancelDrawn: the order provably never left, and its claim holds room on a key until it is tried again.
func TestCancelDrawn(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Market = market{r.client, func(context.Context, worker.Order) worker.Answer {
			return worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeThrottled, Retry: 1000}
		}}
	})
	r.ask(r.request("drawn", 0))
	r.until("it to be handed back", func(e worker.Event) bool { return e.Stage == worker.StagePostponed })
	r.books(0, 1)
	r.cancelled("drawn")
	r.books(0, 0)
	r.never("drawn")
}

// TestCancelSentAndSettled: it is too late, and the answer says why.
func TestCancelSentAndSettled(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	placing, answer := make(chan struct{}, 1), make(chan struct{})
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			placing <- struct{}{}
			<-answer
			return *r.client.Place(ctx, &order)
		}}
	})
	r.ask(r.request("sent", 0))
	<-placing
	tooLate := func(state worker.ClaimState, outcome worker.Outcome, reason string) {
		t.Helper()
		a := r.cancel("sent", "acme.sent-1")
		if o := a.Orders[0]; o.Cancelled || o.State != state || a.Outcome != outcome || !strings.HasPrefix(o.Reason, reason) {
			t.Errorf("%+v", a)
		}
	}
	tooLate(worker.ClaimSent, "", "too late: it was sent")
	close(answer)
	r.result("sent")
	tooLate(worker.ClaimPlaced, worker.OutcomePlaced, "too late: it is placed as order "+r.orders("sent")[0].OrderID)
	r.books(1, 0)
	for field, ask := range map[string]worker.Cancellation{
		"request_id":   {Tenant: "acme", RequestID: "never"},
		"out_order_id": {Tenant: "acme", RequestID: "sent", Reference: "acme.sent-2"},
	} {
		_, err := r.canceller().Cancel(r.ctx, ask)
		if invalid, ok := errors.AsType[*worker.Invalid](err); !ok || invalid.Field != field {
			t.Errorf("%v, want %s", err, field)
		}
	}
}

// TestCancelSomeOrdersOfARequest: the one that is on its way goes on, the other one is never sent, and the result has both.
func TestCancelSomeOrdersOfARequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	placing, answer := make(chan struct{}, 1), make(chan struct{})
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			placing <- struct{}{}
			<-answer
			return *r.client.Place(ctx, &order)
		}}
	})
	a, b := r.apart()
	r.ask(r.request("both", a, b))
	<-placing
	for range 2 {
		got := r.cancel("both", "")
		if got.All() || len(got.Orders) != 2 || got.Orders[0].Cancelled || !got.Orders[1].Cancelled || got.Outcome != "" {
			t.Errorf("%+v", got)
		}
	}
	close(answer)
	result := r.result("both")
	if result.Outcome != worker.OutcomePartial || len(result.Orders) != 1 || len(result.Failed) != 1 || result.Failed[0].Code != worker.CodeCancelled ||
		result.Failed[0].Reason != "cancelled by li: not wanted" {
		t.Errorf("%+v", result)
	}
	if got := r.cancel("both", ""); got.Orders[0].State != worker.ClaimPlaced || !got.Orders[1].Cancelled || got.Outcome != worker.OutcomePartial {
		t.Errorf("%+v", got)
	}
	if n := len(r.orders("both")); n != 1 {
		t.Errorf("%d orders", n)
	}
	r.books(1, 0)
}

// TestCancelRacesDeliveries: many requests are bought and cancelled at the same time, each cancelled twice. Each is either cancelled
// and has no order, or has one and its cancellation was too late.
func TestCancelRacesDeliveries(t *testing.T) {
	t.Parallel()
	const requests = 200
	r := newRig(t, processes(t))
	r.addKey("1000003", 10_000)
	r.work()
	r.work()
	var cancels sync.WaitGroup
	var taken atomic.Int64
	for i := range requests {
		id := fmt.Sprint("race-", i)
		r.ask(r.request(id, 0))
		for range 2 {
			cancels.Go(func() {
				answer, err := r.canceller().Cancel(r.ctx, worker.Cancellation{Tenant: "acme", RequestID: id, By: "li"})
				if err != nil {
					t.Errorf("%s: %v", id, err)
					return
				}
				result := r.result(id)
				if orders := len(r.orders(id)); answer.All() != (result.Outcome == worker.OutcomeCancelled) || answer.All() == (orders == 1) || orders > 1 {
					t.Errorf("%s: %d orders, %+v, %+v", id, orders, answer, result)
				}
				if answer.All() {
					taken.Add(1)
				}
			})
		}
	}
	cancels.Wait()
	t.Logf("%d of %d cancelled", taken.Load()/2, requests)
	r.never()
	r.settledBooks(0, "1000003")
}

// silentOutbox is one whose process dies before the result is stored.
type silentOutbox struct{ worker.Outbox }

func (silentOutbox) Publish(context.Context, worker.Result) error {
	return &worker.Trouble{Code: worker.CodeNATSDown, Reason: "died"}
}

// TestCancellerDiesBeforeTheResult: the claim says that it is cancelled, and so whoever comes next publishes that.
func TestCancellerDiesBeforeTheResult(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	dying := r.canceller()
	dying.Outbox = silentOutbox{dying.Outbox}
	for _, id := range []string{"delivered", "asked-again"} {
		r.ask(r.request(id, 0))
		if _, err := dying.Cancel(r.ctx, worker.Cancellation{Tenant: "acme", RequestID: id, By: "li", Why: "not wanted"}); worker.AsTrouble(err).Code != worker.CodeNATSDown {
			t.Errorf("%v", err)
		}
	}
	r.cancelled("asked-again")
	r.work()
	r.cancelled("delivered")
	r.never("delivered", "asked-again")
	r.books(0, 0)
}

// TestCancelledStaysCancelledWhenRedisIsEmptied: the result is on record, and the request is delivered for the first time, or again.
func TestCancelledStaysCancelledWhenRedisIsEmptied(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey("1000001", 1000)
	a, b := r.apart()
	r.ask(r.request("decided", a, b))
	r.cancelled("decided")
	r.flushRedis(servers.Addr)
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	for n := 1; n <= 2; n++ {
		claim, found, err := r.pool.Claim(r.ctx, "default", worker.Reference("acme", "decided", n))
		if err != nil || !found || claim.State != worker.ClaimCancelled || claim.Part.Reason != "cancelled by li: not wanted" {
			t.Errorf("%+v, %v, %v", claim, found, err)
		}
	}
	r.work()
	r.never("decided")
	r.books(0, 0)
}

// TestCancelAfterRedisForgotWhatWasSent: what may have been sent is never called cancelled.
func TestCancelAfterRedisForgotWhatWasSent(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey("1000001", 1000)
	placing, answer := make(chan struct{}, 1), make(chan struct{})
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			got := *r.client.Place(ctx, &order)
			placing <- struct{}{}
			<-answer
			return got
		}}
	})
	r.ask(r.request("sent", 0))
	<-placing
	r.flushRedis(servers.Addr)
	if got := r.cancel("sent", ""); got.All() || got.Orders[0].State != worker.ClaimSent || !strings.Contains(got.Orders[0].Reason, "is lost") {
		t.Errorf("%+v", got)
	}
	close(answer)
	if result := r.result("sent"); result.Outcome != worker.OutcomePlaced || len(r.orders("sent")) != 1 {
		t.Errorf("%+v", result)
	}
}
