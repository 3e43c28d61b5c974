package workertest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// teller stands between a cashier and the channel, if a test wants to.
type teller struct {
	worker.Teller
	pay func(worker.Charge, func() worker.Answer) worker.Answer
}

func (t teller) Pay(ctx context.Context, charge worker.Charge) worker.Answer {
	if t.pay == nil {
		return t.Teller.Pay(ctx, charge)
	}
	return t.pay(charge, func() worker.Answer { return t.Teller.Pay(ctx, charge) })
}

// cashier starts a cashier; what is returned stops it and waits for its end.
func (r *rig) cashier(change ...func(*worker.CashierConfig, *worker.CashierPorts)) (c *worker.Cashier, stop func()) {
	r.t.Helper()
	config := worker.CashierConfig{PayTimeout: 5 * time.Second, LookFor: 10 * time.Second, WaitEvery: 20 * time.Millisecond, AskEvery: 50 * time.Millisecond,
		Observe: func(e worker.Event) { r.events <- e }}
	ports := worker.CashierPorts{Book: r.bus, Till: r.bus, Teller: r.client, Record: r.bus, Stopped: r.bus.Stopped, Account: accounts(r.pool)}
	for _, adapt := range change {
		adapt(&config, &ports)
	}
	c, err := worker.NewCashier(config, ports)
	r.must(err)
	bills, err := r.bus.Bills(r.ctx)
	r.must(err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.ctx))
	var done sync.WaitGroup
	done.Go(func() {
		c.Run(ctx, bills)
		bills.Close()
	})
	stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	r.t.Cleanup(stop)
	return c, stop
}

// accounts are those of the pool's keys.
func accounts(pool *keypool.Pool) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, name, appKey string) (string, error) {
		info, err := pool.Show(ctx, name, appKey)
		return info.Account, err
	}
}

// soonAgain makes a cashier try again after a moment what 1688 shows as unpaid.
func soonAgain(c *worker.CashierConfig, _ *worker.CashierPorts) {
	c.PayTimeout, c.LookFor = 2*time.Second, 4*time.Second
}

// paying is a rig with a key of a buyer who pays without a password.
func paying(t *testing.T) *rig {
	r := newRig(t, processes(t))
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	r.addKeyOf(rigKeys[0], "buyer-1")
	r.sim.SetAgreement("buyer", true)
	r.work()
	return r
}

// buy asks for one of a plain offer, to be paid for, and gives the order.
func (r *rig) buy(id string, change ...func(*worker.Request)) sim1688.Order {
	r.t.Helper()
	q := r.request(id, 0)
	q.Pay = worker.PayAuto
	for _, c := range change {
		c(&q)
	}
	r.ask(q)
	if result := r.result(id); result.Outcome != worker.OutcomePlaced || (result.Pay == worker.PayAuto) != (q.Pay == worker.PayAuto) {
		r.t.Fatalf("%s: %+v", id, result)
	}
	return r.orders(id)[0]
}

// payment waits until the record of an order's payment is as wanted.
func (r *rig) payment(o sim1688.Order, what string, is func(worker.Payment) bool) worker.Payment {
	r.t.Helper()
	var p worker.Payment
	r.eventually(what, func() bool {
		var err error
		p, _, err = r.bus.Payment(r.ctx, "acme", requestOf(o), o.OrderID)
		r.must(err)
		return is(p)
	})
	return p
}

func (r *rig) step(o sim1688.Order, step worker.PaymentStep) worker.Payment {
	r.t.Helper()
	return r.payment(o, "the step "+string(step), func(p worker.Payment) bool { return p.Step == step })
}

// paid is what 1688's own books have of an order.
func (r *rig) paid(o sim1688.Order) []sim1688.Payment {
	for _, order := range r.sim.Orders(sim1688.OrderFilter{OutOrderID: o.OutOrderID}) {
		if order.OrderID == o.OrderID {
			return order.Payments
		}
	}
	return nil
}

// steps are all entries about an order, the oldest first.
func (r *rig) steps(o sim1688.Order) (steps []worker.PaymentStep) {
	r.t.Helper()
	all, err := r.bus.PaymentSteps(r.ctx, "acme", requestOf(o), o.OrderID)
	r.must(err)
	for _, p := range all {
		steps = append(steps, p.Step)
	}
	return steps
}

