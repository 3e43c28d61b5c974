package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// merging sets a worker to buy together what comes within a window.
func merging(window time.Duration) func(*worker.Config, *worker.Ports) {
	return func(c *worker.Config, _ *worker.Ports) { c.MergeWindow = window }
}

// wish is a request for some SKUs of an offer that may be bought together with others.
func (r *rig) wish(id string, offer sim1688.Offer, skus ...int) worker.Request {
	q := r.request(id)
	q.Merge, q.Lines = true, linesOf(offer, skus...)
	return q
}

// bought is how much of a SKU was ordered, in all orders together.
func (r *rig) bought(offer sim1688.Offer, sku int) (n int64) {
	for _, order := range r.sim.Orders(sim1688.OrderFilter{}) {
		for _, line := range order.Lines {
			if line.SpecID == offer.SpecIDs[sku] {
				n += line.Quantity
			}
		}
	}
	return n
}

// honest wants a placed result of a request for one of a SKU, which was bought once, by the order that the result names.
func (r *rig) honest(id string, offer sim1688.Offer, sku int) worker.Result {
	r.t.Helper()
	result := r.result(id)
	orders := result.Orders
	if result.MergedInto != "" {
		orders = result.MergedOrders
	}
	if result.Outcome != worker.OutcomePlaced || len(orders) != 1 || orders[0].Products != 1 {
		r.t.Fatalf("%+v", result)
	}
	for _, order := range r.sim.Orders(sim1688.OrderFilter{}) {
		for _, line := range order.Lines {
			if line.SpecID == offer.SpecIDs[sku] && order.OrderID != orders[0].OrderID {
				r.t.Fatalf("%s is %s by its result, and %s at 1688", id, orders[0].OrderID, order.OrderID)
			}
		}
	}
	if n := r.bought(offer, sku); n != 1 {
		r.t.Fatalf("%s was bought %d times", id, n)
	}
	return result
}

// TestSeveralRequestsAreOneOrder: each has its own result, whose parts add up, and the order counts once.
func TestSeveralRequestsAreOneOrder(t *testing.T) {
	t.Parallel()
	offer := sundries(8)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	r.ask(r.wish("a", offer, 0))
	r.ask(r.wish("b", offer, 1))
	r.ask(r.wish("c", offer, 2))
	alone := r.wish("d", offer, 3)
	alone.Merge = false
	r.ask(alone)
	r.work(merging(300 * time.Millisecond))
	var postage, discount, total worker.Fen
	into := ""
	for sku, id := range []string{"a", "b", "c"} {
		result := r.honest(id, offer, sku)
		if into == "" {
			into = result.MergedInto
		}
		part := result.MergedOrders[0]
		postage, discount, total = postage+part.Postage, discount+part.Discount, total+part.Total
		if result.MergedInto != into || into == "" || result.Products != 0 || len(part.Shares) != 1 || part.OutOrderID != "acme."+into+"-1" {
			t.Errorf("%+v", result)
		}
	}
	whole := r.result(into)
	if len(whole.Orders) != 1 || whole.Products != 3 || whole.Orders[0].Postage != postage || whole.Orders[0].Discount != discount || whole.Orders[0].Total != total || postage != 700 {
		t.Errorf("%d, %d and %d of %+v", total, postage, discount, whole)
	}
	if result := r.honest("d", offer, 3); result.MergedInto != "" {
		t.Errorf("%+v", result)
	}
	r.settledBooks(0, rigKeys[0])
	answer := r.cancel("a", "")
	if answer.All() || answer.Outcome != worker.OutcomePlaced || !strings.Contains(answer.Orders[0].Reason, into) {
		t.Errorf("%+v", answer)
	}
	bound, err := r.binder().Bind(r.ctx, worker.Binding{Tenant: "acme", RequestID: "a", OrderID: r.visit(1, 0), By: "li", Force: true})
	if invalid := (*worker.Invalid)(nil); !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, into) {
		t.Errorf("%+v, %v", bound, err)
	}
}

// TestHeldRequestsAreBoughtTogether: once their time has come, which what buys them does not wait for again.
func TestHeldRequestsAreBoughtTogether(t *testing.T) {
	t.Parallel()
	offer := sundries(2)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	r.must(r.bus.HandOutDue(r.ctx))
	r.work(merging(time.Second), func(_ *worker.Config, p *worker.Ports) { p.Shelf = r.bus })
	for sku, id := range []string{"a", "b"} {
		q := r.wish(id, offer, sku)
		q.HoldFor = time.Second
		r.ask(q)
	}
	into := r.honest("a", offer, 0).MergedInto
	if result := r.honest("b", offer, 1); into == "" || result.MergedInto != into {
		t.Errorf("%q and %+v", into, result)
	}
	if orders := r.sim.Orders(sim1688.OrderFilter{}); len(orders) != 1 || len(orders[0].Lines) != 2 {
		t.Errorf("%+v", orders)
	}
}

