package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// hand is an inbox that gives out what a test puts into it, so that a test decides which delivery comes when.
type hand chan worker.Delivery

func (h hand) Next(ctx context.Context) (*worker.Delivery, error) {
	select {
	case d := <-h:
		return &d, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h hand) Ready(context.Context) error { return nil }

// receipt tells how a delivery was settled: "ack", "nak" or "term".
type receipt chan string

func (receipt) Soon() {}

func (r receipt) Ack(context.Context) error                { r <- "ack"; return nil }
func (r receipt) Nak(context.Context, time.Duration) error { r <- "nak"; return nil }
func (r receipt) Term(context.Context, string) error       { r <- "term"; return nil }

// deliver makes a delivery of a request by hand.
func deliver(q worker.Request, attempt int, published time.Time) (worker.Delivery, receipt) {
	r := make(receipt, 1)
	ref := worker.EncodeRef(q.ID)
	return worker.Delivery{
		Subject: "purchase.request.acme." + ref, Tenant: "acme", Ref: ref, Body: schemas.AppendRequest(nil, q),
		Sequence: 1, Attempt: attempt, Published: published, Receipt: r,
	}, r
}

func (r *rig) settled(how receipt) string {
	r.t.Helper()
	select {
	case got := <-how:
		return got
	case <-time.After(patience):
		r.t.Fatal("the delivery was never settled")
		return ""
	}
}

// market is the real one with some calls overridden.
type market struct {
	worker.Market
	place func(ctx context.Context, order worker.Order) worker.Answer
}

func (m market) Place(ctx context.Context, order *worker.Order) *worker.Answer {
	return new(m.place(ctx, *order))
}

// TestTwoBelieveTheyOwnIt: the first worker hangs on its order while the request is delivered again. The second looks the
// order up and never sends it; the late answer of the first changes nothing.
func TestTwoBelieveTheyOwnIt(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	var sent atomic.Int64
	placed, thaw := make(chan struct{}), make(chan struct{})
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Inbox = inbox
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			sent.Add(1)
			answer := *r.client.Place(ctx, &order)
			close(placed)
			<-thaw
			return answer
		}}
	})
	q := r.request("frozen", 0)
	first, firstReceipt := deliver(q, 1, time.Now())
	inbox <- first
	<-placed
	second, secondReceipt := deliver(q, 2, time.Now())
	inbox <- second
	if got := r.settled(secondReceipt); got != "ack" {
		t.Errorf("the second delivery ended with %s", got)
	}
	close(thaw)
	if got := r.settled(firstReceipt); got != "ack" {
		t.Errorf("the first delivery ended with %s", got)
	}
	if orders := r.orders("frozen"); len(orders) != 1 || sent.Load() != 1 {
		t.Errorf("sent %d times, %d orders exist", sent.Load(), len(orders))
	}
	if result := r.result("frozen"); result.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", result)
	}
	if key := r.key("1000001"); key.Used != 1 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// TestRepeatedDeliveriesBuyOnce: however often a request is delivered, one order and one reservation are made.
