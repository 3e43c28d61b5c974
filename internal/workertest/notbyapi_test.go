package workertest_test

import (
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestWhatTheAPICannotOrderIsRefusedForGood: an offer whose preview lists no trade mode is told to be none by the creating call. It
// is never tried again, and counts on no key.
func TestWhatTheAPICannotOrderIsRefusedForGood(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	for _, offer := range sim1688.DefaultCatalogue() {
		if !offer.NotByAPI {
			continue
		}
		q := r.request("not-by-api", 0)
		q.Lines[0] = worker.Line{OfferID: offer.OfferID, Quantity: 1}
		if len(offer.SpecIDs) > 0 {
			q.Lines[0].SpecID = offer.SpecIDs[0]
		}
		r.ask(q)
		result := r.result("not-by-api")
		if result.Outcome != worker.OutcomeRefused || result.Code != worker.CodeNotSold || result.Attempt != 1 {
			t.Errorf("%+v", result)
		}
		if key := r.key(rigKeys[0]); key.Used+key.Held != 0 || len(r.orders("not-by-api")) != 0 {
			t.Errorf("%+v", key)
		}
		return
	}
	t.Fatal("the catalogue has no such offer")
}
