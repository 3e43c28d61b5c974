package bus

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/worker"
)

func aPayment(order int) worker.Payment {
	return worker.Payment{Tenant: "acme", RequestID: "PR.1", Reference: "acme.PR=2E1-1", OrderID: strconv.Itoa(order), AppKey: "1000001", Account: "buyer 1",
		Step: worker.PaymentIntended, Amount: 100, Day: "20261128", Entry: "entry-" + strconv.Itoa(order), At: time.Now().UTC()}
}

// TestNoCeilingIsPassed: many count at once, some twice, some give back; the sum is never above the ceiling, and right in the end.
func TestNoCeilingIsPassed(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	const many, fit = 24, 10
	var counted atomic.Int64
	var all sync.WaitGroup
	kept := make([]worker.Payment, many)
	for i := range many {
		all.Go(func() {
			p := aPayment(i)
			place, err := b.Enter(bounded(t), p, 0)
			if err != nil {
				t.Error(err)
				return
			}
			p.Intent = place
			for range 2 { // a repeat changes nothing
				ok, err := b.Take(bounded(t), p, fit*100+99)
				if err != nil {
					t.Error(err)
				}
				if ok && kept[i].Intent == 0 {
					kept[i] = p
					counted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if sum, err := b.Counted(bounded(t), "buyer 1", "20261128"); err != nil || sum != fit*100 || counted.Load() != fit {
		t.Errorf("%d, %d counted, %v", sum, counted.Load(), err)
	}
	for _, p := range kept {
		for range 2 {
			must(t, b.GiveBack(bounded(t), p))
		}
	}
	if sum, err := b.Counted(bounded(t), "buyer 1", "20261128"); err != nil || sum != 0 {
		t.Errorf("%d, %v", sum, err)
	}
	beyond := aPayment(many)
	beyond.Amount, beyond.Intent = 1_000_000, 1
	if ok, err := b.Take(bounded(t), beyond, 0); err != nil || !ok {
		t.Errorf("without a ceiling: %v, %v", ok, err)
	}
}

// TestOneOfManyGoesOn: of all that know the same entry one writes the next; the others are told, and change nothing.
func TestOneOfManyGoesOn(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	first := aPayment(1)
	place, err := b.Enter(bounded(t), first, 0)
	must(t, err)
	if again, err := b.Enter(bounded(t), first, 0); err != nil || again != place {
		t.Errorf("the same entry once more: %d, %v", again, err)
	}
	var won, lost atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			p := first
			p.Step, p.Entry = worker.PaymentSent, "sender-"+strconv.Itoa(i)
			_, err := b.Enter(bounded(t), p, place)
			switch {
			case err == nil:
				won.Add(1)
			case worker.AsTrouble(err).Code == worker.CodeFenced:
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	steps, err := b.PaymentSteps(bounded(t), "acme", "PR.1", "1")
	if err != nil || won.Load() != 1 || lost.Load() != 15 || len(steps) != 2 || steps[1].Step != worker.PaymentSent || steps[1].Tenant != "acme" {
		t.Errorf("%d won, %d lost, %+v, %v", won.Load(), lost.Load(), steps, err)
	}
}

// TestTheListOfUnpaidOrders has those that want a person, and forgets those that ended, also if whoever ended one died before it
// was taken off.
func TestTheListOfUnpaidOrders(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	places := map[int]uint64{}
	for order := range 3 {
		p := aPayment(order)
		p.Step, p.Code, p.Listed = worker.PaymentWaits, worker.WaitPrice, true
		var err error
		places[order], err = b.Enter(bounded(t), p, 0)
		must(t, err)
	}
	paid := func(order int, listed bool) {
		p := aPayment(order)
		p.Step, p.Entry, p.Listed = worker.PaymentPaid, "paid", listed
		_, err := b.Enter(bounded(t), p, places[order])
		must(t, err)
	}
	paid(0, true)
	if n := stored(t, b, StreamUnpaid); n != 2 {
		t.Errorf("%d are listed", n)
	}
	paid(1, false) // as one who died before
	list, err := b.Unpaid(bounded(t))
	if err != nil || len(list) != 1 || list[0].OrderID != "2" || list[0].Tenant != "acme" {
		t.Errorf("%+v, %v", list, err)
	}
	if n := stored(t, b, StreamUnpaid); n != 1 {
		t.Errorf("%d are listed", n)
	}
}
