package workertest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// sundries are an offer of so many SKUs, at 10 yuan each, of a seller who asks 7 yuan of postage and takes 1 fen off an order.
func sundries(skus int) sim1688.Offer {
	offer := sim1688.Offer{OfferID: "620000000001", Seller: "sundries", PriceFen: 1000, PostFen: 700, DiscountFen: 1, Stock: 1_000_000}
	for n := range skus {
		offer.SpecIDs = append(offer.SpecIDs, fmt.Sprintf("%032x", n+1))
	}
	return offer
}

// linesOf asks for these SKUs of an offer.
func linesOf(offer sim1688.Offer, skus ...int) (lines []worker.Line) {
	for _, n := range skus {
		lines = append(lines, worker.Line{OfferID: offer.OfferID, SpecID: offer.SpecIDs[n], Quantity: 1, UnitPrice: worker.Fen(offer.PriceFen), Seller: offer.Seller})
	}
	return lines
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// TestLinesAreCutAtFifty over the whole flow: every line is ordered once, in orders of at most 50, each found by a reference of its
// own, whose shares add up; one result has them in the order asked.
func TestLinesAreCutAtFifty(t *testing.T) {
	t.Parallel()
	offer := sundries(101)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[2], 10_000)
	r.work()
	all := 0
	for lines, want := range map[int][]int{1: {1}, 49: {49}, 50: {50}, 51: {50, 1}, 101: {50, 50, 1}} {
		id := fmt.Sprint("lines-", lines)
		q := r.request(id)
		q.Lines = linesOf(offer, upTo(lines)...)
		r.ask(q)
		result := r.result(id)
		var sizes []int
		var covered []int
		for i, o := range result.Orders {
			sizes, covered = append(sizes, len(o.Lines)), append(covered, o.Lines...)
			var goods, postage worker.Fen
			for _, s := range o.Shares {
				goods, postage = goods+s.Goods, postage+s.Postage
			}
			if want := fmt.Sprintf("acme.%s-%d", id, i+1); o.OutOrderID != want || postage != o.Postage || goods+postage != o.Total || postage != 700 || len(o.Shares) != len(o.Lines) {
				t.Errorf("%d lines: order %s, want %s: %d and %d of %d", lines, o.OutOrderID, want, goods, postage, o.Total)
			}
		}
		if result.Outcome != worker.OutcomePlaced || !slices.Equal(sizes, want) || !slices.Equal(covered, upTo(lines)) || result.Products != int64(lines) || len(r.orders(id)) != len(want) {
			t.Errorf("%d lines: %s, orders of %v, want %v, %d products, %d at 1688", lines, result.Outcome, sizes, want, result.Products, len(r.orders(id)))
		}
		all += lines
	}
	if key := r.key(rigKeys[2]); key.Used != int64(all) || key.Held != 0 {
		t.Errorf("%+v, want %d", key, all)
	}
}

// TestTooManyLines are refused with how many they were and how many may be, before anything is drawn.
func TestTooManyLines(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.work()
	r.askRaw("many", []byte(`{"request_id":"many","deliver_to":{"address_id":"1"},"lines":[`+strings.TrimSuffix(strings.Repeat(`{"offer_id":"1","quantity":1},`, 20_000), ",")+`]}`))
	if result := r.result("many"); result.Outcome != worker.OutcomeRefused || result.Code != worker.CodeInvalid || !strings.Contains(result.Reason, "lines: has 20000 items, at most 1000 are accepted") {
		t.Errorf("%+v", result)
	}
	if key := r.key(rigKeys[0]); key.Used+key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// TestTheSameGoodsTwiceAreOneLine at 1688, and both lines of the request share its fate.
func TestTheSameGoodsTwiceAreOneLine(t *testing.T) {
	t.Parallel()
	offer := sundries(2)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	r.work()
	q := r.request("twice")
	q.Lines = linesOf(offer, 1, 0, 1)
	q.Lines[2].Quantity = 4
	r.ask(q)
	result, orders := r.result("twice"), r.orders("twice")
	if len(orders) != 1 || len(orders[0].Lines) != 2 || orders[0].Lines[0].Quantity != 5 || result.Products != 2 || len(result.Orders[0].Shares) != 3 {
		t.Errorf("%+v, exists: %+v", result, orders)
	}
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "partial", Count: 1})) // its last line
	q = r.request("twice-failed")
	q.Lines = linesOf(offer, 0, 1, 1)
	r.ask(q)
	result = r.result("twice-failed")
	if len(result.Failed) != 2 || result.Failed[0].Line != 1 || result.Failed[1].Line != 2 || result.Products != 1 || result.Outcome != worker.OutcomePartial {
		t.Errorf("%+v", result)
	}
	if shares := result.Orders[0].Shares; len(shares) != 1 || shares[0] != (worker.Share{Line: 0, Goods: 999, Postage: 700}) {
		t.Errorf("%+v", shares)
	}
	if key := r.key(rigKeys[0]); key.Used != 3 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// TestOrdersOfOneCallNameTheirOwnLines, their own postage and discount, also where the answer that told of them was lost.
