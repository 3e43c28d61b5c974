package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

func (r *rig) resolver() *worker.Resolver {
	return &worker.Resolver{Record: r.bus, Claims: r.pool, Ledger: r.pool, Stock: r.pool, Market: r.client, Outbox: r.outbox(), Marks: r.bus,
		Observe: func(e worker.Event) { r.events <- e }}
}

// resolve takes a word that must be accepted.
func (r *rig) resolve(word worker.Resolution) worker.Result {
	r.t.Helper()
	word.Tenant, word.By, word.Why = "acme", "li", "asked the seller"
	result, err := r.resolver().Resolve(r.ctx, word)
	if err != nil {
		r.t.Fatalf("%+v: %v", word, err)
	}
	if onRecord, found, err := r.bus.Result(r.ctx, "acme", word.RequestID); err != nil || !found || onRecord.Reason != result.Reason ||
		onRecord.Outcome != result.Outcome || !onRecord.DecidedAt.Equal(result.DecidedAt) {
		r.t.Errorf("the answer is %+v, on record is %+v, %v", result, onRecord, err)
	}
	return result
}

// refuse takes a word that must be refused with a reason that names the field.
func (r *rig) refuse(word worker.Resolution, field, reason string) {
	r.t.Helper()
	word.Tenant, word.By, word.Why = "acme", "li", "asked the seller"
	result, err := r.resolver().Resolve(r.ctx, word)
	if invalid, ok := errors.AsType[*worker.Invalid](err); !ok || invalid.Field != field || !strings.Contains(invalid.Reason, reason) {
		r.t.Errorf("%+v: %+v, %v, want %s: …%s…", word, result, err, field, reason)
	}
}

// park has a request's first orders cut off before 1688 sees them, and waits until it is parked.
func (r *rig) park(id string, cut int64, offers ...int) worker.Result {
	r.t.Helper()
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: cut}))
	r.ask(r.request(id, offers...))
	result := r.result(id)
	if result.Outcome != worker.OutcomeUnknown || int64(len(result.Unknown)) != cut {
		r.t.Fatalf("%+v", result)
	}
	return result
}

// listed gives how many orders are open in the list of parked requests.
func (r *rig) listed() (open int) {
	r.t.Helper()
	parked, err := r.bus.Parked(r.ctx)
	r.must(err)
	for _, result := range parked {
		open += len(result.Unknown)
	}
	return open
}

func (r *rig) books(used, held int64) {
	r.t.Helper()
	if key := r.key("1000001"); key.Used != used || key.Held != held {
		r.t.Errorf("%+v, want %d used and %d held", key, used, held)
	}
}

// apart gives two offers of different sellers: they become two orders.
func (r *rig) apart() (int, int) {
	for i, offer := range r.offers {
		if offer.Seller != r.offers[0].Seller {
			return 0, i
		}
	}
	r.t.Fatal("one seller only")
	return 0, 0
}

func TestResolveAbsent(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	r.refuse(worker.Resolution{RequestID: "absent"}, "request_id", "no request that is on record")
	reference := r.park("absent", 1, 0).Unknown[0].OutOrderID
	r.books(0, 1)
	if r.listed() != 1 {
		t.Errorf("%d listed", r.listed())
	}
	r.refuse(worker.Resolution{RequestID: "absent", Reference: "acme.absent-2"}, "reference", "is no order of this request")
	r.refuse(worker.Resolution{RequestID: "absent", Placed: []string{"123"}}, "placed", "1688 has no order under this reference")
	r.books(0, 1)
	first := r.resolve(worker.Resolution{RequestID: "absent", Reference: reference})
	if first.Outcome != worker.OutcomeRefused || first.Reason != "resolved by li as absent: asked the seller" || len(first.Failed) != 1 {
		t.Errorf("%+v", first)
	}
	r.until("the resolution", func(e worker.Event) bool { return e.Stage == worker.StageResolved && e.Reference == reference })
	second := r.resolve(worker.Resolution{RequestID: "absent"})
	if !second.DecidedAt.Equal(first.DecidedAt) || second.Reason != first.Reason {
		t.Errorf("first %+v, then %+v", first, second)
	}
	r.refuse(worker.Resolution{RequestID: "absent", Placed: []string{"123"}, Force: true}, "request_id", "is not parked: it ended as refused; resolved by li")
	r.books(0, 0)
	if r.listed() != 0 {
		t.Errorf("%d still listed", r.listed())
	}
}

