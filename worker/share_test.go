package worker

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestApportion rounds by largest remainder, and loses nothing.
func TestApportion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sum           Fen
		weights, want []Fen
	}{
		{600, []Fen{3998, 1999}, []Fen{400, 200}},
		{1, []Fen{1, 1, 1}, []Fen{1, 0, 0}},
		{2, []Fen{1, 1, 1}, []Fen{1, 1, 0}},
		{100, []Fen{1, 2, 3}, []Fen{17, 33, 50}},
		{5, []Fen{1, 1_000_000}, []Fen{0, 5}},
		{0, []Fen{7, 9}, []Fen{0, 0}},
		{9, []Fen{4}, []Fen{9}},
		{1 << 43, []Fen{1 << 62, 1<<62 - 1}, []Fen{1 << 42, 1 << 42}},
	} {
		if got := apportion(c.sum, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v, want %v", c.sum, c.weights, got, c.want)
		}
	}
}

// TestSharesAddUp over random requests, splits and failures: for every order with shares the parts are its money to the fen, each
// less than a fen from what it should be, and lines that were not bought have none.
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(16, 88))
	shared := 0
	for range 3000 {
		r, ended := randomPurchase(random)
		result := Gather(&r, ended)
		failed := map[int]bool{}
		for _, f := range result.Failed {
			failed[f.Line] = true
		}
		for _, o := range result.Orders {
			if len(o.Shares) == 0 {
				continue
			}
			shared++
			var goods, postage, discount Fen
			var lines []int
			for _, s := range o.Shares {
				goods, postage, discount = goods+s.Goods, postage+s.Postage, discount+s.Discount
				lines = append(lines, s.Line)
				if failed[s.Line] || !slices.Contains(o.Lines, s.Line) || s.Goods < 0 || s.Postage < 0 || s.Discount < 0 {
					t.Fatalf("%+v of %+v", s, o)
				}
				nearly(t, s.Goods, o.Total-o.Postage, s.Line, o, r)
				nearly(t, s.Postage, o.Postage, s.Line, o, r)
				nearly(t, s.Discount, o.Discount, s.Line, o, r)
			}
			if goods+postage != o.Total || postage != o.Postage || discount != o.Discount {
				t.Fatalf("%d, %d, %d do not add up to %+v", goods, postage, discount, o)
			}
			if bought := slices.DeleteFunc(slices.Clone(o.Lines), func(n int) bool { return failed[n] }); !slices.Equal(lines, bought) {
				t.Fatalf("shares of %v, bought %v", lines, bought)
			}
		}
	}
	if shared < 1000 {
		t.Errorf("only %d orders had shares: this test looks at too little", shared)
	}
}

// nearly checks that a part is less than a fen from sum × value ÷ all values.
func nearly(t *testing.T, part, sum Fen, line int, o ResultOrder, r Request) {
	t.Helper()
	value := func(n int) float64 { return float64(r.Lines[n].UnitPrice) * float64(r.Lines[n].Quantity) }
	all := 0.0
	for _, s := range o.Shares {
		all += value(s.Line)
	}
	if exact := float64(sum) * value(line) / all; float64(part) <= exact-1.001 || float64(part) >= exact+1.001 {
		t.Fatalf("%d of %d, exactly %f", part, sum, exact)
	}
}

// randomPurchase makes a request and ends its orders: in one order or two at 1688, with lines left out.
func randomPurchase(random *rand.Rand) (Request, []*Ended) {
	r := Request{ID: "PR.1", Tenant: "acme"}
	for range 1 + random.IntN(8) {
		r.Lines = append(r.Lines, Line{OfferID: fmt.Sprint(1 + random.IntN(5)), Quantity: 1 + random.Int64N(9), UnitPrice: Fen(random.Int64N(9000)), Seller: fmt.Sprint(random.IntN(2))})
	}
	var ended []*Ended
	for _, child := range Split(&r) {
		part := Part{State: ClaimPlaced, Code: CodePlaced}
		if random.IntN(3) == 0 && len(child.Order.Lines) > 1 {
			line := child.Order.Lines[0]
			part.State, part.Code, part.Failed = ClaimPartial, CodePartial, []FailedOffer{{OfferID: line.OfferID, SpecID: line.SpecID, Code: CodeOutOfStock}}
		}
		placed := func(id string, holds ...Line) {
			o := PlacedOrder{ID: id, Postage: Fen(random.Int64N(1000)), Discount: Fen(random.Int64N(50))}
			o.Total = o.Postage + Fen(random.Int64N(100_000))
			for _, line := range holds {
				o.Holds = append(o.Holds, SKU{OfferID: line.OfferID})
			}
			part.Orders = append(part.Orders, o)
		}
		if lines := child.Order.Lines; len(lines) > 2 && random.IntN(2) == 0 {
			placed("1", lines[:2]...)
			placed("2", lines[2:]...)
		} else {
			placed("1")
		}
		part.Orders = allotted(&child.Order, part.Orders)
		ended = append(ended, &Ended{Child: &child, Claim: Claim{Reference: child.Order.Reference, Part: part}})
	}
	return r, ended
}

