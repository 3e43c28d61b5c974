package workertest_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// Of the catalogue, every eighth offer is of the same seller.
const (
	anOffer = 1
	anOther = 9
	aThird  = 17
)

// either makes a request for one of the first offer, or of the others for at most a price each.
func (r *rig) either(id string, offer int, others ...int) worker.Request {
	q := r.request(id, offer)
	q.Lines[0].UnitPrice = worker.Fen(r.offers[offer].PriceFen)
	for _, n := range others {
		other := r.offers[n]
		q.Lines[0].Alternatives = append(q.Lines[0].Alternatives,
			worker.Alternative{OfferID: other.OfferID, SpecID: other.SpecIDs[0], MaxUnitPrice: worker.Fen(other.PriceFen)})
	}
	return q
}

// soldOut sets how many there are of an offer.
func (r *rig) stock(offer int, n int64) {
	r.t.Helper()
	r.must(r.sim.SetStock(r.offers[offer].OfferID, r.offers[offer].SpecIDs[0], n))
}

// holds says that one order exists for a request, and what it holds.
func (r *rig) holds(id string, offers ...int) {
	r.t.Helper()
	orders := r.orders(id)
	if len(orders) != 1 {
		r.t.Errorf("%s: %d orders exist", id, len(orders))
		return
	}
	var want, got []string
	for _, n := range offers {
		want = append(want, r.offers[n].OfferID)
	}
	for _, line := range orders[0].Lines {
		got = append(got, line.OfferID)
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("%s: the order holds %v, want %v", id, got, want)
	}
}

// took says which alternative a result names for its only line, 0 for none.
func (r *rig) took(result worker.Result, n, offer int) {
	r.t.Helper()
	var chosen []worker.Chosen
	for _, order := range result.Orders {
		chosen = append(chosen, order.Alternatives...)
	}
	for _, open := range result.Unknown {
		chosen = append(chosen, open.Alternatives...)
	}
	want := []worker.Chosen{{Line: 0, Alternative: n, OfferID: r.offers[offer].OfferID, SpecID: r.offers[offer].SpecIDs[0]}}
	if n == 0 {
		want = nil
	}
	if !slices.Equal(chosen, want) {
		r.t.Errorf("%s: %+v, want %+v", result.RequestID, result, want)
	}
}

// TestAnAlternativeIsBought: whatever 1688's preview has against what was asked for, the next alternative that it takes is bought,
// within its own bound; what is ordered is counted, and the result says which.
func TestAnAlternativeIsBought(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	const gone = 33 // of the same seller too
	r.stock(gone, 0)
	nine := worker.Fen(r.offers[anOther].PriceFen)
	for name, c := range map[string]struct {
		edit  func(*worker.Request)
		n     int // which is bought, 0 for none
		offer int
		tried []worker.Code
	}{
		"sold-out": {edit: func(q *worker.Request) {}, n: 1, offer: anOther},
		"as-asked": {edit: func(q *worker.Request) {
			q.Lines[0].OfferID, q.Lines[0].SpecID = r.offers[25].OfferID, r.offers[25].SpecIDs[0]
			q.Lines[0].UnitPrice = 0
		}, n: 0, offer: 25},
		"dearer": {edit: func(q *worker.Request) { q.Lines[0] = either(q.Lines[0], r.offers[25]); q.Lines[0].UnitPrice = 1 }, n: 1, offer: anOther},
		"unknown-spec": {edit: func(q *worker.Request) {
			q.Lines[0] = either(q.Lines[0], r.offers[25])
			q.Lines[0].SpecID = r.offers[2].SpecIDs[0]
		}, n: 1, offer: anOther},
		"not-sold": {edit: func(q *worker.Request) { q.Lines[0].OfferID = "1" }, n: 1, offer: anOther},
		"bound":    {edit: func(q *worker.Request) { q.Lines[0].Alternatives[0].MaxUnitPrice = nine - 1; q.PriceTolerance = "100" }, n: 2, offer: aThird},
		"both-gone": {edit: func(q *worker.Request) {
			q.Lines[0].Alternatives[0].OfferID = r.offers[gone].OfferID
			q.Lines[0].Alternatives[0].SpecID = r.offers[gone].SpecIDs[0]
		}, n: 2, offer: aThird},
		"nothing-left": {edit: func(q *worker.Request) {
			q.Lines[0].Alternatives[0].MaxUnitPrice = 1
			q.Lines[0].Alternatives[1].OfferID = "1"
		}, tried: []worker.Code{worker.CodePriceChanged, worker.CodeNotSold}},
		"beyond-the-sum": {edit: func(q *worker.Request) { q.MaxTotal = nine }, tried: []worker.Code{}}, // and postage
	} {
		q := r.either(name, gone, anOther, aThird)
		c.edit(&q)
		before := r.key(rigKeys[0])
		r.ask(q)
		result := r.result(name)
		if c.tried != nil {
			if result.Outcome != worker.OutcomeRefused || len(result.Failed) != 1 || len(c.tried) > 0 && (result.Failed[0].OfferID != q.Lines[0].OfferID ||
				result.Failed[0].Code != worker.CodeOutOfStock || !slices.Equal(result.Failed[0].Tried, c.tried)) {
				t.Errorf("%s: %+v", name, result)
			}
			r.untouched(name, before)
			continue
		}
		if result.Outcome != worker.OutcomePlaced {
			t.Errorf("%s: %+v", name, result)
			continue
		}
		r.took(result, c.n, c.offer)
		r.holds(name, c.offer)
		if r.key(rigKeys[0]).Used != before.Used+1 {
			t.Errorf("%s: %+v", name, r.key(rigKeys[0]))
		}
	}
}

