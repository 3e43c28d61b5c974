package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// binder is wired as the program's own is.
func (r *rig) binder(change ...func(*worker.Binder)) *worker.Binder {
	b := &worker.Binder{Resolver: *r.resolver(), Books: r.client, Holders: r.pool, Bindings: r.pool, Register: r.bus.Register()}
	for _, c := range change {
		c(b)
	}
	return b
}

// visit makes an order on the website as the buyer of the rig's keys: so many of each of the plain offers named by number.
func (r *rig) visit(quantity int64, offers ...int) string {
	return r.visitAs("buyer", quantity, offers...)
}

func (r *rig) visitAs(member string, quantity int64, offers ...int) string {
	r.t.Helper()
	v := sim1688.Visit{Member: member}
	for _, n := range offers {
		v.Lines = append(v.Lines, sim1688.Line{OfferID: r.offers[n].OfferID, SpecID: r.offers[n].SpecIDs[0], Quantity: quantity})
	}
	order, err := r.sim.Visit(v)
	r.must(err)
	return order.OrderID
}

// bind takes a word and gives what came of it.
func (r *rig) bind(id, order string, force ...bool) worker.Bound {
	r.t.Helper()
	bound, err := r.binder().Bind(r.ctx, r.word(id, order, force...))
	r.must(err)
	return bound
}

func (r *rig) word(id, order string, force ...bool) worker.Binding {
	return worker.Binding{Tenant: "acme", RequestID: id, OrderID: order, Force: len(force) > 0, By: "li", Why: "bought by hand"}
}

// bindsNot takes a word that must be refused with a reason that names the field.
func (r *rig) bindsNot(w worker.Binding, field, reason string) {
	r.t.Helper()
	bound, err := r.binder().Bind(r.ctx, w)
	if invalid, ok := errors.AsType[*worker.Invalid](err); !ok || invalid.Field != field || !strings.Contains(invalid.Reason, reason) {
		r.t.Errorf("%+v: %+v, %v, want %s: …%s…", w, bound, err, field, reason)
	}
}

// placedAs says whether the result on record names that order alone.
func (r *rig) placedAs(id, order string) {
	r.t.Helper()
	result, _, err := r.bus.Result(r.ctx, "acme", id)
	if err != nil || result.Outcome != worker.OutcomePlaced || len(result.Orders) != 1 || result.Orders[0].OrderID != order {
		r.t.Errorf("%s: %+v, %v, want order %s", id, result, err, order)
	}
}

func TestBindWhatIsParked(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	r.park("lost", 1, 0)
	r.bindsNot(r.word("never", "1"), "request_id", "no request that is on record")
	r.bindsNot(r.word("lost", "1"), "order_id", "is no order that 1688 shows to the buyer account of app key 1000001")
	r.bindsNot(r.word("lost", r.visitAs("somebody", 1, 0)), "order_id", "is no order that 1688 shows")
	r.books(0, 1)
	order := r.visit(1, 0)
	dry := r.word("lost", order)
	dry.DryRun = true
	if bound, err := r.binder().Bind(r.ctx, dry); err != nil || bound.Bound || len(bound.Differences) != 0 || bound.Order.Total == 0 || bound.Before != worker.ClaimUnknown {
		t.Errorf("%+v, %v", bound, err)
	}
	r.books(0, 1)
	for i := range 2 {
		if bound := r.bind("lost", order); !bound.Bound || bound.New != (i == 0) || bound.Outcome != worker.OutcomePlaced || bound.AppKey != "1000001" {
			t.Errorf("%+v", bound)
		}
		r.placedAs("lost", order)
		r.books(1, 0)
	}
	if r.listed() != 0 {
		t.Errorf("%d still parked", r.listed())
	}
	r.until("the binding", func(e worker.Event) bool { return e.Stage == worker.StageBound && e.Reference == "acme.lost-1" })
	course, err := r.bus.Outbox().Course(r.ctx, "acme", "lost")
	if stands, known := course.Order(order); err != nil || !known || stands.State != worker.StateOrdered || stands.OutOrderID != "acme.lost-1" {
		t.Errorf("%+v, %v", stands, err)
	}
	r.bindsNot(r.word("lost", r.visit(1, 0), true), "order_id", "is not bound: acme.lost-1 is placed as order "+order)
}

