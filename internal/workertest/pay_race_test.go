package workertest_test

import (
	"context"
	"sync"
	"testing"

	"autopurchase/worker"
)

// hurried is the book and the till of a cashier, which say what they are asked for before they do it.
type hurried struct {
	worker.PaymentBook
	worker.Till
	asked func(what string)
}

func (h hurried) Enter(ctx context.Context, p worker.Payment, behind uint64) (uint64, error) {
	h.asked("enter " + string(p.Step))
	return h.PaymentBook.Enter(ctx, p, behind)
}

func (h hurried) GiveBack(ctx context.Context, p worker.Payment) error {
	h.asked("give back")
	return h.Till.GiveBack(ctx, p)
}

// TestTwoCashiersCountAPaymentOnce: one comes upon the other's intent while that one is about to send. Only one of them sends, and what is
// paid is counted.
func TestTwoCashiersCountAPaymentOnce(t *testing.T) {
	t.Parallel()
	r := paying(t)
	o := r.buy("two")
	result := r.result("two")
	result.Tenant = "acme" // in the subject
	intended, meddled := make(chan struct{}), make(chan struct{})
	sent := sync.OnceFunc(func() { close(intended); <-meddled })
	meddles := sync.OnceFunc(func() { close(meddled) })
	cashier := func(asked func(string)) *worker.Cashier {
		c, err := worker.NewCashier(worker.CashierConfig{}, worker.CashierPorts{
			Book: hurried{r.bus, r.bus, asked}, Till: hurried{r.bus, r.bus, asked}, Teller: r.client, Record: r.bus, Stopped: r.bus.Stopped, Account: accounts(r.pool),
		})
		r.must(err)
		return c
	}
	first := cashier(func(what string) {
		if what == "enter "+string(worker.PaymentSent) {
			sent()
		}
	})
	done := make(chan struct{})
	second := cashier(func(what string) {
		meddles()
		if what == "enter "+string(worker.PaymentIntended) {
			<-done
		}
	})
	var both sync.WaitGroup
	both.Go(func() {
		defer close(done)
		if _, err := first.Settle(r.ctx, result); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-intended:
	case <-done:
		t.Fatalf("nothing was sent: %v", r.steps(o))
	}
	both.Go(func() { _, _ = second.Settle(r.ctx, result) }) // the other one has it
	both.Wait()
	p := r.step(o, worker.PaymentPaid)
	if sum, err := r.bus.Counted(r.ctx, "buyer-1", p.Day); err != nil || sum != worker.Fen(o.TotalFen) || len(r.paid(o)) != 1 {
		t.Errorf("%v of %v are counted, %v, %+v", sum, o.TotalFen, err, r.paid(o))
	}
}
