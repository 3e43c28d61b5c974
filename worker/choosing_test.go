package worker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// shop previews orders for what it has of each offer at what price.
type shop struct {
	stock map[string]int64
	price map[string]Fen
	whole bool // says no to the order without a word on its lines
	asked []Order
}

func (s *shop) Preview(_ context.Context, order *Order) *Answer {
	s.asked = append(s.asked, *order)
	quote := Quote{TradeTypes: []string{"fxassure"}}
	for _, line := range order.Lines {
		quoted := QuotedLine{OfferID: line.OfferID, SpecID: line.SpecID, UnitPrice: s.price[line.OfferID]}
		if s.stock[line.OfferID] < line.Quantity {
			quoted.Code, quoted.Reason = CodeOutOfStock, "库存不足"
		}
		if s.whole && quoted.Code != "" {
			return &Answer{Verdict: Refused, Code: quoted.Code, Reason: quoted.Reason}
		}
		quote.Lines = append(quote.Lines, quoted)
		quote.Total += quoted.UnitPrice * Fen(line.Quantity)
	}
	return &Answer{Verdict: Placed, Code: CodePlaced, Quotes: []Quote{quote}}
}

// wants is a line for an offer, or one of the others for at most 20 yuan.
func wants(offer string, quantity int64, others ...string) Line {
	l := Line{OfferID: offer, Quantity: quantity, UnitPrice: 1000}
	for _, other := range others {
		l.Alternatives = append(l.Alternatives, Alternative{OfferID: other, MaxUnitPrice: 2000})
	}
	return l
}

func choose(t *testing.T, s *shop, lines ...Line) (r Request, bought Child, refused Part) {
	t.Helper()
	r = Request{ID: "PR.1", Tenant: "acme", Lines: lines, Preview: PreviewAlways, PriceTolerance: "100"}
	w := &Worker{Ports: Ports{Previewer: s}}
	bought, quotes, refused, err := w.buyer(&Delivery{}, &r).chosen(t.Context(), Split(&r)[0])
	if err != nil || refused.State == "" && len(quotes) != 1 {
		t.Fatalf("%+v %+v %v", quotes, refused, err)
	}
	if refused.State == "" {
		choice := Choice{Fingerprint: Fingerprint(&r), Chosen: r.choice([]Child{bought})}
		var own bool
		if r, own = r.Choose(choice); !own {
			t.Fatalf("%+v is not the request's own", choice)
		}
		if again := Split(&r)[0]; !reflect.DeepEqual(again, bought) {
			t.Errorf("chosen is %+v, and found again is %+v", bought, again)
		}
	}
	return r, bought, refused
}

func TestChoosing(t *testing.T) {
	t.Parallel()
	dear := map[string]Fen{"B": 2001, "C": 2000}
	for name, c := range map[string]struct {
		stock map[string]int64
		price map[string]Fen
		lines []Line
		want  string // offers and quantities of the order's lines
		asked int
	}{
		"as asked":                         {stock: map[string]int64{"A": 2, "B": 9}, lines: []Line{wants("A", 2, "B")}, want: "[A×2]", asked: 1},
		"the first":                        {stock: map[string]int64{"A": 1, "B": 9, "C": 9}, lines: []Line{wants("A", 2, "B", "C")}, want: "[B×2]", asked: 2},
		"the second":                       {stock: map[string]int64{"C": 9}, lines: []Line{wants("A", 2, "B", "C")}, want: "[C×2]", asked: 3},
		"what is tolerated lifts no bound": {stock: map[string]int64{"B": 9, "C": 9}, price: dear, lines: []Line{wants("A", 2, "B", "C")}, want: "[C×2]", asked: 3},
		"the other line's":                 {stock: map[string]int64{"B": 9}, lines: []Line{wants("A", 2, "B"), wants("B", 3, "A")}, want: "[B×5]", asked: 2},
		"not at the other's cost":          {stock: map[string]int64{"B": 4, "C": 9}, lines: []Line{wants("A", 2, "B", "C"), wants("B", 3)}, want: "[C×2 B×3]", asked: 3},
		"both the same":                    {stock: map[string]int64{"C": 5}, lines: []Line{wants("A", 2, "C"), wants("B", 3, "C")}, want: "[C×5]", asked: 2},
		"both go on":                       {stock: map[string]int64{"C": 4, "D": 5}, lines: []Line{wants("A", 2, "C", "D"), wants("B", 3, "C", "D")}, want: "[D×5]", asked: 3},
		"joined lines go together":         {stock: map[string]int64{"B": 9, "C": 9}, lines: []Line{wants("A", 2, "B", "C"), wants("A", 3, "C")}, want: "[C×5]", asked: 2},
		"its own goods count for nothing":  {stock: map[string]int64{"B": 9}, lines: []Line{wants("A", 2, "A", "A", "B")}, want: "[B×2]", asked: 2},
		"others stay":                      {stock: map[string]int64{"A": 9, "C": 9}, lines: []Line{wants("A", 1, "D"), wants("B", 2, "C")}, want: "[A×1 C×2]", asked: 2},
	} {
		s := &shop{stock: c.stock, price: map[string]Fen{"A": 1000, "B": 1000, "C": 1000, "D": 1000}}
		for offer, price := range c.price {
			s.price[offer] = price
		}
		_, bought, refused := choose(t, s, c.lines...)
		var got []string
		for _, line := range bought.Order.Lines {
			got = append(got, fmt.Sprintf("%s×%d", line.OfferID, line.Quantity))
		}
		if refused.State != "" || fmt.Sprint(got) != c.want || len(s.asked) != c.asked {
			t.Errorf("%s: %v after %d previews, want %s after %d; %+v", name, got, len(s.asked), c.want, c.asked, refused)
		}
	}
}