func TestOrdersOfOneCallNameTheirOwnLines(t *testing.T) {
	t.Parallel()
	offer := sundries(3)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	r.work()
	for _, faults := range [][]string{{"order_list"}, {"order_list", "cut_after"}} {
		id := strings.Join(faults, "-")
		var inject []sim1688.Fault
		for _, kind := range faults {
			inject = append(inject, sim1688.Fault{Operation: "fastCreateOrder", Kind: kind, Count: 1})
		}
		r.must(r.sim.Inject(inject...))
		q := r.request(id)
		q.Lines = linesOf(offer, 2, 0, 1)
		r.ask(q)
		result, orders := r.result(id), r.orders(id)
		if result.Outcome != worker.OutcomePlaced || len(result.Orders) != 3 || len(orders) != 3 || result.Products != 3 {
			t.Fatalf("%s: %+v, exists: %+v", id, result, orders)
		}
		for _, o := range result.Orders {
			at := slices.IndexFunc(orders, func(e sim1688.Order) bool { return e.OrderID == o.OrderID })
			if at < 0 || len(o.Lines) != 1 || q.Lines[o.Lines[0]].SpecID != orders[at].Lines[0].SpecID || o.Discount != 1 ||
				len(o.Shares) != 1 || o.Shares[0] != (worker.Share{Line: o.Lines[0], Goods: 999, Postage: 700, Discount: 1}) {
				t.Errorf("%s: %+v, exists: %+v", id, o, orders)
			}
		}
	}
}

// TestADiscountThatWasPreviewed is shown with the order, and split over its lines.
func TestADiscountThatWasPreviewed(t *testing.T) {
	t.Parallel()
	offer := sundries(2)
	offer.DiscountFen = 101
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	r.work()
	q := r.request("off")
	q.Preview, q.Lines = worker.PreviewAlways, linesOf(offer, 0, 1)
	r.ask(q)
	result := r.result("off")
	want := []worker.Share{{Line: 0, Goods: 950, Postage: 350, Discount: 51}, {Line: 1, Goods: 949, Postage: 350, Discount: 50}}
	if result.Outcome != worker.OutcomePlaced || len(result.Orders) != 1 || result.Orders[0].Discount != 101 || !slices.Equal(result.Orders[0].Shares, want) {
		t.Errorf("%+v", result)
	}
}

// TestOrdersOfOneCallAreTakenAsTold where it cannot be found out what each holds: they exist, and are counted, all the same.
func TestOrdersOfOneCallAreTakenAsTold(t *testing.T) {
	t.Parallel()
	offer := sundries(2)
	r := newRigSelling(t, processes(t), &door{}, offer)
	r.addKey(rigKeys[0], 1000)
	r.work()
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "order_list", Count: 1}, sim1688.Fault{Operation: "getBuyerOrderList", Kind: "http_500", Count: 1}))
	q := r.request("untold")
	q.Lines = linesOf(offer, 0, 1)
	r.ask(q)
	result := r.result("untold")
	if result.Outcome != worker.OutcomePlaced || len(result.Orders) != 2 || len(r.orders("untold")) != 2 || result.Products != 2 {
		t.Fatalf("%+v", result)
	}
	for _, o := range result.Orders {
		if !slices.Equal(o.Lines, []int{0, 1}) || len(o.Shares) > 0 || o.Total != 1699 || o.Postage != 700 {
			t.Errorf("%+v", o)
		}
	}
}
