package relay

import (
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestAPaymentAgainstThePlatformsBooks: whatever the answer says, the books and the order's detail say what is true.
func TestAPaymentAgainstThePlatformsBooks(t *testing.T) {
	for kind, c := range map[string]struct {
		verdict worker.Verdict
		paid    int // payments in the books
	}{
		"":                    {worker.Placed, 1},
		"not_paid":            {worker.Refused, 0},
		"paid_beside_failure": {worker.Refused, 1},
		"cut_before":          {worker.Unknown, 0},
		"cut_after":           {worker.Unknown, 1},
		"http_500":            {worker.Unknown, 0},
		"throttled":           {worker.NotAttempted, 0},
	} {
		t.Run(kind, func(t *testing.T) {
			sim := simulator(t)
			sim.SetAgreement(simKey.Member, true)
			r := relayTo(t, sim.GatewayURL(), nil)
			placed := r.Place(t.Context(), order(reference)).Orders[0]
			if kind != "" {
				if err := sim.Inject(sim1688.Fault{Operation: "preparePay", Kind: kind}); err != nil {
					t.Fatal(err)
				}
			}
			got := r.Pay(t.Context(), worker.Charge{AppKey: testKey.AppKey, OrderID: placed.ID, Amount: placed.Total, OpRequestID: placed.ID + "-1"})
			if books := sim.Orders(sim1688.OrderFilter{})[0]; got.Verdict != c.verdict || len(books.Payments) != c.paid {
				t.Errorf("%+v, %+v", got, books.Payments)
			}
			now := r.Detail(t.Context(), testKey.AppKey, placed.ID)
			if now.Verdict != worker.Placed || worker.PaidFor(now.Detail.Status) != (c.paid > 0) || now.Detail.Total != placed.Total || now.Detail.Reference != reference {
				t.Errorf("%+v %+v", now, now.Detail)
			}
		})
	}
}

// TestWhatCannotBePaid: without an agreement, another sum, or an order that is none of this buyer's.
func TestWhatCannotBePaid(t *testing.T) {
	sim := simulator(t)
	r := relayTo(t, sim.GatewayURL(), nil)
	placed := r.Place(t.Context(), order(reference)).Orders[0]
	charge := worker.Charge{AppKey: testKey.AppKey, OrderID: placed.ID, Amount: placed.Total, OpRequestID: placed.ID + "-1"}
	if got := r.Pay(t.Context(), charge); got.Verdict != worker.Refused {
		t.Errorf("%+v", got)
	}
	sim.SetAgreement(simKey.Member, true)
	if err := sim.SetOrderPrice(placed.ID, 500, 100); err != nil {
		t.Fatal(err)
	}
	if got := r.Pay(t.Context(), charge); got.Verdict != worker.Refused {
		t.Errorf("%+v", got)
	}
	if now := r.Detail(t.Context(), testKey.AppKey, placed.ID); now.Detail.Total != 500 || now.Detail.Postage != 100 {
		t.Errorf("%+v", now.Detail)
	}
	if got := r.Detail(t.Context(), testKey.AppKey, "1"); got.Verdict != worker.Absent {
		t.Errorf("%+v", got)
	}
	link := r.PayLink(t.Context(), testKey.AppKey, []string{placed.ID, "1"})
	if link.Verdict != worker.Placed || link.Link.URL == "" || len(link.Link.Failed) != 1 || link.Link.Said == "" {
		t.Errorf("%+v %+v", link, link.Link)
	}
}