// TestNothingIsLeftToChoose: the lines failed as they were asked for, with a word on each alternative that was tried.
func TestNothingIsLeftToChoose(t *testing.T) {
	t.Parallel()
	s := &shop{stock: map[string]int64{"B": 9, "Z": 9}, price: map[string]Fen{"A": 1000, "B": 2001, "Z": 1000}}
	_, asked, refused := choose(t, s, wants("A", 2, "B", "C"), wants("Z", 1, "A"))
	want := []FailedOffer{{OfferID: "A", Code: CodeOutOfStock, Reason: "库存不足", Tried: []Code{CodePriceChanged, CodeOutOfStock}}}
	if refused.State != ClaimRefused || refused.Code != CodeOutOfStock || !reflect.DeepEqual(refused.Failed, want) || asked.Order.Lines[0].OfferID != "A" {
		t.Errorf("%+v of %+v", refused, asked)
	}
	if len(s.asked) != 3 {
		t.Errorf("%d previews", len(s.asked))
	}
}

// TestARefusalOfTheWholeIsTheOnlyLines: if there is one. Of several nobody knows which it is about, and nothing is replaced.
func TestARefusalOfTheWholeIsTheOnlyLines(t *testing.T) {
	t.Parallel()
	s := &shop{stock: map[string]int64{"B": 9}, price: map[string]Fen{"A": 1, "B": 1}, whole: true}
	if _, bought, refused := choose(t, s, wants("A", 2, "B")); refused.State != "" || bought.Order.Lines[0].OfferID != "B" {
		t.Errorf("%+v, %+v", bought, refused)
	}
	s.asked = nil
	if _, _, refused := choose(t, s, wants("A", 2, "B"), wants("B", 1)); refused.Code != CodeOutOfStock || len(refused.Failed) != 0 || len(s.asked) != 1 {
		t.Errorf("%+v after %d previews", refused, len(s.asked))
	}
}

// TestWhatIsNotAboutGoodsIsNotReplaced: an address is as wrong for another offer.
func TestWhatIsNotAboutGoodsIsNotReplaced(t *testing.T) {
	t.Parallel()
	r := Request{Lines: []Line{wants("A", 1, "B")}}
	c := newChoosing(Split(&r)[0], r.Lines)
	if c.next(c.child(), Part{State: ClaimRefused, Code: CodeRefused, Reason: "地址有误"}) {
		t.Error("it goes on")
	}
	for code, d := range dispositions {
		if d.Elsewhere && d.Outcome != OutcomeRefused {
			t.Errorf("%s is no refusal", code)
		}
	}
}

