package workertest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// previews counts the previews that go through it.
type previews struct {
	worker.Previewer
	made *atomic.Int64
}

func (p previews) Preview(ctx context.Context, order *worker.Order) *worker.Answer {
	p.made.Add(1)
	return p.Previewer.Preview(ctx, order)
}

// seen makes a worker count its previews.
func (r *rig) seen(made *atomic.Int64) func(*worker.Config, *worker.Ports) {
	return func(_ *worker.Config, p *worker.Ports) { p.Previewer = previews{r.client, made} }
}

// total is what the plain offers, numbered, come to in one order with postage.
func (r *rig) total(offers ...int) (sum worker.Fen) {
	post := int64(0)
	for _, n := range offers {
		sum += worker.Fen(r.offers[n].PriceFen)
		post = max(post, r.offers[n].PostFen)
	}
	return sum + worker.Fen(post)
}

// untouched says that nothing was drawn or ordered for a request.
func (r *rig) untouched(id string, before keypool.Info) {
	r.t.Helper()
	if key := r.key(before.AppKey); key.Used != before.Used || key.Held != before.Held || len(r.orders(id)) != 0 {
		r.t.Errorf("%s: %+v, %d orders", id, key, len(r.orders(id)))
	}
}

// TestAPreviewWithoutATradeModeIsRefusedForGood: it can be seen and cannot be ordered by API. Nothing is drawn, and the claim that
// says so has no key.
func TestAPreviewWithoutATradeModeIsRefusedForGood(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	q := r.request("not-by-api", 0)
	q.Preview, q.Lines[0] = worker.PreviewAlways, r.notByAPI()
	r.ask(q)
	result := r.result("not-by-api")
	if result.Outcome != worker.OutcomeRefused || result.Code != worker.CodeNotOrderable || result.Attempt != 1 || result.AppKey != "" ||
		len(result.Failed) != 1 || result.Failed[0].Code != worker.CodeNotOrderable || result.DecidedAt.IsZero() {
		t.Errorf("%+v", result)
	}
	r.untouched("not-by-api", keypool.Info{AppKey: rigKeys[0]})
	claim, there, err := r.pool.Claim(r.ctx, "default", worker.Reference("acme", "not-by-api", 1))
	if err != nil || !there || claim.AppKey != "" || claim.State != worker.ClaimRefused {
		t.Errorf("%+v %v", claim, err)
	}
}

// notByAPI is a line of the offer that the preview shows without a trade mode.
func (r *rig) notByAPI() worker.Line {
	for _, offer := range sim1688.DefaultCatalogue() {
		if offer.NotByAPI {
			return worker.Line{OfferID: offer.OfferID, SpecID: offer.SpecIDs[0], Quantity: 1, Seller: offer.Seller}
		}
	}
	r.t.Fatal("the catalogue has no such offer")
	return worker.Line{}
}

// TestTheLimitsOfARequestAreKept: of prices and of the sum, in fen, postage included, and only where a preview is wanted.
func TestTheLimitsOfARequestAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	const offer = 1
	if r.offers[offer].PostFen == 0 {
		t.Fatal("the offer is to have a postage")
	}
	price := worker.Fen(1000)
	for name, c := range map[string]struct {
		now  int64 // price at 1688, fen
		edit func(*worker.Request)
		code worker.Code
	}{
		"as-expected":   {1000, func(q *worker.Request) { q.Preview, q.Lines[0].UnitPrice = worker.PreviewAlways, price }, worker.CodePlaced},
		"cheaper":       {999, func(q *worker.Request) { q.Preview, q.Lines[0].UnitPrice = worker.PreviewAlways, price }, worker.CodePlaced},
		"dearer":        {1001, func(q *worker.Request) { q.Preview, q.Lines[0].UnitPrice = worker.PreviewAlways, price }, worker.CodePriceChanged},
		"tolerated":     {1025, func(q *worker.Request) { q.PriceTolerance, q.Lines[0].UnitPrice = "2.5", price }, worker.CodePlaced},
		"not-tolerated": {1026, func(q *worker.Request) { q.PriceTolerance, q.Lines[0].UnitPrice = "2.5", price }, worker.CodePriceChanged},
		"in-budget":     {1000, func(q *worker.Request) { q.MaxTotal = price + worker.Fen(r.offers[offer].PostFen) }, worker.CodePlaced},
		"over-budget":   {1000, func(q *worker.Request) { q.MaxTotal = price + worker.Fen(r.offers[offer].PostFen) - 1 }, worker.CodeOverBudget},
		"unknown-price": {9999, func(q *worker.Request) { q.Preview = worker.PreviewAlways }, worker.CodePlaced},
		"never": {9999, func(q *worker.Request) {
			q.Preview, q.MaxTotal, q.PriceTolerance, q.Lines[0].UnitPrice = worker.PreviewNever, 1, "0", 1
		}, worker.CodePlaced},
		"silent": {9999, func(q *worker.Request) { q.Lines[0].UnitPrice = 1 }, worker.CodePlaced}, // the pool asks for no preview
	} {
		before := r.key(rigKeys[0])
		r.must(r.sim.SetPrice(r.offers[offer].OfferID, c.now))
		q := r.request(name, offer)
		c.edit(&q)
		r.ask(q)
		result := r.result(name)
		if result.Code != c.code {
			t.Errorf("%s: %+v", name, result)
		}
		if c.code == worker.CodePlaced {
			if orders := r.orders(name); len(orders) != 1 || r.key(rigKeys[0]).Used != before.Used+1 {
				t.Errorf("%s: %+v", name, orders)
			}
			continue
		}
		if len(result.Failed) != 1 || result.Failed[0].Code != c.code || result.Failed[0].Reason == "" || result.Outcome != worker.OutcomeRefused {
			t.Errorf("%s: %+v", name, result)
		}
		r.untouched(name, before)
	}
}