func either(l worker.Line, offer sim1688.Offer) worker.Line {
	l.OfferID, l.SpecID, l.UnitPrice = offer.OfferID, offer.SpecIDs[0], worker.Fen(offer.PriceFen)
	return l
}

// TestAnAlternativeThatAnotherLineAsksFor: both are one line of the order, and both are told where they are.
func TestAnAlternativeThatAnotherLineAsksFor(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	r.stock(anOffer, 0)
	q := r.either("joined", anOffer, anOther)
	q.Lines = append(q.Lines, r.request("", anOther).Lines[0])
	q.Lines[1].Quantity = 2
	r.ask(q)
	result := r.result("joined")
	r.holds("joined", anOther)
	r.took(result, 1, anOther)
	if result.Outcome != worker.OutcomePlaced || !slices.Equal(result.Orders[0].Lines, []int{0, 1}) || r.orders("joined")[0].Lines[0].Quantity != 3 || result.Products != 1 {
		t.Errorf("%+v", result)
	}
}

// alternativeCrashes has every step about a choice. What was asked for is in stock again when another worker takes over: only a choice
// that is not on record yet is made anew.
var alternativeCrashes = []struct {
	at    string
	want  end
	n     int
	offer int
}{
	{"before choose", placed, 0, anOffer},
	{"after choose", placed, 1, anOther},
	{"before place", parked, 1, anOther},
	{"after place", placed, 1, anOther},
	{"after settle", placed, 1, anOther},
	{"before publish", placed, 1, anOther},
}

// TestTheChoiceStandsWhoeverDies kills a worker process at each point.
func TestTheChoiceStandsWhoeverDies(t *testing.T) {
	t.Parallel()
	stacks := separate(t, len(alternativeCrashes))
	deaths := make([]*death, len(alternativeCrashes))
	for i, c := range alternativeCrashes {
		d := &death{}
		d.scene = newScene(t, stacks[i], &door{})
		d.stock(anOffer, 0)
		d.doomed = d.startWorker(part{DieAt: []string{c.at}, LookFor: patience})
		d.ask(d.either("crash", anOffer, anOther))
		deaths[i] = d
	}
	for _, d := range deaths {
		d.doomed.killed()
		d.stock(anOffer, 100)
		d.work()
	}
	for i, c := range alternativeCrashes {
		t.Run(c.at, func(t *testing.T) {
			s := deaths[i].in(t)
			s.finished("crash")
			s.judge("crash", c.want)
			s.took(s.result("crash"), c.n, c.offer)
			if c.want.orders > 0 {
				s.holds("crash", c.offer)
			}
		})
	}
}

// choices are the real ones, with a test's step before and after a choice is made.
type choices struct {
	worker.Choices
	before, after func()
}

func (c choices) Choose(ctx context.Context, tenant, ref string, choice worker.Choice) (worker.Choice, error) {
	c.before()
	stands, err := c.Choices.Choose(ctx, tenant, ref, choice)
	c.after()
	return stands, err
}

