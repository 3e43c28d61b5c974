package bus

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// TestCashiersGetWhatIsToBePaidFor: other results are passed by, and what a cashier leaves behind the next one has at once.
func TestCashiersGetWhatIsToBePaidFor(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{AckWait: time.Hour})
	for i := range 3 * billsAhead {
		result := worker.Result{Tenant: "acme", RequestID: fmt.Sprint("PR-", i), Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, Attempt: 1,
			DecidedAt: time.Unix(1767225600, 0), Orders: []worker.ResultOrder{{OrderID: "11", OutOrderID: fmt.Sprint("acme.PR-", i, "-1"), AppKey: "k1", Lines: []int{0}}}}
		if i%3 == 2 { // the last one too: who waits passes the others by
			result.Pay = worker.PayAuto
		}
		must(t, b.Outbox().Publish(bounded(t), result))
	}
	first, err := b.Bills(bounded(t))
	must(t, err)
	seen := map[string]bool{}
	take := func(from *Bills) worker.Bill {
		t.Helper()
		bill, err := from.Next(bounded(t))
		must(t, err)
		if bill.Result.Pay != worker.PayAuto || bill.Result.Tenant != "acme" || seen[bill.Result.RequestID] || bill.Every != 20*time.Minute {
			t.Fatalf("%+v", bill)
		}
		seen[bill.Result.RequestID] = true
		must(t, bill.Done(bounded(t)))
		return bill
	}
	take(first)
	first.Close()
	if _, err := first.Next(bounded(t)); worker.AsTrouble(err).Code != worker.CodeNATSDown {
		t.Errorf("a closed one: %v", err)
	}
	second, err := b.Bills(bounded(t))
	must(t, err)
	defer second.Close()
	for len(seen) < billsAhead {
		take(second)
	}
	until(t, "every result is acknowledged", func() bool {
		consumer, err := b.js.Consumer(bounded(t), StreamResults, ConsumerCashier)
		return err == nil && quiet(consumer.CachedInfo())
	})
}

func quiet(info *jetstream.ConsumerInfo) bool { return info.NumPending == 0 && info.NumAckPending == 0 }
