package relay

import (
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestShow: an order that was made on the website is shown to the key of its buyer and to no other, and listed among the buyer's.
func TestShow(t *testing.T) {
	sim := simulator(t)
	r := relayTo(t, sim.GatewayURL(), nil)
	lines := []sim1688.Line{{OfferID: "700000000001", Quantity: 3}}
	visit := func(member string) sim1688.Order {
		t.Helper()
		order, err := sim.Visit(sim1688.Visit{Member: member, Lines: lines})
		if err != nil {
			t.Fatal(err)
		}
		return order
	}
	mine, theirs := visit(simKey.Member), visit("somebody")
	placed := r.Place(t.Context(), order(reference))
	got := r.Detail(t.Context(), testKey.AppKey, mine.OrderID)
	if got.Verdict != worker.Placed || got.Detail.Total != 597 || got.Detail.Reference != "" ||
		got.Detail.Items[0] != (worker.Goods{OfferID: "700000000001", Quantity: 3}) {
		t.Errorf("got %+v", got)
	}
	if got := r.Detail(t.Context(), testKey.AppKey, theirs.OrderID); got.Verdict != worker.Absent {
		t.Errorf("got %+v", got)
	}
	if got := r.Detail(t.Context(), "unheard", mine.OrderID); got.Verdict != worker.NotAttempted || got.Code != worker.CodeKeyUnknown {
		t.Errorf("got %+v", got)
	}
	now := time.Now()
	leaf := worker.Leaf{AppKey: testKey.AppKey, From: now.Add(-time.Hour).UnixMilli(), To: now.Add(time.Hour).UnixMilli(), Page: 1}
	listed := r.List(t.Context(), leaf)
	if len(listed.Listed) != 2 || listed.Listed[0].OrderID != placed.Orders[0].ID || listed.Listed[0].Reference != reference || listed.Listed[1].OrderID != mine.OrderID || listed.More {
		t.Errorf("got %+v", listed)
	}
	leaf.To = now.Add(-time.Minute).UnixMilli()
	if listed := r.List(t.Context(), leaf); listed.Verdict != worker.Absent {
		t.Errorf("got %+v", listed)
	}
}