// TestBindWhatDiffers: differences are told, nothing changes without force, and by force what the order lacks is not bought.
func TestBindWhatDiffers(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	a, b := r.together()
	q := r.request("differs", a, b)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: 1}))
	r.ask(q)
	r.result("differs")
	for _, c := range []struct {
		order string
		want  []string
	}{
		{r.visit(3, a, b), []string{"it holds 3 of offer " + r.offers[a].OfferID, "it holds 3 of offer " + r.offers[b].OfferID}},
		{r.visit(1, a), []string{"it lacks offer " + r.offers[b].OfferID}},
		{r.made(-48*time.Hour, "another-app", a, b), []string{"it was made by an app, as another-app", "before the request was published"}},
	} {
		bound := r.bind("differs", c.order)
		if bound.Bound || len(bound.Differences) != len(c.want) {
			t.Errorf("%+v, want %v", bound, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(bound.Differences[i], want) {
				t.Errorf("%q, want …%s…", bound.Differences[i], want)
			}
		}
	}
	r.books(0, 2)
	lacks := r.visit(1, a)
	if bound := r.bind("differs", lacks, true); !bound.New || bound.Outcome != worker.OutcomePartial || len(bound.Differences) != 1 {
		t.Errorf("%+v", bound)
	}
	result, _, err := r.bus.Result(r.ctx, "acme", "differs")
	if err != nil || len(result.Orders) != 1 || len(result.Failed) != 1 || result.Failed[0].Line != 1 || !strings.Contains(result.Reason, "bound by li") {
		t.Errorf("%+v, %v", result, err)
	}
	r.books(1, 0)
}

// together gives two offers of one seller: they are one order.
func (r *rig) together() (int, int) {
	for i := range r.offers {
		if i > 0 && r.offers[i].Seller == r.offers[0].Seller {
			return 0, i
		}
	}
	r.t.Fatal("no seller has two")
	return 0, 0
}

// made is an order that was made so long ago, or by an app under another reference.
func (r *rig) made(ago time.Duration, reference string, offers ...int) string {
	r.t.Helper()
	v := sim1688.Visit{Member: "buyer", OutOrderID: reference, MadeAt: time.Now().Add(ago)}
	for _, n := range offers {
		v.Lines = append(v.Lines, sim1688.Line{OfferID: r.offers[n].OfferID, SpecID: r.offers[n].SpecIDs[0], Quantity: 1})
	}
	order, err := r.sim.Visit(v)
	r.must(err)
	return order.OrderID
}

// TestBindWhatWaits: nobody has taken the request yet. Once an order is bound to it no worker sends it.
func TestBindWhatWaits(t *testing.T) {
	r := newRig(t, processes(t))
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	r.addKeyOf("1000001", "buyer")
	r.addKeyOf("1000002", "buyer")
	r.ask(r.request("waits", 0))
	order := r.visit(1, 0)
	other := r.request("another's", 0)
	other.Account = "somebody"
	r.ask(other)
	r.bindsNot(r.word("another's", order), "order_id", "is no order that 1688 shows to the buyer account somebody")
	if bound := r.bind("waits", order); !bound.New || bound.Before != "" || bound.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", bound)
	}
	r.placedAs("waits", order)
	r.books(1, 0)
	r.work()
	r.ask(r.request("healthy", 0))
	r.result("healthy") // by then the first one has been handled, or is in good hands
	r.until("the end of the first", func(e worker.Event) bool { return e.Stage == worker.StageFinished && e.RequestID == "waits" })
	if sent := r.orders("waits"); len(sent) != 0 {
		t.Errorf("sent all the same: %+v", sent)
	}
	r.placedAs("waits", order)
	if key := r.key("1000001"); key.Used+key.Held != 2 {
		t.Errorf("%+v", key)
	}
}