// TestOrdersOfOneCall name their own lines if 1688 says what each holds, and those of all of them if it does not.
func TestOrdersOfOneCall(t *testing.T) {
	t.Parallel()
	r := Request{ID: "PR.1", Tenant: "acme", Lines: []Line{
		{OfferID: "7", Quantity: 1, UnitPrice: 100}, {OfferID: "8", Quantity: 1, UnitPrice: 100}, {OfferID: "7", Quantity: 2, UnitPrice: 100},
	}}
	child := Split(&r)[0]
	for _, c := range []struct {
		holds  [2][]SKU
		lines  [2][]int
		shared bool
	}{
		{[2][]SKU{{{OfferID: "7"}}, {{OfferID: "8"}}}, [2][]int{{0, 2}, {1}}, true},
		{[2][]SKU{{{OfferID: "7"}}, {{OfferID: "7"}, {OfferID: "8"}}}, [2][]int{{0, 2}, {0, 1, 2}}, false}, // a line in two orders: nobody says how much of it
		{[2][]SKU{{{OfferID: "7"}}, nil}, [2][]int{{0, 1, 2}, {0, 1, 2}}, false},
		{[2][]SKU{{{OfferID: "7"}}, {{OfferID: "9"}}}, [2][]int{{0, 1, 2}, {0, 1, 2}}, false},
	} {
		part, size := Decide(&child.Order, &Answer{Verdict: Placed, Orders: []PlacedOrder{{ID: "1", Total: 300, Holds: c.holds[0]}, {ID: "2", Total: 100, Holds: c.holds[1]}}})
		result := Gather(&r, []*Ended{{Child: &child, Claim: Claim{Reference: "acme.PR=2E1-1", Part: part}}})
		for i, o := range result.Orders {
			if !slices.Equal(o.Lines, c.lines[i]) || (len(o.Shares) > 0) != c.shared {
				t.Errorf("%v: order %d: %+v", c.holds, i, o)
			}
		}
		if size != (Size{Lines: 2, Units: 4}) {
			t.Errorf("%+v", size)
		}
		again := result.recall(child)
		if !reflect.DeepEqual(Gather(&r, []*Ended{{Child: &child, Claim: again}}).Orders, result.Orders) {
			t.Errorf("recalled: %+v, was %+v", again.Part.Orders, result.Orders)
		}
	}
}

// TestTheDiscountOfAPreview is told of the order that it became, as far as that cost what was previewed.
func TestTheDiscountOfAPreview(t *testing.T) {
	t.Parallel()
	order := Order{quoted: Quote{Total: 900, Discount: 100}}
	for _, c := range []struct {
		placed []PlacedOrder
		want   Fen
	}{
		{[]PlacedOrder{{ID: "1", Total: 900}}, 100},
		{[]PlacedOrder{{ID: "1", Total: 901}}, 0},
		{[]PlacedOrder{{ID: "1"}}, 0},
		{[]PlacedOrder{{ID: "1", Total: 900, Discount: 7}}, 7},
		{[]PlacedOrder{{ID: "1", Total: 900}, {ID: "2", Total: 900}}, 0},
	} {
		got := Answer{Verdict: Placed, Orders: c.placed}
		if order.asQuoted(&got); got.Orders[0].Discount != c.want {
			t.Errorf("%+v: %d, want %d", c.placed, got.Orders[0].Discount, c.want)
		}
	}
	got := Answer{Verdict: Placed, Orders: []PlacedOrder{{ID: "1"}}}
	if (&Order{}).asQuoted(&got); got.Orders[0].Discount != 0 {
		t.Errorf("without a preview: %+v", got)
	}
}

// TestTheSameGoodsTwice are one line of the order, whose fate is that of both lines of the request.
func TestTheSameGoodsTwice(t *testing.T) {
	t.Parallel()
	r := Request{ID: "PR.1", Tenant: "acme", Lines: []Line{
		{OfferID: "7", SpecID: "a", Quantity: 2, UnitPrice: 500, Seller: "hill"},
		{OfferID: "7", SpecID: "b", Quantity: 1, Seller: "hill"},
		{OfferID: "7", SpecID: "a", Quantity: 3, Seller: "hill"},
		{OfferID: "7", SpecID: "a", Quantity: 1, Seller: "lake"}, // of another seller: another order
		{OfferID: "7", SpecID: "a", Quantity: 4, UnitPrice: 450, Seller: "hill"},
	}}
	children := Split(&r)
	if len(children) != 2 || len(children[1].Order.Lines) != 1 {
		t.Fatalf("%+v", children)
	}
	hill := children[0]
	want := []Line{{OfferID: "7", SpecID: "a", Quantity: 9, UnitPrice: 450, Seller: "hill"}, {OfferID: "7", SpecID: "b", Quantity: 1, Seller: "hill"}}
	if !reflect.DeepEqual(hill.Order.Lines, want) || !slices.Equal(hill.Lines, []int{0, 1, 2, 4}) || !slices.Equal(hill.Goods, []int{0, 1, 0, 0}) {
		t.Errorf("%+v", hill)
	}
	part, size := Decide(&hill.Order, &Answer{Verdict: Placed, Orders: []PlacedOrder{{ID: "1"}}, Failed: []FailedOffer{{OfferID: "7", SpecID: "a", Code: CodeOutOfStock}}})
	if size != (Size{Lines: 1, Units: 1}) {
		t.Errorf("counts %+v", size)
	}
	var failed []int
	for _, f := range Gather(&r, []*Ended{{Child: &hill, Claim: Claim{Part: part}}}).Failed {
		failed = append(failed, f.Line)
	}
	if !slices.Equal(failed, []int{0, 2, 4}) {
		t.Errorf("failed: %v", failed)
	}
	var many Request
	for i := range 120 {
		many.Lines = append(many.Lines, Line{OfferID: fmt.Sprint(i % 60), Quantity: 1})
	}
	if got := Split(&many); len(got) != 2 || len(got[0].Order.Lines) != MaxSKUs || len(got[1].Order.Lines) != 10 || len(got[0].Lines) != 100 {
		t.Errorf("60 goods, each twice, became %d orders", len(got))
	}
}