func TestRepeatedDeliveriesBuyOnce(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	r.work(func(_ *worker.Config, p *worker.Ports) { p.Inbox = inbox })
	for attempt := 1; attempt <= 100; attempt++ {
		d, how := deliver(r.request("again", 0), attempt, time.Now())
		inbox <- d
		if got := r.settled(how); got != "ack" {
			t.Fatalf("delivery %d ended with %s", attempt, got)
		}
	}
	if orders := r.orders("again"); len(orders) != 1 {
		t.Errorf("%d orders exist", len(orders))
	}
	if key := r.key("1000001"); key.Used != 1 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// ledger is the real one whose replies may be lost after the step was done.
type ledger struct {
	worker.Ledger
	lose atomic.Int64 // so many replies
}

var errLost = &worker.Trouble{Code: worker.CodeRedisDown, Reason: "reply lost", Err: errors.New("test")}

func (l *ledger) lost() bool { return l.lose.Add(-1) >= 0 }

func (l *ledger) Draw(ctx context.Context, d *worker.Draw) (*worker.Claim, error) {
	claim, err := l.Ledger.Draw(ctx, d)
	if err == nil && l.lost() {
		return nil, errLost
	}
	return claim, err
}

func (l *ledger) Settle(ctx context.Context, c *worker.Claim, p *worker.Part, s worker.Size) error {
	before := *c
	err := l.Ledger.Settle(ctx, c, p, s)
	if err == nil && l.lost() {
		*c = before
		return errLost
	}
	return err
}

// TestLostRepliesOfTheLedger: a step whose reply is lost is repeated in hand and counts once; in particular an order is not
// left marked as sent although it never left.
func TestLostRepliesOfTheLedger(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	flaky := &ledger{Ledger: r.pool}
	flaky.lose.Store(2)
	r.work(func(c *worker.Config, p *worker.Ports) {
		p.Ledger, c.Concurrent, c.RetryEvery = flaky, 1, time.Millisecond
	})
	for i := range 3 {
		id := fmt.Sprint("flaky-", i)
		r.ask(r.request(id, 0))
		if result := r.result(id); result.Outcome != worker.OutcomePlaced || result.Attempt != 1 || len(r.orders(id)) != 1 {
			t.Errorf("%+v", result)
		}
		flaky.lose.Store(2)
	}
	if key := r.key("1000001"); key.Used != 3 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// TestRedisForgetsEverything: claims and counts are gone. The pool is rebuilt from the journal; what was finished stays
// finished, and what was under way is found at 1688 before anything else is done about it.
func TestRedisForgetsEverything(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey("1000001", 1000)
	inbox := make(hand)
	r.work(func(_ *worker.Config, p *worker.Ports) { p.Inbox = inbox })
	published := time.Now()
	finished, how := deliver(r.request("finished", 0), 1, published)
	inbox <- finished
	r.settled(how)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))

	// An order that left, and whose worker died before it could settle it.
	underWay := worker.Split(new(r.tenanted(r.request("under-way", 0))))[0].Order
	underWay.AppKey = "1000001"
	if answer := *r.client.Place(r.ctx, &underWay); answer.Verdict != worker.Placed {
		t.Fatalf("%+v", answer)
	}
	r.flushRedis(servers.Addr)
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))

	for _, id := range []string{"finished", "under-way"} {
		again, how := deliver(r.request(id, 0), 2, published)
		inbox <- again
		if got := r.settled(how); got != "ack" {
			t.Errorf("%s ended with %s", id, got)
		}
		if orders := r.orders(id); len(orders) != 1 {
			t.Errorf("%s: %d orders exist", id, len(orders))
		}
	}
	if result := r.result("under-way"); result.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", result)
	}
	if key := r.key("1000001"); key.Used != 2 || key.Held != 0 {
		t.Errorf("%+v, want both orders counted", key)
	}
}

// TestLostAndNeverSent: the claim is lost and no order is found on any key. It is parked, held, and never sent again.
func TestLostAndNeverSent(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey("1000001", 1000)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	published := time.Now()
	r.flushRedis(servers.Addr)
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	inbox := make(hand)
	r.work(func(_ *worker.Config, p *worker.Ports) { p.Inbox = inbox })
	for attempt := 2; ; attempt++ {
		d, how := deliver(r.request("gone", 0), attempt, published)
		inbox <- d
		if r.settled(how) == "ack" {
			break
		}
	}
	result := r.result("gone")
	if result.Outcome != worker.OutcomeUnknown || len(result.Unknown) != 1 || len(r.sim.Orders(sim1688.OrderFilter{})) != 0 {
		t.Errorf("%+v", result)
	}
	if key := r.key("1000001"); key.Used != 0 || key.Held != 1 {
		t.Errorf("%+v: the quota of an unknown order stays held", key)
	}
}

func (r *rig) tenanted(q worker.Request) worker.Request {
	q.Tenant = "acme"
	return q
}

func (r *rig) flushRedis(addr string) {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	r.must(client.FlushAll(r.ctx).Err())
}