// TestAnOrderIsPaidForOnce: by its agreement, with its own amount, each step on record, and only if the request says so.
func TestAnOrderIsPaidForOnce(t *testing.T) {
	t.Parallel()
	r := paying(t)
	r.cashier()
	r.cashier()
	var orders []sim1688.Order
	for i := range 5 {
		orders = append(orders, r.buy(fmt.Sprint("paid-", i)))
	}
	byHand := r.buy("by-hand", func(q *worker.Request) { q.Pay = "none" })
	for _, o := range orders {
		r.step(o, worker.PaymentPaid)
		if paid := r.paid(o); len(paid) != 1 || paid[0].Fen != o.TotalFen || paid[0].OpRequestID != o.OrderID+"-1" {
			t.Errorf("%s: %+v", o.OutOrderID, paid)
		}
		if steps := r.steps(o); !slices.Equal(steps, []worker.PaymentStep{worker.PaymentIntended, worker.PaymentSent, worker.PaymentPaid}) {
			t.Errorf("%v", steps)
		}
	}
	if p, place, err := r.bus.Payment(r.ctx, "acme", "by-hand", byHand.OrderID); err != nil || place != 0 || len(r.paid(byHand)) != 0 {
		t.Errorf("%+v %v", p, err)
	}
}

// TestAPaymentUnderFaults: whatever comes back, 1688's status decides, and no order is paid for twice or tried more than three
// times.
func TestAPaymentUnderFaults(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		count int64
		paid  int
		tries int
	}{
		"cut_after":           {1, 1, 1}, // the answer is lost after the money was taken
		"paid_beside_failure": {1, 1, 1}, // paySuccess false, although it was taken
		"late_status":         {1, 1, 1},
		"not_paid":            {1, 1, 2},
		"cut_before":          {1, 1, 2},
		"http_500":            {2, 1, 3},
		"throttled":           {2, 1, 1}, // never reached 1688: no try
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := paying(t)
			fault := sim1688.Fault{Operation: "preparePay", Kind: kind, Count: c.count}
			if kind == "late_status" {
				fault.DelayMS = 1000
				r.must(r.sim.Inject(fault, sim1688.Fault{Operation: "preparePay", Kind: "cut_after", Count: 1}))
			} else {
				r.must(r.sim.Inject(fault))
			}
			r.cashier(soonAgain, func(c *worker.CashierConfig, _ *worker.CashierPorts) { c.RetryUnanswered = true })
			o := r.buy("faulty")
			p := r.step(o, worker.PaymentPaid)
			if paid := r.paid(o); len(paid) != c.paid || p.Try != c.tries {
				t.Errorf("try %d, paid %+v, %v", p.Try, paid, r.steps(o))
			}
		})
	}
}

// impatient is a cashier who waits for an answer, and for a payment to show, no longer than a moment.
func impatient(c *worker.CashierConfig, _ *worker.CashierPorts) {
	c.PayTimeout, c.LookFor = 300*time.Millisecond, 600*time.Millisecond
}

// TestAPaymentThatShowsTooLateIsNotMadeAgain: the money was taken, the answer was lost, and 1688 shows the order as unpaid for longer than
// anybody looks. It waits for a person, and is paid by itself once it shows.
func TestAPaymentThatShowsTooLateIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	r := paying(t)
	var shows atomic.Bool
	r.must(r.sim.Inject(sim1688.Fault{Operation: "preparePay", Kind: "cut_after", Count: 1}))
	r.cashier(impatient, func(_ *worker.CashierConfig, p *worker.CashierPorts) { p.Teller = blind{p.Teller, &shows} })
	o := r.buy("late")
	p := r.payment(o, "a person to be wanted", func(p worker.Payment) bool { return p.Code == worker.WaitAnswer })
	if p.Step != worker.PaymentUnknown || p.Status != worker.StatusUnpaid || r.unpaid(1)[0].OrderID != o.OrderID {
		t.Errorf("%+v", p)
	}
	shows.Store(true)
	r.step(o, worker.PaymentPaid)
	r.unpaid(0)
	if paid := r.paid(o); len(paid) != 1 {
		t.Errorf("%+v, %v", paid, r.steps(o))
	}
}

// blind is a teller to whom no payment shows for a while.
type blind struct {
	worker.Teller
	shows *atomic.Bool
}

