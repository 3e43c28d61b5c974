package worker

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestCeiling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expected  Fen
		tolerance string
		want      Fen
	}{
		{1999, "", 1999}, {1999, "0", 1999}, {1999, "2.5", 2048}, {1999, "2.50", 2048}, {1999, "0.01", 1999}, {10000, "0.01", 10001},
		{1, "99.99", 1}, {1, "100", 2}, {999_999_999_999, "100", 1_999_999_999_998}, {40, "2.5", 41}, {39, "2.5", 39},
	} {
		if got := ceiling(c.expected, c.tolerance); got != c.want {
			t.Errorf("%d within %q: %d, want %d", c.expected, c.tolerance, got, c.want)
		}
	}
}

// TestCeilingIsExact compares with fractions of any size: the highest whole fen that is not above the bound.
func TestCeilingIsExact(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(16, 88))
	for range 100_000 {
		expected, hundredth := Fen(1+dice.Int64N([]int64{10, 10_000, 999_999_999_999}[dice.IntN(3)])), dice.Int64N(10_001)
		tolerance := Fen(hundredth).Yuan() // two decimals
		got := ceiling(expected, tolerance)
		bound := new(big.Rat).Mul(big.NewRat(int64(expected), 1), big.NewRat(10_000+hundredth, 10_000))
		if big.NewRat(int64(got), 1).Cmp(bound) > 0 || big.NewRat(int64(got)+1, 1).Cmp(bound) <= 0 {
			t.Fatalf("%d within %s percent: %d, bound %s", expected, tolerance, got, bound.FloatString(4))
		}
	}
}

func TestDearer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []Line
		bound Fen
		want  bool
	}{
		"below":               {[]Line{{UnitPrice: 100, Quantity: 3}, {UnitPrice: 1, Quantity: 1}}, 302, false},
		"at the bound":        {[]Line{{UnitPrice: 100, Quantity: 3}}, 300, false},
		"above":               {[]Line{{UnitPrice: 100, Quantity: 3}}, 299, true},
		"a price not known":   {[]Line{{UnitPrice: 100, Quantity: 3}, {Quantity: 1}}, 1_000_000, true},
		"always":              {[]Line{{UnitPrice: 1, Quantity: 1}}, 0, true},
		"too large to be one": {[]Line{{UnitPrice: 999_999_999_999, Quantity: 1_000_000_000}}, 999_999_999_999, true},
	} {
		if got := (&Request{Lines: c.lines}).dearer(c.bound); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestPreviewing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		request Request
		want    Previewing
	}{
		{Request{}, PreviewAsPool},
		{Request{MaxTotal: 1}, PreviewAlways},
		{Request{PriceTolerance: "0"}, PreviewAlways},
		{Request{MaxTotal: 1, Preview: PreviewNever}, PreviewNever},
		{Request{Preview: PreviewAlways}, PreviewAlways},
		{Request{Lines: []Line{{Alternatives: []Alternative{{OfferID: "1"}}}}}, PreviewAlways},
		{Request{Lines: []Line{{UnitPrice: 1}}}, PreviewAsPool},
	} {
		if got := c.request.previewing(); got != c.want {
			t.Errorf("%+v: %q", c.request, got)
		}
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	line := func(offer string, price Fen) QuotedLine { return QuotedLine{OfferID: offer, UnitPrice: price} }
	out := QuotedLine{OfferID: "2", UnitPrice: 100, Code: CodeOutOfStock, Reason: "1688: 500_004"}
	order := Order{Lines: []Line{{OfferID: "1", Quantity: 2, UnitPrice: 1000}, {OfferID: "2", Quantity: 1}}}
	payable := []string{"fxassure"}
	for name, c := range map[string]struct {
		tolerance string
		quotes    []Quote
		code      Code
		failed    int
	}{
		"as expected":                  {"", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 1000), line("2", 5)}}}, "", 0},
		"cheaper":                      {"", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 999), line("2", 5)}}}, "", 0},
		"dearer":                       {"", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 1001), line("2", 5)}}}, CodePriceChanged, 1},
		"dearer within the tolerance":  {"2.5", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 1025), line("2", 5)}}}, "", 0},
		"dearer than tolerated":        {"2.5", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 1026), line("2", 5)}}}, CodePriceChanged, 1},
		"no price where one is wanted": {"100", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("2", 5)}}}, CodePriceChanged, 1},
		"no price where none is":       {"", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 1000)}}}, "", 0},
		"split, one of them not by api": {"", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 5000)}},
			{Lines: []QuotedLine{out}}}, CodeNotOrderable, 1},
		"a line out of stock":      {"", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 5000), out}}}, CodeOutOfStock, 1},
		"not by api, and no lines": {"", []Quote{{}}, CodeNotOrderable, 1},
		"split at two prices": {"", []Quote{{TradeTypes: payable, Lines: []QuotedLine{line("1", 1000)}},
			{TradeTypes: payable, Lines: []QuotedLine{line("1", 1001)}}}, CodePriceChanged, 1},
	} {
		part, pass := guard(order, c.tolerance, c.quotes)
		if pass != (c.code == "") || part.Code != c.code || len(part.Failed) != c.failed {
			t.Errorf("%s: %t %+v", name, pass, part)
		}
		if !pass && (part.State != ClaimRefused || part.Reason == "" || Dispose(part.Code).Outcome != OutcomeRefused) {
			t.Errorf("%s: %+v", name, part)
		}
	}
}

func TestTradeType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quotes []Quote
		want   string
	}{
		{[]Quote{{TradeTypes: []string{"a", "b"}}}, "a"},
		{[]Quote{{TradeTypes: []string{"a", "b"}}, {TradeTypes: []string{"c", "b"}}}, "b"},
		{[]Quote{{TradeTypes: []string{"a"}}, {TradeTypes: []string{"b"}}}, ""},
		{[]Quote{{}}, ""},
	} {
		if got := tradeType(c.quotes); got != c.want {
			t.Errorf("%+v: %q", c.quotes, got)
		}
	}
}

func TestSpent(t *testing.T) {
	t.Parallel()
	var r Request
	ended := func(state ClaimState, price Fen, totals ...Fen) *Ended {
		e := &Ended{Child: &Child{Lines: []int{len(r.Lines)}}, Claim: Claim{Part: Part{State: state}}}
		r.Lines = append(r.Lines, Line{UnitPrice: price, Quantity: 2})
		for _, total := range totals {
			e.Claim.Part.Orders = append(e.Claim.Part.Orders, PlacedOrder{ID: "1", Total: total})
		}
		return e
	}
	all := []*Ended{ended(ClaimPlaced, 1, 100, 20), ended(ClaimPlaced, 7, 0), ended(ClaimUnknown, 1000), ended(ClaimUnknown, 0), ended(ClaimRefused, 9)}
	got := spent(&r, all)
	if got != 120+14+2000 {
		t.Errorf("%d", got)
	}
}
