package workertest_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// The ports of a cashier with a fate in front of each.

type fatefulBook struct {
	worker.PaymentBook
	f *fate
}

func (b fatefulBook) Enter(ctx context.Context, p worker.Payment, behind uint64) (uint64, error) {
	return step(b.f, "enter "+string(p.Step), func() (uint64, error) { return b.PaymentBook.Enter(ctx, p, behind) })
}

type fatefulTill struct {
	worker.Till
	f *fate
}

func (t fatefulTill) Take(ctx context.Context, p worker.Payment, ceiling worker.Fen) (bool, error) {
	return step(t.f, "take", func() (bool, error) { return t.Till.Take(ctx, p, ceiling) })
}

func (t fatefulTill) GiveBack(ctx context.Context, p worker.Payment) error {
	return act(t.f, "give back", func() error { return t.Till.GiveBack(ctx, p) })
}

type fatefulTeller struct {
	worker.Teller
	f *fate
}

func (t fatefulTeller) Pay(ctx context.Context, charge worker.Charge) worker.Answer {
	return asked(t.f, "pay", func() worker.Answer { return t.Teller.Pay(ctx, charge) })
}

type fatefulBills struct {
	worker.Bills
	f *fate
}

func (b fatefulBills) Next(ctx context.Context) (worker.Bill, error) {
	bill, err := b.Bills.Next(ctx)
	done := bill.Done
	bill.Done = func(ctx context.Context) error { return act(b.f, "done", func() error { return done(ctx) }) }
	return bill, err
}

// quick are a cashier's times in these tests.
func quick(c *worker.CashierConfig) {
	c.PayTimeout, c.LookFor, c.WaitEvery, c.AskEvery = 2*time.Second, 4*time.Second, 20*time.Millisecond, 50*time.Millisecond
}

// beCashier is wired as the program's own cashier is.
func (p part) beCashier(ctx context.Context) error {
	b, err := bus.Connect(ctx, bus.Config{URL: p.NATS, Name: "child", AckWait: 2 * time.Second})
	if err != nil {
		return err
	}
	pool, err := keypool.Open(ctx, keypool.Config{URL: p.Redis})
	if err != nil {
		return err
	}
	f := newFate(p)
	client := channel.Dial(context.WithoutCancel(ctx), channel.ClientConfig{URL: p.Channel, Token: "token", CallTimeout: 2 * patience})
	var config worker.CashierConfig
	quick(&config)
	c, err := worker.NewCashier(config, worker.CashierPorts{
		Book: fatefulBook{b, f}, Till: fatefulTill{b, f}, Teller: fatefulTeller{client, f}, Record: b, Stopped: b.Stopped, Account: accounts(pool),
	})
	if err != nil {
		return err
	}
	bills, err := b.Bills(ctx)
	if err != nil {
		return err
	}
	c.Run(ctx, fatefulBills{bills, f})
	bills.Close()
	return b.Close()
}

// payCrash is a point at which a cashier dies, and at which try the order is paid for all the same.
type payCrash struct {
	at    string
	fault string // of the simulator when the money is asked for the first time
	tries int
	asks  bool // whether it was sent, or what 1688 said, cannot be told: it is made again by a person's word only
}

// payCrashes has every effect of a cashier, before and after.
var payCrashes = []payCrash{
	{"before enter intended", "", 1, false},
	{"after enter intended", "", 1, false},
	{"before take", "", 1, false},
	{"after take", "", 1, false},
	{"before enter sent", "", 1, false},
	{"after enter sent", "", 2, true},
	{"before pay", "", 2, true},
	{"after pay", "", 1, false},
	{"after pay", "cut_after", 1, false},
	{"after pay", "paid_beside_failure", 1, false},
	{"before enter paid", "", 1, false},
	{"after enter paid", "", 1, false},
	{"before done", "", 1, false},
	{"after done", "", 1, false},
	{"before enter unknown", "not_paid", 2, true},
	{"after enter unknown", "not_paid", 2, false},
	{"before enter unknown", "cut_after", 1, false},
	{"after enter unknown", "cut_after", 1, false},
	{"before enter unpaid", "not_paid", 2, false},
	{"after enter unpaid", "not_paid", 2, false},
	{"before give back", "not_paid", 2, false},
	{"after give back", "not_paid", 2, false},
	{"before enter unpaid", "throttled", 2, true},
	{"after enter unpaid", "throttled", 1, false},
}