func TestResolvePlacedByForce(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	r.park("forced", 1, 0)
	word := worker.Resolution{RequestID: "forced", Placed: []string{"2257000000000000973"}, Force: true}
	for range 2 {
		result := r.resolve(word)
		if result.Outcome != worker.OutcomePlaced || result.Orders[0].OrderID != "2257000000000000973" || result.Products != 1 ||
			!strings.Contains(result.Reason, "(forced)") {
			t.Errorf("%+v", result)
		}
		r.books(1, 0)
	}
	r.ask(r.request("healthy", 0))
	if result := r.result("healthy"); result.Outcome != worker.OutcomePlaced {
		t.Fatalf("%+v", result)
	}
	r.refuse(worker.Resolution{RequestID: "healthy", Placed: []string{r.orders("healthy")[0].OrderID}}, "request_id", "is not parked: it ended as placed")
}

// TestResolvePlacedAsFound: the order exists, and 1688 lists it only after the window. What its list says is a fact.
func TestResolvePlacedAsFound(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.must(r.sim.Inject(
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1},
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "late_list", DelayMS: 3000, Count: 1},
	))
	r.work()
	r.ask(r.request("late", 0))
	if result := r.result("late"); result.Outcome != worker.OutcomeUnknown {
		t.Fatalf("%+v", result)
	}
	for r.client.Find(r.ctx, "1000001", "acme.late-1").Verdict != worker.Placed {
		r.must(r.ctx.Err())
	}
	order := r.orders("late")[0].OrderID
	r.refuse(worker.Resolution{RequestID: "late", Force: true}, "absent", "1688 has order "+order)
	r.refuse(worker.Resolution{RequestID: "late", Placed: []string{"1"}}, "placed", "1688 has order "+order)
	r.books(0, 1)
	result := r.resolve(worker.Resolution{RequestID: "late", Placed: []string{order}})
	if result.Outcome != worker.OutcomePlaced || len(result.Orders) != 1 || result.Orders[0].Total == 0 || len(r.orders("late")) != 1 {
		t.Errorf("%+v", result)
	}
	r.books(1, 0)
}

// TestResolveOneOfTwo: one order of the request is parked, the other was placed. The result gathers both, also when the
// ledger has lost what it knew of them.
func TestResolveOneOfTwo(t *testing.T) {
	for name, flush := range map[string]bool{"the ledger knows": false, "the ledger forgot": true} {
		t.Run(name, func(t *testing.T) {
			redis := workertest.Redis(t)
			r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: redis.URL})
			r.addKey("1000001", 1000)
			r.work()
			a, b := r.apart()
			placed := r.park("two", 1, a, b).Orders[0].OrderID
			r.books(1, 1)
			if flush {
				r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
				r.flushRedis(redis.Addr)
				r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
				r.books(1, 1)
			}
			for range 2 {
				result := r.resolve(worker.Resolution{RequestID: "two"})
				if result.Outcome != worker.OutcomePartial || len(result.Orders) != 1 || result.Orders[0].OrderID != placed || result.Products != 1 ||
					len(result.Failed) != 1 || result.Failed[0].Line != 0 || !strings.Contains(result.Reason, "resolved by li as absent") {
					t.Errorf("%+v", result)
				}
				r.books(1, 0)
			}
		})
	}
}