// TestPanicEndsNothing: a panic in one request is that request's trouble alone; after MaxAttempts it is given up as unknown,
// with a dead letter, and others go on all the while.
func TestPanicEndsNothing(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	r.work(func(c *worker.Config, p *worker.Ports) {
		p.Inbox, c.MaxAttempts = inbox, 3
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			if order.Reference == "acme.bomb-1" {
				panic("boom")
			}
			return *r.client.Place(ctx, &order)
		}}
		p.Decode = func(body []byte) (*worker.Request, error) {
			q, err := schemas.DecodeRequest(body)
			if err == nil && q.ID == "bomb-3" {
				panic("boom")
			}
			return q, err
		}
	})
	bomb, how := deliver(r.request("bomb", 0), 1, time.Now())
	inbox <- bomb
	if got := r.settled(how); got != "nak" {
		t.Errorf("a panic ended with %s", got)
	}
	for attempt, want := range []string{"nak", "nak", "ack"} {
		d, how := deliver(r.request("bomb-3", 0), attempt+1, time.Now())
		inbox <- d
		if got := r.settled(how); got != want {
			t.Errorf("attempt %d ended with %s, want %s", attempt+1, got, want)
		}
	}
	good, how := deliver(r.request("good", 0), 1, time.Now())
	inbox <- good
	if got := r.settled(how); got != "ack" {
		t.Errorf("the request after it ended with %s", got)
	}
	if result := r.result("bomb-3"); result.Outcome != worker.OutcomeUnknown || result.Code != worker.CodeInternal {
		t.Errorf("%+v", result)
	}
	r.deadLetters(1)
}

// TestDeadline: what comes too late is never sent, whether or not a key had room.
func TestDeadline(t *testing.T) {
	r := newRig(t, processes(t))
	inbox := make(hand)
	r.work(func(_ *worker.Config, p *worker.Ports) { p.Inbox = inbox })
	late := r.request("no-key", 0)
	late.Deadline = time.Now().Add(-time.Second)
	for _, id := range []string{"no-key", "key"} {
		late.ID = id
		d, how := deliver(late, 1, time.Now())
		inbox <- d
		if got := r.settled(how); got != "ack" {
			t.Errorf("%s ended with %s", id, got)
		}
		if result := r.result(id); result.Outcome != worker.OutcomeCancelled || result.Code != worker.CodeDeadline || len(r.orders(id)) != 0 {
			t.Errorf("%+v", result)
		}
		r.addKey("1000001", 1000)
	}
	if key := r.key("1000001"); key.Used != 0 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// TestShutdownFinishesWhatRuns: told to stop, a worker takes nothing new, finishes what it has, publishes and acknowledges.
func TestShutdownFinishesWhatRuns(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	const running = 8
	arrived, release := make(chan struct{}, running), make(chan struct{})
	stop := r.work(func(c *worker.Config, p *worker.Ports) {
		c.Concurrent = running
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			arrived <- struct{}{}
			<-release
			return *r.client.Place(ctx, &order)
		}}
	})
	for i := range 2 * running {
		r.ask(r.request(fmt.Sprint("stop-", i), 0))
	}
	for range running {
		<-arrived
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	select {
	case <-stopped:
		t.Fatal("it stopped with orders under way")
	default:
	}
	close(release)
	<-stopped
	if got := len(r.sim.Orders(sim1688.OrderFilter{})); got != running {
		t.Errorf("%d orders exist, want the %d that were running", got, running)
	}
	if key := r.key("1000001"); key.Used != running || key.Held != 0 {
		t.Errorf("%+v", key)
	}
	depth, err := r.bus.Depth(r.ctx)
	r.must(err)
	if depth.Waiting != running || depth.InFlight != 0 {
		t.Errorf("%+v: the rest must wait untouched", depth)
	}
}

// TestShutdownWithAStuckOrder: the grace time ends it; the claim stays recoverable.
func TestShutdownWithAStuckOrder(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	arrived := make(chan struct{})
	stop := r.work(func(c *worker.Config, p *worker.Ports) {
		c.Grace = 50 * time.Millisecond
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			answer := *r.client.Place(ctx, &order)
			close(arrived)
			<-ctx.Done()
			_ = answer // it is lost
			return worker.Answer{Verdict: worker.Unknown, Code: worker.CodeNoAnswer}
		}}
	})
	r.ask(r.request("stuck", 0))
	<-arrived
	stop()
	r.work()
	if result := r.result("stuck"); result.Outcome != worker.OutcomePlaced || len(r.orders("stuck")) != 1 {
		t.Errorf("%+v", result)
	}
}