// TestSplitByWhatWasChosen: whatever is chosen, the orders are the same ones, cover the same lines with as many pieces, and none has
// two lines of the same goods, or more than it was to have.
func TestSplitByWhatWasChosen(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(4, 11))
	offer := func() string { return fmt.Sprint("7", dice.IntN(60)) }
	for range 300 {
		r := Request{ID: "PR.1", Tenant: "acme"}
		for range 1 + dice.IntN(150) {
			line := wants(offer(), 1+dice.Int64N(5), offer(), offer(), offer())
			line.Seller = fmt.Sprint(dice.IntN(3))
			r.Lines = append(r.Lines, line)
		}
		asked := Split(&r)
		var chosen []Child
		for _, child := range asked {
			c := newChoosing(child, r.Lines)
			for k := range c.at {
				c.at[k] = dice.IntN(len(c.asked.Order.Lines[k].Alternatives) + 1)
			}
			chosen = append(chosen, c.child())
		}
		means := Fingerprint(&r)
		r, own := r.Choose(Choice{Fingerprint: means, Chosen: r.choice(chosen), At: time.Now()})
		again := Split(&r)
		if !own || Fingerprint(&r) != means || !reflect.DeepEqual(again, chosen) {
			for i := range chosen {
				t.Errorf("chosen is %+v, and found again is %+v", chosen[i].Order.Lines, again[i].Order.Lines)
			}
			t.FailNow()
		}
		for i, child := range again {
			goods := map[SKU]bool{}
			for _, line := range child.Order.Lines {
				goods[SKU{line.OfferID, line.SpecID}] = true
			}
			if child.Order.Reference != asked[i].Order.Reference || !slices.Equal(child.Lines, asked[i].Lines) || len(goods) != len(child.Order.Lines) ||
				len(goods) > len(asked[i].Order.Lines) || SizeOf(child.Order.Lines).Units != SizeOf(asked[i].Order.Lines).Units {
				t.Fatalf("%+v is made of %+v", child, asked[i])
			}
			for n, line := range child.Lines { // each line gets what it named
				if got := child.line(n); got.OfferID != r.Lines[line].OfferID && !slices.ContainsFunc(r.Lines[line].Alternatives, func(a Alternative) bool { return a.OfferID == got.OfferID }) {
					t.Fatalf("line %d asks for %+v and gets %+v", line, r.Lines[line], got)
				}
			}
		}
	}
}

// TestAChoiceOfAnotherRequest: it is not taken for the request's own.
func TestAChoiceOfAnotherRequest(t *testing.T) {
	t.Parallel()
	r := Request{ID: "PR.1", Lines: []Line{wants("A", 1, "B")}}
	for name, choice := range map[string]Choice{
		"another meaning":     {Fingerprint: "x"},
		"no such line":        {Fingerprint: Fingerprint(&r), Chosen: []Chosen{{Line: 1, Alternative: 1}}},
		"no such alternative": {Fingerprint: Fingerprint(&r), Chosen: []Chosen{{Line: 0, Alternative: 2}}},
		"none":                {Fingerprint: Fingerprint(&r), Chosen: []Chosen{{Line: 0, Alternative: 0}}},
	} {
		if got, own := r.Choose(choice); own || got.Choice != nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestSharesOfAlternatives: the money is split by what was bought.
func TestSharesOfAlternatives(t *testing.T) {
	t.Parallel()
	r := Request{ID: "PR.1", Tenant: "acme", Lines: []Line{wants("A", 1, "B"), wants("C", 1)}}
	r, _ = r.Choose(Choice{Fingerprint: Fingerprint(&r), Chosen: []Chosen{{Line: 0, Alternative: 1, OfferID: "B"}}})
	part := Part{State: ClaimPlaced, Code: CodePlaced, Orders: []PlacedOrder{{ID: "1", Total: 3000}}}
	result := Gather(&r, []*Ended{{Child: &Split(&r)[0], Claim: Claim{State: ClaimPlaced, Part: part}}})
	want := []Share{{Line: 0, Goods: 2000}, {Line: 1, Goods: 1000}}
	if o := result.Orders[0]; !slices.Equal(o.Shares, want) || !slices.Equal(o.Alternatives, r.Choice.Chosen) {
		t.Errorf("%+v", o)
	}
	part = Part{State: ClaimPartial, Code: CodePartial, Orders: part.Orders, Failed: []FailedOffer{{OfferID: "B", Code: CodeOutOfStock}}}
	result = Gather(&r, []*Ended{{Child: &Split(&r)[0], Claim: Claim{State: ClaimPartial, Part: part}}})
	if f := result.Failed; len(f) != 1 || f[0].Line != 0 || f[0].OfferID != "B" || f[0].Alternative != 1 || len(result.Orders[0].Shares) != 1 {
		t.Errorf("%+v", result)
	}
	order := Split(&r)[0].Order
	found := compared(&order, Answer{Verdict: Placed, Ordered: []SKU{{OfferID: "B"}}})
	if len(found.Failed) != 1 || found.Failed[0].OfferID != "C" {
		t.Errorf("what was found is compared with something else: %+v", found)
	}
	if differ := (OrderDetail{Items: []Goods{{OfferID: "B", Quantity: 1}, {OfferID: "C", Quantity: 1}}}).goodsDiffer(order); len(differ) != 0 {
		t.Errorf("%q", differ)
	}
}