// TestAWholeDecidesItsMembers: an order without an answer leaves all of them unknown, of which a person decides at once; one that is
// refused refuses them all, and one that is taken back takes them all back.
func TestAWholeDecidesItsMembers(t *testing.T) {
	t.Parallel()
	offer := sundries(8)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	var shut atomic.Bool
	asked := make(chan struct{}, 1)
	r.work(merging(300*time.Millisecond), func(_ *worker.Config, p *worker.Ports) { p.Ledger = shutting{p.Ledger, &shut, asked} })
	both := func(first, second string, sku int) (into string) {
		r.ask(r.wish(first, offer, sku))
		r.ask(r.wish(second, offer, sku+1))
		into = r.result(first).MergedInto
		if into == "" || r.result(second).MergedInto != into {
			t.Fatalf("%+v and %+v", r.result(first), r.result(second))
		}
		return into
	}
	latest := func(id string) worker.Result {
		result, _, err := r.bus.Result(r.ctx, "acme", id)
		r.must(err)
		return result
	}
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: 1}))
	into := both("a", "b", 0)
	if got := latest("a"); got.Outcome != worker.OutcomeUnknown || len(got.Unknown) != 0 || r.listed() != 1 {
		t.Errorf("%+v, %d are parked", got, r.listed())
	}
	r.refuse(worker.Resolution{RequestID: "a"}, "request_id", into)
	r.resolve(worker.Resolution{RequestID: into})
	for _, id := range []string{"a", "b"} {
		if got := latest(id); got.Outcome != worker.OutcomeRefused || len(got.Failed) != 1 || got.Failed[0].Line != 0 {
			t.Errorf("%+v", got)
		}
	}
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Count: 1}))
	both("c", "d", 2)
	if got := latest("d"); got.Outcome != worker.OutcomeRefused || got.Failed[0].SpecID != offer.SpecIDs[3] {
		t.Errorf("%+v", got)
	}
	if _, err := r.retry(latest("d").MergedInto); err == nil || !strings.Contains(err.Error(), "c, d") {
		t.Errorf("the whole is asked for again: %v", err)
	}
	r.settledBooks(0, rigKeys[0])
	shut.Store(true)
	r.ask(r.wish("e", offer, 4))
	r.ask(r.wish("f", offer, 5))
	<-asked
	mark, _, err := r.bus.Marked(r.ctx, "acme", "e")
	r.must(err)
	into = mark.Into
	r.cancelled(into)
	shut.Store(false)
	for _, id := range []string{"e", "f"} {
		if got := r.result(id); got.Outcome != worker.OutcomeCancelled || got.MergedInto != into {
			t.Errorf("%+v", got)
		}
	}
	r.never(into, "e", "f")
}

// shutting is a ledger that draws nothing while it is shut, and says when it is to.
type shutting struct {
	worker.Ledger
	shut  *atomic.Bool
	asked chan struct{}
}

func (s shutting) Draw(ctx context.Context, draw *worker.Draw) (*worker.Claim, error) {
	if !s.shut.Load() {
		return s.Ledger.Draw(ctx, draw)
	}
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return nil, &worker.Trouble{Code: worker.CodeFenced, Reason: "shut"}
}

// halting is what the broker keeps of merged requests, with a test in between.
type halting struct {
	worker.Merges
	before func(what, id string) error
	asked  func() error // once it is on record
}

func (h *halting) at(what, id string) error {
	if h.before == nil {
		return nil
	}
	return h.before(what, id)
}

func (h *halting) Marked(ctx context.Context, tenant, id string) (worker.Mark, bool, error) {
	if err := h.at("marked", id); err != nil {
		return worker.Mark{}, false, err
	}
	return h.Merges.Marked(ctx, tenant, id)
}

func (h *halting) Mark(ctx context.Context, tenant, id string, mark worker.Mark) (worker.Mark, error) {
	if err := h.at("mark", id); err != nil {
		return worker.Mark{}, err
	}
	return h.Merges.Mark(ctx, tenant, id, mark)
}

func (h *halting) AskMerged(ctx context.Context, request worker.Request) error {
	err := h.at("ask", request.ID)
	if err == nil {
		err = h.Merges.AskMerged(ctx, request)
	}
	if err == nil && h.asked != nil {
		err = h.asked()
	}
	return err
}

// mortal is a worker that dies before its n-th step: from there on it does nothing at all.
type mortal struct {
	left atomic.Int64
}

func (m *mortal) step() error {
	if m.left.Add(-1) >= 0 {
		return nil
	}
	return &worker.Trouble{Code: worker.CodeInternal, Reason: "dead", After: time.Millisecond}
}