// TestBindWhatEnded: refused, cancelled, and the refused one of two orders. Quota is counted, also by a pool that is rebuilt.
func TestBindWhatEnded(t *testing.T) {
	redis := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: redis.URL})
	r.addKey("1000001", 1000)
	r.work()
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Count: 1}))
	r.ask(r.request("refused", 0))
	r.result("refused")
	a, b := r.apart()
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Count: 1}))
	r.ask(r.request("partial", a, b))
	if result := r.result("partial"); result.Outcome != worker.OutcomePartial {
		t.Fatalf("%+v", result)
	}
	late := r.request("cancelled", 0)
	late.Deadline = time.Now().Add(-time.Hour)
	r.ask(late)
	r.result("cancelled")
	r.books(1, 0)
	refused, cancelled := r.visit(1, 0), r.visit(1, 0)
	if bound := r.bind("refused", refused); !bound.New || bound.Before != worker.ClaimRefused || bound.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", bound)
	}
	r.placedAs("refused", refused)
	if bound := r.bind("cancelled", cancelled); !bound.New || bound.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", bound)
	}
	r.placedAs("cancelled", cancelled)
	r.bindsNot(r.word("partial", refused), "order_id", "is bound to acme.refused-1 by li: unbind it first")
	result, _, err := r.bus.Result(r.ctx, "acme", "partial")
	r.must(err)
	r.bindsNot(r.word("refused", result.Orders[0].OrderID, true), "order_id", "is not bound: acme.refused-1 is placed as order "+refused)
	other := r.visit(1, map[bool]int{true: a, false: b}[result.Failed[0].Line == 0])
	if bound := r.bind("partial", other); !bound.New || bound.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", bound)
	}
	r.books(4, 0)
	r.statesAsBooked()
	r.flushRedis(redis.Addr)
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	r.books(4, 0)
	if bound := r.bind("partial", other); !bound.Bound || bound.New {
		t.Errorf("bound again after the ledger was lost: %+v", bound)
	}
	r.books(4, 0)
}

// TestBindWhileItIsPlaced: without force a person must wait. By force the bound order stands, and the other one is told of.
func TestBindWhileItIsPlaced(t *testing.T) {
	sending, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r := newRigWithDoor(t, processes(t), &door{around: func(place func() worker.Answer) worker.Answer {
		once.Do(func() { close(sending) })
		<-goOn
		return place()
	}})
	r.addKey("1000001", 1000)
	r.work()
	r.ask(r.request("placing", 0))
	<-sending
	order := r.visit(1, 0)
	bound := r.bind("placing", order)
	if bound.Bound || bound.Before != worker.ClaimSent || len(bound.Differences) != 1 || !strings.Contains(bound.Differences[0], "may still make an order") {
		t.Errorf("%+v", bound)
	}
	r.books(0, 1)
	if bound := r.bind("placing", order, true); !bound.New {
		t.Errorf("%+v", bound)
	}
	r.books(1, 0)
	close(goOn)
	e := r.until("the alarm", func(e worker.Event) bool { return e.Stage == worker.StageDiffers })
	if !strings.Contains(e.Reason, order) || len(r.orders("placing")) != 1 {
		t.Errorf("%+v, 1688 has %+v", e, r.orders("placing"))
	}
	r.placedAs("placing", order)
	r.deadLetters(1)
	r.books(1, 0)
}

// TestBindOneOfOurs: an order that was made for another request stays with it.
func TestBindOneOfOurs(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	r.ask(r.request("healthy", 0))
	theirs := r.result("healthy").Orders[0].OrderID
	r.park("lost", 1, 0)
	r.bindsNot(r.word("lost", theirs, true), "order_id", "is the order of acme.healthy-1")
	if bound := r.bind("healthy", theirs); !bound.Bound || bound.New {
		t.Errorf("%+v", bound)
	}
	if _, err := r.binder().Unbind(r.ctx, worker.Unbinding{OrderID: theirs, By: "li"}); err == nil {
		t.Error("what 1688 said was unbound")
	}
	r.books(1, 1)
}

// TestBindRaces: one order and two requests, and one request and two orders, all at once: one bond each, and all products counted once.
func TestBindRaces(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	const many = 4
	for i := range many {
		r.park(fmt.Sprint("lost", i), 1, 0)
	}
	race := func(word func(int) worker.Binding) (won int) {
		var racing sync.WaitGroup
		results := make(chan bool, many)
		for i := range many {
			racing.Go(func() {
				bound, err := r.binder().Bind(r.ctx, word(i))
				_, invalid := errors.AsType[*worker.Invalid](err)
				if err != nil && !invalid {
					t.Errorf("%v", err)
				}
				results <- err == nil && bound.Bound
			})
		}
		racing.Wait()
		close(results)
		for ok := range results {
			if ok {
				won++
			}
		}
		return won
	}
	one := r.visit(1, 0)
	if won := race(func(i int) worker.Binding { return r.word(fmt.Sprint("lost", i), one) }); won != 1 {
		t.Errorf("one order was bound to %d requests", won)
	}
	r.books(1, many-1)
	open := ""
	for i := range many {
		if result, _, err := r.bus.Result(r.ctx, "acme", fmt.Sprint("lost", i)); err == nil && result.Outcome == worker.OutcomeUnknown {
			open = result.RequestID
		}
	}
	orders := []string{r.visit(1, 0), r.visit(1, 0), r.visit(1, 0), r.visit(1, 0)}
	if won := race(func(i int) worker.Binding { return r.word(open, orders[i]) }); won != 1 {
		t.Errorf("%d orders were bound to one request", won)
	}
	r.books(2, many-2)
	result, _, err := r.bus.Result(r.ctx, "acme", open)
	if err != nil || len(result.Orders) != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}