func (b blind) Detail(ctx context.Context, appKey, orderID string) worker.Answer {
	answer := b.Teller.Detail(ctx, appKey, orderID)
	if answer.Detail != nil && worker.PaidFor(answer.Detail.Status) && !b.shows.Load() {
		unpaid := *answer.Detail
		unpaid.Status = worker.StatusUnpaid
		answer.Detail = &unpaid
	}
	return answer
}

// TestAnUnansweredPaymentIsMadeAgainByAPersonsWord: one word is one try, and what was never taken counts towards no ceiling.
func TestAnUnansweredPaymentIsMadeAgainByAPersonsWord(t *testing.T) {
	t.Parallel()
	r := paying(t)
	total := r.total(0)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "preparePay", Kind: "cut_before", Count: 2}))
	c, _ := r.cashier(impatient, func(c *worker.CashierConfig, _ *worker.CashierPorts) {
		c.Ceilings = func(string) worker.Ceilings { return worker.Ceilings{Day: total + total/2} }
	})
	o := r.buy("unanswered")
	waits := func(try int) {
		t.Helper()
		p := r.payment(o, fmt.Sprint("try ", try, " to be without an answer"), func(p worker.Payment) bool { return p.Code == worker.WaitAnswer && p.Try == try })
		sum, err := r.bus.Counted(r.ctx, "buyer-1", p.Day)
		if hits := r.sim.Faults()[0].Hits; err != nil || sum != total || hits != int64(try) || len(r.paid(o)) != 0 {
			t.Errorf("after %d calls %v of %v are counted, %v", hits, sum, total, err)
		}
	}
	for try := 1; try <= 2; try++ {
		waits(try)
		if _, err := c.Agree(r.ctx, worker.Agreement{Tenant: "acme", RequestID: "unanswered", Most: worker.Fen(o.TotalFen), By: "li"}); err != nil {
			t.Fatal(err)
		}
	}
	p := r.step(o, worker.PaymentPaid)
	if sum, err := r.bus.Counted(r.ctx, "buyer-1", p.Day); p.Try != 3 || len(r.paid(o)) != 1 || err != nil || sum != total {
		t.Errorf("try %d, %+v, %v counted, %v", p.Try, r.paid(o), sum, err)
	}
	if _, err := c.Agree(r.ctx, worker.Agreement{Tenant: "acme", RequestID: "unanswered", Most: worker.Fen(o.TotalFen), By: "li"}); err == nil {
		t.Error("what is paid for may be paid for again")
	}
}

// TestThreeTriesAreAll: then a person pays by hand, which is seen, and ends the alarm.
func TestThreeTriesAreAll(t *testing.T) {
	t.Parallel()
	r := paying(t)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "preparePay", Kind: "not_paid"}))
	r.cashier(func(c *worker.CashierConfig, _ *worker.CashierPorts) {
		c.PayTimeout, c.LookFor = 200*time.Millisecond, 400*time.Millisecond
	})
	o := r.buy("tries")
	p := r.payment(o, "the last try", func(p worker.Payment) bool { return p.Code == worker.WaitTries })
	if hits := r.sim.Faults()[0].Hits; p.Try != worker.PaymentTries || hits != worker.PaymentTries || len(r.paid(o)) != 0 {
		t.Errorf("%+v after %d calls", p, hits)
	}
	r.unpaid(1)
	r.must(r.sim.Inject())
	answer := r.client.Pay(r.ctx, worker.Charge{AppKey: rigKeys[0], OrderID: o.OrderID, Amount: worker.Fen(o.TotalFen), OpRequestID: "by-hand"})
	if answer.Verdict != worker.Placed {
		t.Fatalf("%+v", answer)
	}
	r.step(o, worker.PaymentPaid)
	r.unpaid(0)
	if len(r.paid(o)) != 1 {
		t.Errorf("%+v", r.paid(o))
	}
}

// unpaid waits until so many payments want a person.
func (r *rig) unpaid(want int) (list []worker.Payment) {
	r.t.Helper()
	r.eventually(fmt.Sprint(want, " payments that want a person"), func() bool {
		var err error
		list, err = r.bus.Unpaid(r.ctx)
		r.must(err)
		return len(list) == want
	})
	return list
}