func (m *mortal) into(_ *worker.Config, p *worker.Ports) {
	merges := &halting{Merges: p.Merges, before: func(string, string) error { return m.step() }}
	told, _ := p.Outbox.(worker.MergedOutbox)
	p.Merges, p.Undrawn, p.Ledger, p.Inbox = merges, mortalUndrawn{p.Undrawn, m}, mortalLedger{p.Ledger, m}, mortalInbox{p.Inbox, m}
	p.Outbox = worker.MergedOutbox{Outbox: mortalOutbox{told.Outbox, m}, Merges: merges}
}

type mortalUndrawn struct {
	worker.Undrawn
	*mortal
}

func (u mortalUndrawn) Refuse(ctx context.Context, draw worker.Draw, part worker.Part) (worker.Claim, error) {
	if err := u.step(); err != nil {
		return worker.Claim{}, err
	}
	return u.Undrawn.Refuse(ctx, draw, part)
}

type mortalLedger struct {
	worker.Ledger
	*mortal
}

func (l mortalLedger) Draw(ctx context.Context, draw *worker.Draw) (*worker.Claim, error) {
	if err := l.step(); err != nil {
		return nil, err
	}
	return l.Ledger.Draw(ctx, draw)
}

func (l mortalLedger) Settle(ctx context.Context, claim *worker.Claim, part *worker.Part, size worker.Size) error {
	if err := l.step(); err != nil {
		return err
	}
	return l.Ledger.Settle(ctx, claim, part, size)
}

type mortalOutbox struct {
	worker.Outbox
	*mortal
}

func (o mortalOutbox) Publish(ctx context.Context, result worker.Result) error {
	if err := o.step(); err != nil {
		return err
	}
	return o.Outbox.Publish(ctx, result)
}

type mortalInbox struct {
	worker.Inbox
	*mortal
}

func (i mortalInbox) Next(ctx context.Context) (*worker.Delivery, error) {
	d, err := i.Inbox.Next(ctx)
	if err == nil {
		d.Receipt = mortalReceipt{d.Receipt, i.mortal}
	}
	return d, err
}

type mortalReceipt struct {
	worker.Receipt
	*mortal
}

func (r mortalReceipt) Ack(ctx context.Context) error {
	if err := r.step(); err != nil {
		return err
	}
	return r.Receipt.Ack(ctx)
}

// TestAMergerDiesBeforeEveryStep, and another worker takes over: each member is bought once, and its result says with which order.
func TestAMergerDiesBeforeEveryStep(t *testing.T) {
	t.Parallel()
	const most = 60
	offer := sundries(2 * most)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	together := 0
	for n := range most {
		m := &mortal{}
		m.left.Store(int64(n))
		a, b := fmt.Sprint("a", n), fmt.Sprint("b", n)
		r.ask(r.wish(a, offer, 2*n))
		r.ask(r.wish(b, offer, 2*n+1))
		stop := r.work(merging(50*time.Millisecond), m.into)
		r.awaits("its end", func() bool {
			depth, err := r.bus.Depth(r.ctx)
			return err == nil && depth.Waiting == 0 && depth.InFlight == 0 || m.left.Load() < 0
		})
		stop()
		heir := r.work(merging(50 * time.Millisecond))
		one, other := r.honest(a, offer, 2*n), r.honest(b, offer, 2*n+1)
		r.never()
		heir()
		if one.MergedInto != other.MergedInto {
			t.Errorf("before step %d: %+v and %+v", n, one, other)
		}
		if one.MergedInto != "" {
			together++
		}
		if m.left.Load() >= 0 {
			r.settledBooks(0, rigKeys[0])
			if together < n/2 {
				t.Errorf("only %d of %d were bought together", together, n)
			}
			return
		}
	}
	t.Errorf("it still dies before step %d", most)
}

// TestMergersAtOnce: of several workers each gathers what it has in hand. Each request is bought once.
func TestMergersAtOnce(t *testing.T) {
	t.Parallel()
	const requests = 24
	offer := sundries(requests)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	for range 3 {
		r.work(merging(100 * time.Millisecond))
	}
	for n := range requests {
		r.ask(r.wish(fmt.Sprint("r", n), offer, n))
	}
	for n := range requests {
		r.honest(fmt.Sprint("r", n), offer, n)
	}
	r.never()
	r.settledBooks(0, rigKeys[0])
	if orders := len(r.sim.Orders(sim1688.OrderFilter{})); orders >= requests {
		t.Errorf("%d requests were bought with %d orders", requests, orders)
	}
}