// TestAllOrdersOfARequestArePreviewedFirst: max_total is over all of them, and none is drawn for if they come to more. One that
// cannot be ordered does not keep the others from it.
func TestAllOrdersOfARequestArePreviewedFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	var made atomic.Int64
	r.work(r.seen(&made))
	a, b := r.apart()
	sum := r.total(a) + r.total(b)
	q := r.request("over", a, b)
	q.MaxTotal = sum - 1
	r.ask(q)
	if result := r.result("over"); result.Code != worker.CodeOverBudget || len(result.Failed) != 2 || made.Load() != 2 {
		t.Errorf("%+v after %d previews", result, made.Load())
	}
	r.untouched("over", keypool.Info{AppKey: rigKeys[0]})
	q = r.request("within", a, b)
	q.MaxTotal = sum
	r.ask(q)
	if result := r.result("within"); result.Outcome != worker.OutcomePlaced || len(result.Orders) != 2 || len(r.orders("within")) != 2 {
		t.Errorf("%+v", result)
	}
	q = r.request("half", a, b)
	q.MaxTotal, q.Lines[0] = sum, r.notByAPI()
	q.Lines[0].Seller = "somebody else"
	r.ask(q)
	result := r.result("half")
	if result.Outcome != worker.OutcomePartial || len(result.Orders) != 1 || len(result.Failed) != 1 ||
		result.Failed[0].Line != 0 || result.Failed[0].Code != worker.CodeNotOrderable || len(r.orders("half")) != 1 {
		t.Errorf("%+v", result)
	}
}

// TestEveryShapeOfAPreview: several orders of one call, a line with a reason of its own, refusals, success as text.
func TestEveryShapeOfAPreview(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	for name, c := range map[string]struct {
		fault  sim1688.Fault
		code   worker.Code
		failed []worker.Code
	}{
		"split":        {sim1688.Fault{Kind: "order_list"}, worker.CodePlaced, nil},
		"text":         {sim1688.Fault{Kind: "text_success"}, worker.CodePlaced, nil},
		"refused":      {sim1688.Fault{Kind: "refuse", Code: "500_005"}, worker.CodeBelowMinimum, []worker.Code{worker.CodeBelowMinimum, worker.CodeBelowMinimum}},
		"line":         {sim1688.Fault{Kind: "partial", Code: "500_004"}, worker.CodeOutOfStock, []worker.Code{worker.CodeOutOfStock, worker.CodeOutOfStock}},
		"line-unknown": {sim1688.Fault{Kind: "partial", Code: "NEW_CODE"}, worker.CodePlaced, nil},
	} {
		before := r.key(rigKeys[0])
		c.fault.Operation, c.fault.Count = "preview", 1
		r.must(r.sim.Inject(c.fault))
		q := r.sameSeller(name, 2)
		q.Preview = worker.PreviewAlways
		r.ask(q)
		result := r.result(name)
		if result.Code != c.code || len(result.Failed) != len(c.failed) {
			t.Errorf("%s: %+v", name, result)
		}
		if c.code != worker.CodePlaced {
			r.untouched(name, before)
		}
	}
}