// broken are ports of which one step fails, before or after it had its effect.
type broken struct {
	worker.Register
	worker.Bindings
	worker.Ledger
	worker.Outbox
	at    string
	after bool
}

var errBroken = &worker.Trouble{Code: worker.CodeNATSDown, Reason: "cut off"}

func cutting[T any](b *broken, name string, do func() (T, error)) (value T, err error) {
	if b.at == name && !b.after {
		return value, errBroken
	}
	if value, err = do(); b.at == name && err == nil {
		err = errBroken
	}
	return value, err
}

func cut0(b *broken, name string, do func() error) error {
	_, err := cutting(b, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (b *broken) Enter(ctx context.Context, d worker.Deed) (uint64, error) {
	return cutting(b, "enter "+string(d.What), func() (uint64, error) { return b.Register.Enter(ctx, d) })
}

func (b *broken) Keep(ctx context.Context, d worker.Deed) error {
	return cut0(b, "keep", func() error { return b.Register.Keep(ctx, d) })
}

func (b *broken) PublishStatus(ctx context.Context, s worker.Status) error {
	return cut0(b, "status", func() error { return b.Register.PublishStatus(ctx, s) })
}

func (b *broken) Bind(ctx context.Context, bond worker.Bonding) (worker.Claim, error) {
	return cutting(b, "bind", func() (worker.Claim, error) { return b.Bindings.Bind(ctx, bond) })
}

func (b *broken) Unbind(ctx context.Context, seen worker.Claim, part worker.Part) (worker.Claim, error) {
	return cutting(b, "unbind", func() (worker.Claim, error) { return b.Bindings.Unbind(ctx, seen, part) })
}

func (b *broken) Settle(ctx context.Context, c *worker.Claim, p *worker.Part, s worker.Size) error {
	return cut0(b, "bind", func() error { return b.Ledger.Settle(ctx, c, p, s) })
}

func (b *broken) Publish(ctx context.Context, result worker.Result) error {
	return cut0(b, "publish", func() error { return b.Outbox.Publish(ctx, result) })
}

// TestBindCutOff: who binds, or unbinds, dies before or after each step. The same word, said again, ends it, and everything is there once.
func TestBindCutOff(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000003", 10_000)
	r.work()
	cutOff := func(at string, after bool) *worker.Binder {
		return r.binder(func(b *worker.Binder) {
			cut := &broken{Register: b.Register, Bindings: b.Bindings, Ledger: b.Ledger, Outbox: b.Outbox, at: at, after: after}
			b.Register, b.Bindings, b.Ledger, b.Outbox = cut, cut, cut, cut
		})
	}
	used := int64(0)
	n := 0
	for _, how := range []string{"refuse", "cut_before"} {
		for _, after := range []bool{false, true} {
			for _, at := range []string{"enter bound", "bind", "publish", "status", "keep"} {
				n++
				id := fmt.Sprint("cut", n)
				r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: how, Count: 1}))
				r.ask(r.request(id, 0))
				r.result(id)
				order := r.visit(1, 0)
				if _, err := cutOff(at, after).Bind(r.ctx, r.word(id, order)); !errors.Is(err, errBroken) {
					t.Errorf("%s: %v", at, err)
				}
				if bound := r.bind(id, order); !bound.Bound {
					t.Errorf("%s %s: %+v", how, at, bound)
				}
				used++
				r.placedAs(id, order)
				if key := r.key("1000003"); key.Used != used || key.Held != 0 {
					t.Fatalf("%s after %v: %+v, want %d used", at, after, key, used)
				}
			}
			for _, at := range []string{"unbind", "publish", "keep", "enter unbound"} {
				n++
				id := fmt.Sprint("cut", n)
				r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: how, Count: 1}))
				r.ask(r.request(id, 0))
				r.result(id)
				order := r.visit(1, 0)
				r.bind(id, order)
				used++
				word := worker.Unbinding{OrderID: order, By: "li"}
				if _, err := cutOff(at, after).Unbind(r.ctx, word); !errors.Is(err, errBroken) {
					t.Errorf("%s: %v", at, err)
				}
				if at != "enter unbound" || !after {
					if _, err := r.binder().Unbind(r.ctx, word); err != nil {
						t.Errorf("%s: %v", at, err)
					}
				}
				if result, _, err := r.bus.Result(r.ctx, "acme", id); err != nil || result.Outcome != worker.OutcomeUnknown || len(result.Orders) != 0 {
					t.Errorf("%s: %+v, %v", at, result, err)
				}
				if key := r.key("1000003"); key.Used != used || key.Held != 0 {
					t.Fatalf("%s after %v: %+v, want %d used", at, after, key, used)
				}
			}
		}
	}
}