// TestACancellationRacesTheMarks: whoever marks a request first wins, whether the other comes before it or behind.
func TestACancellationRacesTheMarks(t *testing.T) {
	t.Parallel()
	const rounds = 6
	offer := sundries(3 * rounds)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	var turn atomic.Pointer[func(what, id string)]
	r.work(merging(150*time.Millisecond), func(_ *worker.Config, p *worker.Ports) {
		p.Merges = &halting{Merges: p.Merges, before: func(what, id string) error {
			(*turn.Load())(what, id)
			return nil
		}}
	})
	for n := range rounds {
		ids := []string{fmt.Sprint("a", n), fmt.Sprint("b", n), fmt.Sprint("c", n)}
		victim := ids[n%3]
		var once sync.Once
		answers := make(chan worker.Cancelled, 1)
		cancel := func(what, id string) {
			if what == "mark" && id == victim && n < 3 || what == "ask" && n >= 3 {
				once.Do(func() { answers <- r.cancel(victim, "") })
			}
		}
		turn.Store(&cancel)
		for i, id := range ids {
			r.ask(r.wish(id, offer, 3*n+i))
		}
		for i, id := range ids {
			if id == victim && n < 3 {
				if result := r.result(id); result.Outcome != worker.OutcomeCancelled || result.MergedInto != "" || r.bought(offer, 3*n+i) != 0 {
					t.Errorf("round %d: %+v", n, result)
				}
				continue
			}
			if result := r.honest(id, offer, 3*n+i); result.MergedInto == "" {
				t.Errorf("round %d: %+v", n, result)
			}
		}
		if answer := <-answers; answer.All() != (n < 3) || len(answer.Orders) != 1 {
			t.Errorf("round %d: %+v", n, answer)
		}
	}
	r.settledBooks(0, rigKeys[0])
}

// TestFlushBetweenTheMarksAndTheOrder: Redis loses all before what was marked is asked for, and again once it was.
func TestFlushBetweenTheMarksAndTheOrder(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			offer := sundries(2)
			servers := workertest.Redis(t)
			r := newRigSelling(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL}, &door{}, offer)
			r.addKey(rigKeys[0], 1000)
			var once sync.Once
			flush := func() (err error) {
				once.Do(func() {
					options, bad := redis.ParseURL(servers.URL)
					r.must(bad)
					c := redis.NewClient(options)
					r.must(c.FlushAll(r.ctx).Err())
					r.must(c.Close())
					err = &worker.Trouble{Code: worker.CodeInternal, Reason: "and it dies", After: time.Millisecond}
				})
				return err
			}
			r.work(merging(100*time.Millisecond), func(_ *worker.Config, p *worker.Ports) {
				h := &halting{Merges: p.Merges}
				if when == "after" {
					h.asked = flush
				} else {
					h.before = func(what, _ string) error {
						if what == "ask" {
							return flush()
						}
						return nil
					}
				}
				p.Merges = h
			})
			r.ask(r.wish("a", offer, 0))
			r.ask(r.wish("b", offer, 1))
			if a, b := r.honest("a", offer, 0), r.honest("b", offer, 1); a.MergedInto == "" || a.MergedInto != b.MergedInto {
				t.Errorf("%+v and %+v", a, b)
			}
			r.never()
			r.settledBooks(0, rigKeys[0])
		})
	}
}

// TestAMemberIsAskedForAgain: another request under a member's id is a conflict, and the same one is the same.
func TestAMemberIsAskedForAgain(t *testing.T) {
	t.Parallel()
	offer := sundries(3)
	stack := processes(t)
	r := newRigSelling(t, stack, &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	r.ask(r.wish("a", offer, 0))
	r.ask(r.wish("b", offer, 1))
	stop := r.work(merging(200 * time.Millisecond))
	into := r.honest("a", offer, 0).MergedInto
	r.honest("b", offer, 1)
	r.never()
	stop()
	conn, err := nats.Connect(stack.NATS)
	r.must(err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	r.must(err)
	stream, err := js.Stream(r.ctx, "PURCHASE_REQUESTS")
	r.must(err)
	r.must(stream.Purge(r.ctx)) // their ids are free again
	r.ask(r.wish("a", offer, 0))
	r.ask(r.wish("b", offer, 2))
	r.work()
	r.until("both to be handled", func(e worker.Event) bool { return e.RequestID == "b" && e.Code == worker.CodeConflict })
	r.never()
	if r.bought(offer, 0) != 1 || r.bought(offer, 1) != 1 || r.bought(offer, 2) != 0 {
		t.Errorf("%d, %d and %d were bought", r.bought(offer, 0), r.bought(offer, 1), r.bought(offer, 2))
	}
	if got, _, err := r.bus.Result(r.ctx, "acme", "a"); err != nil || got.MergedInto != into || got.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v, %v", got, err)
	}
}