// TestNothingIsPaidWithoutAnAgreement, and it goes on once there is one.
func TestNothingIsPaidWithoutAnAgreement(t *testing.T) {
	t.Parallel()
	r := paying(t)
	r.sim.SetAgreement("buyer", false)
	r.cashier(soonAgain)
	o := r.buy("unsigned")
	r.payment(o, "no agreement", func(p worker.Payment) bool { return p.Code == worker.WaitAgreement })
	if list := r.unpaid(1); list[0].OrderID != o.OrderID || list[0].Tenant != "acme" {
		t.Errorf("%+v", list)
	}
	if len(r.paid(o)) != 0 {
		t.Errorf("%+v", r.paid(o))
	}
	r.sim.SetAgreement("buyer", true)
	r.step(o, worker.PaymentPaid)
	r.unpaid(0)
	r.sim.SetAgreement("buyer", false) // while the cashier believes that there is one
	again := r.buy("taken-back")
	if p := r.payment(again, "the agreement to be gone", func(p worker.Payment) bool { return p.Code == worker.WaitAgreement }); p.Try > 1 || len(r.paid(again)) != 0 {
		t.Errorf("%+v", p)
	}
}

// TestCeilings: for one order and for the day, of the account, whoever of several cashiers pays.
func TestCeilings(t *testing.T) {
	t.Parallel()
	r := paying(t)
	total := r.total(0)
	limits := func(order, day worker.Fen) func(*worker.CashierConfig, *worker.CashierPorts) {
		return func(c *worker.CashierConfig, _ *worker.CashierPorts) {
			c.Ceilings = func(account string) worker.Ceilings {
				if account != "buyer-1" {
					t.Errorf("account %q", account)
				}
				return worker.Ceilings{Order: order, Day: day}
			}
		}
	}
	_, stop := r.cashier(limits(total-1, 0))
	dear := r.buy("dear")
	r.payment(dear, "the order's ceiling", func(p worker.Payment) bool { return p.Code == worker.WaitOrder })
	stop()
	for range 2 { // 2 of 4 orders fit, the dear one among the 4
		r.cashier(limits(total, 2*total+total/2))
	}
	orders := []sim1688.Order{dear}
	for i := range 3 {
		orders = append(orders, r.buy(fmt.Sprint("day-", i)))
	}
	var sum worker.Fen
	r.eventually("every order paid for or waiting for the next day", func() bool {
		sum = 0
		waiting := 0
		for _, o := range orders {
			p, _, err := r.bus.Payment(r.ctx, "acme", requestOf(o), o.OrderID)
			r.must(err)
			if p.Code == worker.WaitDay {
				waiting++
			}
			if p.Step == worker.PaymentPaid {
				sum += worker.Fen(r.paid(o)[0].Fen)
			}
		}
		return waiting == 2 && sum > 0
	})
	if sum != 2*total {
		t.Errorf("%v of %v were paid", sum, 2*total)
	}
}

func requestOf(o sim1688.Order) string {
	_, ref, _, _ := worker.ParseReference(o.OutOrderID)
	id, _ := worker.DecodeRef(ref)
	return id
}

// TestTheStopSwitch: nothing is paid while it is off, and all that is due once it is on again.
func TestTheStopSwitch(t *testing.T) {
	t.Parallel()
	r := paying(t)
	var asked atomic.Int64
	counted := func(_ *worker.CashierConfig, p *worker.CashierPorts) {
		p.Stopped = func(ctx context.Context) (worker.Switch, error) { asked.Add(1); return r.bus.Stopped(ctx) }
	}
	r.must(r.bus.Turn(r.ctx, worker.Switch{Stopped: true, By: "li", Why: "wrong prices", At: time.Now()}))
	r.cashier(counted)
	o := r.buy("stopped")
	before := asked.Load()
	r.eventually("the cashier to look at the switch", func() bool { return asked.Load() > before+4 })
	if p, place, err := r.bus.Payment(r.ctx, "acme", "stopped", o.OrderID); err != nil || place != 0 || len(r.paid(o)) != 0 {
		t.Errorf("%+v %v", p, err)
	}
	r.must(r.bus.Turn(r.ctx, worker.Switch{By: "li", At: time.Now()}))
	r.step(o, worker.PaymentPaid)
}