// TestResolveOneAfterTheOther: both orders are parked, and each is decided on its own.
func TestResolveOneAfterTheOther(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	a, b := r.apart()
	r.park("both", 2, a, b)
	if r.listed() != 2 {
		t.Errorf("%d listed", r.listed())
	}
	r.refuse(worker.Resolution{RequestID: "both"}, "reference", "acme.both-1, acme.both-2")
	result := r.resolve(worker.Resolution{RequestID: "both", Reference: "acme.both-2", Placed: []string{"11"}, Force: true})
	if result.Outcome != worker.OutcomeUnknown || len(result.Unknown) != 1 || len(result.Orders) != 1 || r.listed() != 1 {
		t.Errorf("%+v, %d listed", result, r.listed())
	}
	r.books(1, 1)
	r.refuse(worker.Resolution{RequestID: "both", Reference: "acme.both-2"}, "absent", "the order is placed as order 11")
	result = r.resolve(worker.Resolution{RequestID: "both"})
	if result.Outcome != worker.OutcomePartial || len(result.Orders) != 1 || len(result.Failed) != 1 || r.listed() != 0 {
		t.Errorf("%+v, %d listed", result, r.listed())
	}
	r.books(1, 0)
}

// TestResolveWhatWasGivenUp: its handling failed again and again, so it was parked without a settled claim.
func TestResolveWhatWasGivenUp(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work(func(c *worker.Config, p *worker.Ports) {
		c.MaxAttempts = 1
		p.Market = market{r.client, func(context.Context, worker.Order) worker.Answer { panic("boom") }}
	})
	r.ask(r.request("bomb", 0))
	if result := r.result("bomb"); result.Outcome != worker.OutcomeUnknown || len(result.Unknown) != 0 {
		t.Fatalf("%+v", result)
	}
	r.books(0, 1)
	if parked, err := r.bus.Parked(r.ctx); err != nil || len(parked) != 1 {
		t.Errorf("%+v, %v", parked, err)
	}
	if result := r.resolve(worker.Resolution{RequestID: "bomb"}); result.Outcome != worker.OutcomeRefused {
		t.Errorf("%+v", result)
	}
	r.books(0, 0)
}

// counted is the real market that counts what is sent.
func (r *rig) counted(sent *atomic.Int64) worker.Market {
	return market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
		sent.Add(1)
		return *r.client.Place(ctx, &order)
	}}
}

// TestResend: what is surely absent is sent once more with the same reference, and what is absent twice is parked. An order
// that is listed late, but within the window, is not sent again, even if Redis's clock jumps over the window's end; one that jumps
// back does not keep the window open.
func TestResend(t *testing.T) {
	for _, c := range []struct {
		name       string
		jump       time.Duration // of Redis's clock, once the order was sent
		faults     []sim1688.Fault
		outcome    worker.Outcome
		sent       int64
		used, held int64
	}{
		{"lost once", 0, []sim1688.Fault{{Kind: "cut_before", Count: 1}}, worker.OutcomePlaced, 2, 1, 0},
		{"lost twice", 0, []sim1688.Fault{{Kind: "cut_before", Count: 2}}, worker.OutcomeUnknown, 2, 0, 1},
		{"listed late", 0, []sim1688.Fault{{Kind: "cut_after", Count: 1}, {Kind: "late_list", DelayMS: 500, Count: 1}}, worker.OutcomePlaced, 1, 1, 0},
		{"clock set ahead", time.Hour, []sim1688.Fault{{Kind: "cut_after", Count: 1}, {Kind: "late_list", DelayMS: 1500, Count: 1}}, worker.OutcomePlaced, 1, 1, 0},
		{"clock set back", -time.Hour, []sim1688.Fault{{Kind: "cut_before", Count: 1}}, worker.OutcomePlaced, 2, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, processes(t))
			r.addKey("1000001", 1000)
			for i := range c.faults {
				c.faults[i].Operation = "fastCreateOrder"
			}
			r.must(r.sim.Inject(c.faults...))
			var sent atomic.Int64
			r.work(func(config *worker.Config, p *worker.Ports) {
				config.OnAbsent, config.LookFor, p.Market = worker.Resend, 3*time.Second, r.counted(&sent)
				p.Ledger = jumping{p.Ledger, c.jump}
			})
			r.ask(r.request("again", 0))
			result := r.result("again")
			if result.Outcome != c.outcome || sent.Load() != c.sent || int64(len(r.orders("again"))) != c.used {
				t.Errorf("%+v, sent %d times, 1688 has %+v", result, sent.Load(), r.orders("again"))
			}
			r.books(c.used, c.held)
		})
	}
}

// jumping is a ledger whose clock is set ahead or back once a claim was sent.
type jumping struct {
	worker.Ledger
	by time.Duration
}