// TestCashierDiesAtEveryPoint kills a real cashier process at each point. Another one takes over what is delivered again: the order is
// paid for once, and counts once towards the day's ceiling.
func TestCashierDiesAtEveryPoint(t *testing.T) {
	t.Parallel()
	stacks := separate(t, len(payCrashes))
	scenes, doomed, cashiers := make([]scene, len(payCrashes)), make([]*process, len(payCrashes)), make([]*worker.Cashier, len(payCrashes))
	for i, c := range payCrashes {
		s := newScene(t, stacks[i], &door{})
		s.sim.SetAgreement("buyer", true)
		if c.fault != "" {
			s.must(s.sim.Inject(sim1688.Fault{Operation: "preparePay", Kind: c.fault, Count: 1}))
		}
		s.work()
		s.buy("crash")
		doomed[i] = s.startWorker(part{Cashier: true, DieAt: []string{c.at}})
		scenes[i] = s
	}
	for i, s := range scenes {
		doomed[i].killed()
		cashiers[i], _ = s.cashier(func(c *worker.CashierConfig, _ *worker.CashierPorts) { quick(c) })
	}
	for i, c := range payCrashes {
		t.Run(strings.TrimSpace(c.at+" "+c.fault), func(t *testing.T) {
			s := scenes[i].in(t)
			o := s.orders("crash")[0]
			if c.asks {
				s.agreeAgain(cashiers[i], o)
			}
			p := s.step(o, worker.PaymentPaid)
			if paid := s.paid(o); len(paid) != 1 || p.Try != c.tries {
				t.Errorf("paid at try %d, %+v, %v", p.Try, paid, s.steps(o))
			}
			if sum, err := s.bus.Counted(s.ctx, "1000001", p.Day); err != nil || sum != worker.Fen(o.TotalFen) {
				t.Errorf("%v of %v are counted, %v", sum, o.TotalFen, err)
			}
		})
	}
}

// agreeAgain waits until a payment that was never answered wants a person, who has seen that no money was taken.
func (s scene) agreeAgain(c *worker.Cashier, o sim1688.Order) {
	s.t.Helper()
	s.payment(o, "a person to be wanted", func(p worker.Payment) bool { return p.Code == worker.WaitAnswer })
	if paid := s.paid(o); len(paid) != 0 {
		s.t.Fatalf("it is asked about what was paid for: %+v", paid)
	}
	_, err := c.Agree(s.ctx, worker.Agreement{Tenant: "acme", RequestID: requestOf(o), OrderID: o.OrderID, Most: worker.Fen(o.TotalFen), By: "li"})
	s.must(err)
}

// TestFrozenCashierThaws: one that was frozen before its call does not make it any more when it thaws after another one has paid.
func TestFrozenCashierThaws(t *testing.T) {
	t.Parallel()
	points := []string{"after enter intended", "before enter sent", "after enter sent", "before pay", "after pay", "before enter paid"}
	stacks := separate(t, len(points))
	for i, at := range points {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, stacks[i], &door{})
			s.sim.SetAgreement("buyer", true)
			s.work()
			o := s.buy("frozen")
			frozen := s.startWorker(part{Cashier: true, StopAt: []string{at}})
			frozen.says("frozen " + at)
			c, _ := s.cashier(func(c *worker.CashierConfig, _ *worker.CashierPorts) { quick(c) })
			if at == "after enter sent" || at == "before pay" {
				s.agreeAgain(c, o)
			}
			p := s.step(o, worker.PaymentPaid)
			frozen.signal(syscall.SIGCONT)
			frozen.stop() // once it is done with what it had in hand
			if paid := s.paid(o); len(paid) != 1 {
				t.Errorf("%+v, %v", paid, s.steps(o))
			}
			if sum, err := s.bus.Counted(s.ctx, "1000001", p.Day); err != nil || sum != worker.Fen(o.TotalFen) {
				t.Errorf("%v of %v are counted, %v", sum, o.TotalFen, err)
			}
		})
	}
}