// TestAChangedPriceWaitsForAPerson: unless it is within the request's tolerance. What was agreed to is the most that is paid.
func TestAChangedPriceWaitsForAPerson(t *testing.T) {
	t.Parallel()
	r := paying(t)
	r.must(r.bus.Turn(r.ctx, worker.Switch{Stopped: true, By: "t"}))
	c, _ := r.cashier()
	changed := func(id string, by int64, edit ...func(*worker.Request)) sim1688.Order {
		o := r.buy(id, edit...)
		r.must(r.sim.SetOrderPrice(o.OrderID, o.TotalFen+by, o.PostFen))
		return o
	}
	dearer, cheaper := changed("dearer", 1), changed("cheaper", -1)
	tolerated := changed("tolerated", 1, func(q *worker.Request) { q.PriceTolerance = "20" })
	budget := changed("budget", 2, func(q *worker.Request) { q.PriceTolerance, q.MaxTotal = "20", r.total(0)+1 })
	r.must(r.bus.Turn(r.ctx, worker.Switch{By: "t"}))
	r.step(tolerated, worker.PaymentPaid)
	for _, o := range []sim1688.Order{dearer, cheaper, budget} {
		r.payment(o, "the price's change", func(p worker.Payment) bool { return p.Code == worker.WaitPrice })
	}
	r.unpaid(3)
	agree := func(o sim1688.Order, most int64) {
		r.eventually("the agreement on record", func() bool {
			_, err := c.Agree(r.ctx, worker.Agreement{Tenant: "acme", RequestID: requestOf(o), Reference: o.OutOrderID, Most: worker.Fen(most), By: "li"})
			return err == nil
		})
	}
	agree(dearer, dearer.TotalFen)
	r.payment(dearer, "an agreement to too little", func(p worker.Payment) bool {
		return p.Step == worker.PaymentWaits && p.Agreed == worker.Fen(dearer.TotalFen)
	})
	agree(dearer, dearer.TotalFen+1)
	agree(cheaper, cheaper.TotalFen)
	agree(budget, budget.TotalFen+2)
	for _, o := range []sim1688.Order{dearer, cheaper, budget} {
		r.step(o, worker.PaymentPaid)
	}
	for o, by := range map[*sim1688.Order]int64{&dearer: 1, &cheaper: -1, &tolerated: 1, &budget: 2} {
		if paid := r.paid(*o); len(paid) != 1 || paid[0].Fen != o.TotalFen+by {
			t.Errorf("%s: %+v", o.OutOrderID, paid)
		}
	}
}

// TestAnOrderClosedBeforeItIsPaid is given up.
func TestAnOrderClosedBeforeItIsPaid(t *testing.T) {
	t.Parallel()
	r := paying(t)
	r.sim.SetAgreement("buyer", false)
	r.cashier()
	o := r.buy("closed")
	r.payment(o, "no agreement", func(p worker.Payment) bool { return p.Code == worker.WaitAgreement })
	r.must(r.sim.CloseOrder(o.OrderID))
	if p := r.step(o, worker.PaymentGivenUp); p.Code != worker.WaitClosed {
		t.Errorf("%+v", p)
	}
	r.unpaid(0)
}

// TestTwoCashiersAtOneOrder: while one's call is under way the result is handed to the other too, many times over.
func TestTwoCashiersAtOneOrder(t *testing.T) {
	t.Parallel()
	r := paying(t)
	var calls atomic.Int64
	slow := func(_ *worker.CashierConfig, p *worker.CashierPorts) {
		p.Teller = teller{r.client, func(_ worker.Charge, pay func() worker.Answer) worker.Answer {
			calls.Add(1)
			return pay()
		}}
	}
	var all []*worker.Cashier
	for range 4 {
		c, stop := r.cashier(slow)
		stop()
		all = append(all, c)
	}
	o := r.buy("contended")
	result := r.result("contended")
	result.Tenant = "acme"
	var together sync.WaitGroup
	for _, c := range slices.Repeat(all, 4) {
		together.Go(func() { _, _ = c.Settle(r.ctx, result) })
	}
	together.Wait()
	r.eventually("the payment to end", func() bool {
		again, err := all[0].Settle(r.ctx, result)
		return again == 0 && err == nil
	})
	r.step(o, worker.PaymentPaid)
	if paid := r.paid(o); len(paid) != 1 || calls.Load() != 1 {
		t.Errorf("%d calls, %+v", calls.Load(), paid)
	}
}