func (l jumping) Draw(ctx context.Context, d *worker.Draw) (*worker.Claim, error) {
	claim, err := l.Ledger.Draw(ctx, d)
	if err == nil && claim.Turn == worker.TurnLookUp {
		claim.Now = claim.Now.Add(l.by)
	}
	return claim, err
}

// TestResendIsFenced: the first worker is frozen before its order leaves, and thaws when another has sent it again. Its own
// does not leave any more.
func TestResendIsFenced(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	frozen, thaw := make(chan struct{}), make(chan struct{})
	var arrived atomic.Int64
	r.work(func(c *worker.Config, p *worker.Ports) {
		p.Inbox, c.OnAbsent, c.RetryEvery = inbox, worker.Resend, time.Millisecond
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			if arrived.Add(1) == 1 {
				close(frozen)
				<-thaw
			}
			return *r.client.Place(ctx, &order)
		}}
	})
	q := r.request("frozen", 0)
	first, firstReceipt := deliver(q, 1, time.Now())
	inbox <- first
	<-frozen
	for attempt := 2; ; attempt++ {
		d, how := deliver(q, attempt, time.Now())
		inbox <- d
		if r.settled(how) == "ack" {
			break
		}
	}
	close(thaw)
	if got := r.settled(firstReceipt); got != "nak" {
		t.Errorf("the first delivery ended with %s", got)
	}
	if orders := r.orders("frozen"); len(orders) != 1 || arrived.Load() != 2 {
		t.Errorf("%d orders exist, sent %d times", len(orders), arrived.Load())
	}
	r.books(1, 0)
}

// TestLateAnswer: an answer that comes after all is a fact for an order that is open, and a case for a person if another
// outcome stands.
func TestLateAnswer(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	reference := r.park("late", 1, 0).Unknown[0].OutOrderID
	answer := func(id string) worker.Answer {
		return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Orders: []worker.PlacedOrder{{ID: id, Total: 4598}}}
	}
	r.must(r.resolver().Late(r.ctx, "somebody-elses", answer("1")))
	for range 2 {
		r.must(r.resolver().Late(r.ctx, reference, answer("2257000000000000973")))
		if result, _, err := r.bus.Result(r.ctx, "acme", "late"); err != nil || result.Outcome != worker.OutcomePlaced || result.Orders[0].Total != 4598 {
			t.Errorf("%+v, %v", result, err)
		}
		r.books(1, 0)
	}
	for range 2 {
		r.must(r.resolver().Late(r.ctx, reference, answer("2257000000000000999")))
		e := r.until("the alarm", func(e worker.Event) bool { return e.Stage == worker.StageDiffers })
		if e.Reference != reference || !strings.Contains(e.Reason, "2257000000000000999") || !strings.Contains(e.Reason, "2257000000000000973") {
			t.Errorf("%+v", e)
		}
	}
	r.deadLetters(1)
	r.books(1, 0)
}

// TestContradictionIsRecorded: a worker that was frozen brings another order than the one that was found meanwhile.
func TestContradictionIsRecorded(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	placed, thaw := make(chan struct{}), make(chan struct{})
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Inbox = inbox
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			answer := *r.client.Place(ctx, &order)
			close(placed)
			<-thaw
			answer.Orders = []worker.PlacedOrder{{ID: "999"}}
			return answer
		}}
	})
	var receipts []receipt
	for attempt := 1; attempt <= 2; attempt++ {
		d, how := deliver(r.request("differs", 0), attempt, time.Now())
		inbox <- d
		receipts = append(receipts, how)
		<-placed
	}
	if got := r.settled(receipts[1]); got != "ack" {
		t.Errorf("the second delivery ended with %s", got)
	}
	close(thaw)
	r.settled(receipts[0])
	e := r.until("the alarm", func(e worker.Event) bool { return e.Stage == worker.StageDiffers })
	if want := fmt.Sprintf("acme.differs-1: a late answer names order 999, but the order is placed as order %s", r.orders("differs")[0].OrderID); !strings.HasPrefix(e.Reason, want) {
		t.Errorf("%q, want %q", e.Reason, want)
	}
	r.deadLetters(1)
}
