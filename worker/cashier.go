package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// CashierConfig sets a cashier up. Zero values take the default.
type CashierConfig struct {
	// Ceilings gives those of an account. nil: there are none.
	Ceilings func(account string) Ceilings
	// PayTimeout bounds the call that takes the money: it is not begun later than that after it was entered as sent. Default 30 s.
	PayTimeout time.Duration
	// LookFor is for how long an order whose payment may have been taken is looked at, if 1688 shows it as unpaid all the time. Then it is
	// tried again, if 1688 answered that it has not the money; one that it never answered waits for a person, since how long 1688 takes to
	// show a payment is not known. At least twice PayTimeout; default 2 min.
	LookFor time.Duration
	// RetryUnanswered has the latter tried again too: 1688's documentation has the order's status decide in both cases.
	RetryUnanswered bool
	// AgreementFor is how long the answer that an account pays without a password is believed. Default 5 min.
	AgreementFor time.Duration
	// AskEvery is how often 1688 is asked about an order whose payment waits for a person. Default 5 min.
	AskEvery time.Duration
	// WaitEvery is how often the record is read of one that waits. Default 20 s.
	WaitEvery time.Duration
	// Observe is told what happens. May be nil.
	Observe func(Event)
}

func (c CashierConfig) withDefaults() CashierConfig {
	setDefault(&c.PayTimeout, 30*time.Second)
	setDefault(&c.LookFor, max(2*time.Minute, 2*c.PayTimeout))
	setDefault(&c.AgreementFor, 5*time.Minute)
	setDefault(&c.AskEvery, 5*time.Minute)
	setDefault(&c.WaitEvery, 20*time.Second)
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.Ceilings == nil {
		c.Ceilings = func(string) Ceilings { return Ceilings{} }
	}
	return c
}

// Validate reports what is wrong with the settings.
func (c CashierConfig) Validate() error {
	c = c.withDefaults()
	if c.PayTimeout < 0 || c.LookFor < 2*c.PayTimeout {
		return fmt.Errorf("pay-look-for %v: must be at least twice pay-timeout, %v: a payment may be under way so long", c.LookFor, c.PayTimeout)
	}
	return nil
}

// CashierPorts are what a cashier needs from outside.
type CashierPorts struct {
	Book   PaymentBook
	Till   Till
	Teller Teller
	Record Record
	// Account gives the buyer account of a pool's key, "" if it has none.
	Account func(ctx context.Context, pool, appKey string) (string, error)
	// Stopped says whether a person stopped all payments.
	Stopped func(ctx context.Context) (Switch, error)
}

// Cashier pays for the orders of placed requests that ask for it. Ordering knows nothing of it: it comes by after a result is on
// record, as often as it must. Any number of cashiers may work on the same order; the record of its payment lets one of them send.
type Cashier struct {
	CashierPorts
	config     CashierConfig
	unanswered stopwatches // by opRequestId, of payments that may have been taken
	asked      stopwatches // by order, of payments that wait
	missing    stopwatches // by order, of those that 1688 does not show
	agreements agreements
	agreed     chan Result  // whose orders a person agreed to: they are taken up at once
	going      atomic.Int64 // when payments were last known not to be stopped, nanoseconds since 1970
}

// maxAgreed is how many agreements wait to be taken up at once. What is beyond them comes by again by itself.
const maxAgreed = 64

// NewCashier makes a cashier. It returns an error if the settings are wrong.
func NewCashier(config CashierConfig, ports CashierPorts) (*Cashier, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Cashier{CashierPorts: ports, config: config.withDefaults(), agreed: make(chan Result, maxAgreed)}, nil
}

// bill is one order that is to be paid for.
type bill struct {
	*Cashier
	result Result
	order  ResultOrder
	last   Payment // on record
	place  uint64  // its
	former Payment // an intent of somebody who may still be about to send: counted no longer once the next entry has turned that down
}

// PayAuto is the request's wish to be paid for without a person.
const PayAuto = "auto"

// Settle goes on with the payment of every order of a result. It returns after how long it must come by again, 0 if nothing is left
// to do. Errors are *Trouble; nothing is lost by them, and it comes by again.
func (c *Cashier) Settle(ctx context.Context, result Result) (again time.Duration, err error) {
	if result.Pay != PayAuto || result.Aside {
		return 0, nil
	}
	var errs []error
	for _, order := range result.Orders {
		b := &bill{Cashier: c, result: result, order: order}
		after, err := b.settle(ctx)
		errs = append(errs, err)
		if after > 0 && (again == 0 || after < again) {
			again = after
		}
	}
	return again, errors.Join(errs...)
}

// settle goes on with one payment until it has ended or must wait.
func (b *bill) settle(ctx context.Context) (again time.Duration, err error) {
	b.last, b.place, err = b.Book.Payment(ctx, b.result.Tenant, b.result.RequestID, b.order.OrderID)
	for err == nil && !b.last.Step.Ended() {
		var on bool
		if b.last.Step.flying() {
			again, on, err = b.lookUp(ctx)
		} else {
			again, on, err = b.pay(ctx)
		}
		if err != nil || !on {
			return again, err
		}
	}
	return 0, err
}

// enter stores the next entry: the last one as change makes it.
func (b *bill) enter(ctx context.Context, step PaymentStep, change func(*Payment)) error {
	next := b.last
	next.Tenant, next.RequestID, next.Reference, next.OrderID, next.AppKey = b.result.Tenant, b.result.RequestID, b.order.OutOrderID, b.order.OrderID, b.order.AppKey
	next.Ordered, next.Step, next.Code, next.Reason, next.By, next.Why = b.order.Total, step, "", "", "", ""
	change(&next)
	next.Listed = next.Listed || next.Wants()
	next.Entry, next.At = rand.Text(), time.Now().UTC()
	place, err := b.Book.Enter(ctx, next, b.place)
	if err != nil {
		return err
	}
	b.last, b.place = next, place
	if err := b.dismiss(ctx); err != nil {
		return err
	}
	b.config.Observe(Event{Stage: StagePayment, Tenant: next.Tenant, RequestID: next.RequestID, Reference: next.Reference, AppKey: next.AppKey,
		Attempt: next.Try, Reason: next.told()})
	return nil
}

// dismiss counts the former intent no longer.
func (b *bill) dismiss(ctx context.Context) error {
	former := b.former
	b.former = Payment{}
	if former.Intent == 0 {
		return nil
	}
	return b.Till.GiveBack(ctx, former)
}

// told is the entry in words.
func (p Payment) told() string {
	text := "payment of " + p.OrderID + " " + string(p.Step)
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	return text
}

// wait enters that the payment waits, unless just that is on record.
func (b *bill) wait(ctx context.Context, code WaitCode, reason string, detail OrderDetail) (time.Duration, bool, error) {
	b.asked.stop(b.order.OrderID)
	b.asked.read(b.order.OrderID)
	if l := b.last; l.Step == PaymentWaits && l.Code == code && l.Reason == reason {
		return b.config.WaitEvery, false, nil
	}
	return b.config.WaitEvery, false, b.enter(ctx, PaymentWaits, func(p *Payment) {
		p.Code, p.Reason, p.Amount, p.Status = code, reason, detail.Total, detail.Status
	})
}

// opRequestID names a try, so that a repetition can be recognised in 1688's books.
func (b *bill) opRequestID(try int) string { return b.order.OrderID + "-" + strconv.Itoa(try) }

// china is where the days of ceilings begin; it has no summer time.
var china = time.FixedZone("CST", 8*60*60)

func today() string { return time.Now().In(china).Format("20060102") }