// TestUnbind: the order is free, the request is parked, and its products count once whatever is bound to it then.
func TestUnbind(t *testing.T) {
	redis := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: redis.URL})
	r.addKey("1000001", 1000)
	r.work()
	r.park("mine", 1, 0)
	r.park("theirs", 1, 0)
	wrong, right := r.visit(1, 0), r.visit(1, 0)
	r.bind("mine", wrong)
	r.bindsNot(r.word("theirs", wrong), "order_id", "is bound to acme.mine-1 by li")
	word := worker.Unbinding{OrderID: wrong, By: "wang", Why: "another customer's"}
	unbound, err := r.binder().Unbind(r.ctx, word)
	if err != nil || unbound.Reference != "acme.mine-1" || unbound.Outcome != worker.OutcomeUnknown || r.listed() != 2 {
		t.Errorf("%+v, %v, %d parked", unbound, err, r.listed())
	}
	r.books(1, 1)
	if _, err := r.binder().Unbind(r.ctx, word); err == nil {
		t.Error("unbound twice")
	}
	r.bind("theirs", wrong)
	r.bind("mine", right)
	r.placedAs("theirs", wrong)
	r.placedAs("mine", right)
	r.books(2, 0)
	if r.listed() != 0 {
		t.Errorf("%d parked", r.listed())
	}
	if _, err := r.binder().Unbind(r.ctx, worker.Unbinding{OrderID: right, By: "wang"}); err != nil {
		t.Error(err)
	}
	if result := r.resolve(worker.Resolution{RequestID: "mine"}); result.Outcome != worker.OutcomeRefused {
		t.Errorf("%+v", result)
	}
	r.books(2, 0)
	a, b := r.apart()
	r.park("two", 1, a, b)
	one := r.visit(1, a)
	r.bind("two", one)
	if _, err := r.binder().Unbind(r.ctx, worker.Unbinding{OrderID: one, By: "wang"}); err != nil {
		t.Error(err)
	}
	r.bind("two", one)
	r.books(4, 0)
	r.statesAsBooked()
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	r.flushRedis(redis.Addr)
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	r.books(4, 0)
}

// statesAsBooked says whether the key's statement adds up to what it has used.
func (r *rig) statesAsBooked() {
	r.t.Helper()
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	history := r.bus.History()
	s, err := worker.StatementOf("default", "1000001", history.Events(r.ctx, "default"), history.Results(r.ctx, "default"))
	if key := r.key("1000001"); err != nil || s.Used != key.Used {
		r.t.Errorf("stated %d, %v; booked %+v", s.Used, err, key)
	}
}

// TestResolvedIsBound: what a person said to be one request's order by resolving is bound to no other one, and the other way round.
func TestResolvedIsBound(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	for _, id := range []string{"one", "two", "three"} {
		r.park(id, 1, 0)
	}
	resolver := r.resolver()
	resolver.Bonds = r.bus.Register()
	resolve := func(id, order string) error {
		_, err := resolver.Resolve(r.ctx, worker.Resolution{Tenant: "acme", RequestID: id, Placed: []string{order}, Force: true, By: "li"})
		return err
	}
	resolved, bound := r.visit(1, 0), r.visit(1, 0)
	r.must(resolve("one", resolved))
	r.must(resolve("one", resolved))
	r.bindsNot(r.word("two", resolved, true), "order_id", "is the order of acme.one-1, as li said")
	if b := r.bind("one", resolved); !b.Bound || b.New {
		t.Errorf("%+v", b)
	}
	r.bind("two", bound)
	for _, order := range []string{resolved, bound} {
		var invalid *worker.Invalid
		if err := resolve("three", order); !errors.As(err, &invalid) || invalid.Field != "placed" {
			t.Errorf("%v", err)
		}
	}
	if _, err := r.binder().Unbind(r.ctx, worker.Unbinding{OrderID: resolved, By: "li"}); err == nil || !strings.Contains(err.Error(), "was not bound") {
		t.Errorf("%v", err)
	}
	r.books(2, 1)
}