// TestAPreviewWithoutAnAnswerIsMadeAgain: it changes nothing at 1688, so that nothing is unknown after it. A key that is turned down
// is benched, and the next one asked with.
func TestAPreviewWithoutAnAnswerIsMadeAgain(t *testing.T) {
	t.Parallel()
	for kind, state := range map[string]keypool.State{
		"cut_before": keypool.StateActive, "cut_after": keypool.StateActive, "http_500": keypool.StateActive,
		"http_502_html": keypool.StateActive, "throttled": keypool.StateActive, "auth_401": keypool.StateBenched,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, processes(t))
			r.addKey(rigKeys[0], 1000)
			r.addKey(rigKeys[1], 1000)
			fault := sim1688.Fault{Operation: "preview", Kind: kind, AppKey: rigKeys[0], Count: 2}
			if state == keypool.StateBenched {
				fault.Count = 0 // a token that is turned down once is replaced by a new one
			}
			r.must(r.sim.Inject(fault))
			r.work()
			q := r.request("again", 0)
			q.Preview = worker.PreviewAlways
			r.ask(q)
			if result := r.result("again"); result.Outcome != worker.OutcomePlaced || result.Attempt < 2 || len(r.orders("again")) != 1 {
				t.Errorf("%+v", result)
			}
			if key := r.key(rigKeys[0]); key.State != state || key.Held != 0 {
				t.Errorf("%+v, want %s", key, state)
			}
		})
	}
}

// TestWhatMayHaveBeenSentIsNotPreviewedAgain: its redelivery looks the order up, whatever a preview would say by now.
func TestWhatMayHaveBeenSentIsNotPreviewedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	var made atomic.Int64
	inbox := make(hand)
	r.work(r.seen(&made), func(c *worker.Config, p *worker.Ports) { p.Inbox, c.LookFor = inbox, patience })
	r.must(r.sim.Inject(
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1},
		sim1688.Fault{Operation: "getBuyerOrderList", Kind: "http_500", Count: 1},
	))
	q := r.request("sent", 0)
	q.MaxTotal = r.total(0)
	published := time.Now()
	d, how := deliver(q, 1, published)
	inbox <- d
	if got := r.settled(how); got != "nak" {
		t.Fatalf("the first delivery ended with %s", got)
	}
	r.must(r.sim.SetPrice(r.offers[0].OfferID, 1_000_000))
	for attempt := 2; attempt <= 3; attempt++ {
		d, how = deliver(q, attempt, published)
		inbox <- d
		if got := r.settled(how); got != "ack" {
			t.Errorf("delivery %d ended with %s", attempt, got)
		}
	}
	if result := r.result("sent"); result.Outcome != worker.OutcomePlaced || len(r.orders("sent")) != 1 || made.Load() != 1 {
		t.Errorf("%+v, %d orders, %d previews", result, len(r.orders("sent")), made.Load())
	}
}

// TestARefusalByPreviewStands: its redelivery finds it, although the price is down again.
func TestARefusalByPreviewStands(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	var made atomic.Int64
	inbox := make(hand)
	r.work(r.seen(&made), func(_ *worker.Config, p *worker.Ports) { p.Inbox = inbox })
	q := r.request("refused", 0)
	q.MaxTotal = r.total(0) - 1
	for attempt := 1; attempt <= 3; attempt++ {
		d, how := deliver(q, attempt, time.Now())
		inbox <- d
		if got := r.settled(how); got != "ack" {
			t.Errorf("delivery %d ended with %s", attempt, got)
		}
		r.must(r.sim.SetPrice(r.offers[0].OfferID, 1))
	}
	if result := r.result("refused"); result.Code != worker.CodeOverBudget || made.Load() != 1 {
		t.Errorf("%+v after %d previews", result, made.Load())
	}
	r.untouched("refused", keypool.Info{AppKey: rigKeys[0]})
}

// TestAPoolAsksForPreviewsAboveASum, of the request's expected prices; one that is not known counts as above. What waits for room is
// previewed once there is some. The setting outlives the pool's loss.
func TestAPoolAsksForPreviewsAboveASum(t *testing.T) {
	t.Parallel()
	redis := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: redis.URL})
	r.addKey(rigKeys[0], 3)
	above := keypool.DefaultSettings
	above.Preview, above.PreviewAbove = worker.PreviewAbove, 10_000
	r.must(r.pool.Configure(r.ctx, "default", above, keypool.Change{}))
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	r.flushRedis(redis.Addr)
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	var made atomic.Int64
	r.work(r.seen(&made))
	for i, c := range []struct {
		id    string
		price worker.Fen
		made  int64
	}{{"at", 10_000, 0}, {"above", 10_001, 1}, {"unknown", 0, 2}, {"late", 10_001, 3}} {
		q := r.request(c.id, 0)
		q.Lines[0].UnitPrice = c.price
		r.ask(q)
		if i == 3 {
			r.until("its waiting for room", func(e worker.Event) bool { return e.Stage == worker.StageWaiting })
			r.addKey(rigKeys[1], 10)
		}
		if result := r.result(c.id); result.Outcome != worker.OutcomePlaced || made.Load() != c.made {
			t.Errorf("%s: %+v after %d previews, want %d", c.id, result, made.Load(), c.made)
		}
	}
}