// TestTheFasterChoiceStands: two deliveries choose when there is something else in stock. Only what the first one chose is bought.
func TestTheFasterChoiceStands(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.stock(anOffer, 0)
	inbox := make(hand)
	chosen, faster := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Inbox = inbox
		p.Choices = choices{r.bus.Choices(), func() {
			if first.CompareAndSwap(false, true) {
				close(chosen)
				<-faster
			}
		}, func() {}}
	})
	q := r.either("twice", anOffer, anOther, aThird)
	slow, slowReceipt := deliver(q, 1, time.Now())
	inbox <- slow
	<-chosen // the other one, which is sold out now
	r.stock(anOther, 0)
	quick, quickReceipt := deliver(q, 2, time.Now())
	inbox <- quick
	if got := r.settled(quickReceipt); got != "ack" {
		t.Errorf("the second delivery ended with %s", got)
	}
	close(faster)
	if got := r.settled(slowReceipt); got != "nak" {
		t.Errorf("the first delivery ended with %s", got)
	}
	r.took(r.result("twice"), 2, aThird)
	r.holds("twice", aThird)
	again, receipt := deliver(q, 3, time.Now())
	inbox <- again
	if got := r.settled(receipt); got != "ack" {
		t.Errorf("the third delivery ended with %s", got)
	}
	r.holds("twice", aThird)
}

// TestRedisForgetsBetweenTheChoiceAndTheOrder: nothing else is chosen, though what was asked for is in stock again.
func TestRedisForgetsBetweenTheChoiceAndTheOrder(t *testing.T) {
	t.Parallel()
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey(rigKeys[0], 1000)
	r.stock(anOffer, 0)
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Choices = choices{r.bus.Choices(), func() {}, func() {
			r.stock(anOffer, 100)
			r.flushRedis(servers.Addr)
		}}
	})
	r.ask(r.either("flushed", anOffer, anOther))
	result := r.result("flushed")
	r.took(result, 1, anOther)
	if orders := r.orders("flushed"); len(orders) != len(result.Orders) {
		t.Errorf("%d orders, %+v", len(orders), result)
	}
	if len(result.Orders) > 0 {
		r.holds("flushed", anOther)
	}
}

// TestNoAlternativeAfterAnUnknown: an order that was sent and not answered is looked up, parked and decided about as what it was sent
// for, and nothing else is tried.
func TestNoAlternativeAfterAnUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	r.stock(anOffer, 0)
	for id, kind := range map[string]string{"found": "cut_after", "lost": "cut_before"} {
		r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: kind, Count: 1}))
		r.ask(r.either(id, anOffer, anOther, aThird))
		r.took(r.result(id), 1, anOther)
	}
	r.holds("found", anOther)
	if result := r.result("found"); result.Outcome != worker.OutcomePlaced || len(result.Failed) != 0 {
		t.Errorf("%+v", result)
	}
	if result := r.result("lost"); result.Outcome != worker.OutcomeUnknown || len(r.orders("lost")) != 0 {
		t.Errorf("%+v", result)
	}
	r.stock(anOffer, 100)
	absent := r.resolve(worker.Resolution{RequestID: "lost"})
	if absent.Outcome != worker.OutcomeRefused || len(absent.Failed) != 1 || absent.Failed[0].OfferID != r.offers[anOther].OfferID || absent.Failed[0].Alternative != 1 {
		t.Errorf("%+v", absent)
	}
}

// TestAnOrderWithoutAChoiceOnRecordIsNotSent: it was drawn for, so that something was chosen once; nobody knows what.
func TestAnOrderWithoutAChoiceOnRecordIsNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	q := r.either("forgotten", anOffer, anOther)
	q.Tenant = "acme"
	draw := worker.Draw{Pool: "default", Reference: worker.Reference("acme", q.ID, 1), Fingerprint: worker.Fingerprint(&q), Size: worker.Size{Lines: 1, Units: 1},
		Owner: "before", Attempt: 1, Published: time.Now(), Preview: worker.PreviewNever}
	claim, err := r.pool.Draw(r.ctx, &draw)
	r.must(err)
	r.must(r.pool.Unsend(r.ctx, claim, worker.CodeThrottled))
	inbox := make(hand)
	r.work(func(_ *worker.Config, p *worker.Ports) { p.Inbox = inbox })
	d, how := deliver(q, 2, draw.Published)
	inbox <- d
	if got := r.settled(how); got != "ack" {
		t.Errorf("it ended with %s", got)
	}
	if result := r.result("forgotten"); result.Outcome != worker.OutcomeUnknown || result.Code != worker.CodeLost || len(result.Unknown) != 1 || len(r.orders("forgotten")) != 0 {
		t.Errorf("%+v", result)
	}
	r.books(0, 1)
}
