package worker

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestDividedResultsAddUp over random orders, failures and members: money, products and lines of the members are those of the whole.
func TestDividedResultsAddUp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(12, 1688))
	bought, split := 0, 0
	for range 6000 {
		r, ended := randomPurchase(random)
		if len(ended) != 1 || ended[0].Claim.Part.State == ClaimUnknown {
			continue
		}
		whole := Gather(&r, ended)
		members := cutUp(random, r)
		results := divide(whole, members)
		if again := divide(whole, members); !reflect.DeepEqual(again, results) {
			t.Fatal("divided twice, it differs")
		}
		sums, failed := map[string]ResultOrder{}, 0
		var products int64
		for i, result := range results {
			if result.MergedInto != r.ID || result.RequestID != members[i].ID || len(result.Orders)+len(result.Unknown) > 0 || result.Products > 0 || result.AppKey != "" || result.Pay != "" {
				t.Fatalf("%+v counts or pays by itself", result)
			}
			failed += len(result.Failed)
			for _, f := range result.Failed {
				if line := members[i].Lines[f.Line]; line.OfferID != f.OfferID || line.SpecID != f.SpecID {
					t.Fatalf("%+v is not the line %+v", f, line)
				}
			}
			for _, o := range result.MergedOrders {
				sum := sums[o.OrderID]
				sums[o.OrderID] = ResultOrder{Total: sum.Total + o.Total, Postage: sum.Postage + o.Postage, Discount: sum.Discount + o.Discount, Lines: append(sum.Lines, o.Lines...)}
				products += o.Products
			}
			if want := endOf(whole, result, len(members[i].Lines)); result.Outcome != want {
				t.Fatalf("%s with %d of %d lines failed, of a whole that is %s", result.Outcome, len(result.Failed), len(members[i].Lines), whole.Outcome)
			}
		}
		if failed != len(whole.Failed) {
			t.Fatalf("%d lines failed, of %d", failed, len(whole.Failed))
		}
		for _, o := range whole.Orders {
			sum := sums[o.OrderID]
			if len(o.Shares) > 0 && (sum.Total != o.Total || sum.Postage != o.Postage || sum.Discount != o.Discount) {
				t.Fatalf("%+v add up to %+v", o, sum)
			}
		}
		if len(whole.Orders) == 1 {
			bought++
			if products != whole.Products {
				t.Fatalf("%d products, of %d", products, whole.Products)
			}
		}
		if len(members) > 1 {
			split++
		}
	}
	if bought < 100 || split < 100 {
		t.Errorf("only %d were bought, %d split", bought, split)
	}
}

// endOf is how a member ended.
func endOf(whole, member Result, lines int) Outcome {
	switch {
	case whole.Outcome != OutcomePartial:
		return whole.Outcome
	case len(member.Failed) == 0:
		return OutcomePlaced
	case len(member.Failed) == lines:
		return Dispose(member.Failed[0].Code).Outcome
	}
	return OutcomePartial
}

// cutUp makes requests of one, line by line.
func cutUp(random *rand.Rand, r Request) (members []Request) {
	for lines := r.Lines; len(lines) > 0; {
		n := 1 + random.IntN(len(lines))
		member := r
		member.ID, member.Lines = fmt.Sprintf("PR-%d", len(members)), lines[:n]
		members, lines = append(members, member), lines[n:]
	}
	return members
}

func small(id string, lines ...Line) Request {
	return Request{ID: id, Tenant: "acme", Pool: "default", Merge: true, Lines: lines}
}

func lineOf(offer string, price Fen) Line {
	return Line{OfferID: offer, Quantity: 1, UnitPrice: price, Seller: "s"}
}

// TestWhatIsMergeable.
func TestWhatIsMergeable(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for what, change := range map[string]func(*Request){
		"not asked for":   func(r *Request) { r.Merge = false },
		"large":           func(r *Request) { r.Lines = slices.Repeat(r.Lines, MergeLines+1) },
		"a limit":         func(r *Request) { r.MaxTotal = 1 },
		"no seller":       func(r *Request) { r.Lines[0].Seller = "" },
		"another seller":  func(r *Request) { r.Lines = append(r.Lines, Line{Seller: "b", UnitPrice: 1}) },
		"no price":        func(r *Request) { r.Lines[0].UnitPrice = 0 },
		"alternatives":    func(r *Request) { r.Lines[0].Alternatives = []Alternative{{OfferID: "2", MaxUnitPrice: 1}} },
		"a near deadline": func(r *Request) { r.Deadline = now.Add(2 * time.Second) },
	} {
		r := small("a", lineOf("1", 100))
		if !r.mergeable(time.Second, now) {
			t.Fatal("it is not mergeable as it is")
		}
		if change(&r); r.mergeable(time.Second, now) {
			t.Errorf("%s: is mergeable", what)
		}
	}
	same := small("b", lineOf("2", 100))
	for what, change := range map[string]func(*Request){
		"tenant":   func(r *Request) { r.Tenant = "bolt" },
		"pool":     func(r *Request) { r.Pool = "other" },
		"payer":    func(r *Request) { r.Account = "other" },
		"seller":   func(r *Request) { r.Lines = []Line{{OfferID: "2", Quantity: 1, UnitPrice: 100, Seller: "z"}} },
		"address":  func(r *Request) { r.DeliverTo.AddressID = "2" },
		"flow":     func(r *Request) { r.Flow = "saleproxy" },
		"pay":      func(r *Request) { r.Pay = PayAuto },
		"note":     func(r *Request) { r.Note = "x" },
		"deadline": func(r *Request) { r.Deadline = now.Add(time.Hour) },
		"preview":  func(r *Request) { r.Preview = PreviewAlways },
		"price":    func(r *Request) { r.PriceTolerance = "5" },
	} {
		other := same
		if other.company() != small("a", lineOf("1", 50)).company() {
			t.Fatal("alike requests are no company")
		}
		if change(&other); other.company() == same.company() {
			t.Errorf("another %s makes no difference", what)
		}
	}
}

// TestABatchHoldsWhatOneOrderTakes: its lines, and one price for the same goods.
func TestABatchHoldsWhatOneOrderTakes(t *testing.T) {
	t.Parallel()
	k := newBasket(time.Minute, 1000)
	one, first := k.enter(small("a", lineOf("1", 100)))
	if again, second := k.enter(small("a", lineOf("1", 100))); !first || second || again != one || len(one.members) != 1 {
		t.Fatalf("delivered again: %v, %+v", second, again)
	}
	if same, _ := k.enter(small("b", lineOf("1", 100))); same != one {
		t.Error("the same price of the same goods is another batch's")
	}
	dear, _ := k.enter(small("c", lineOf("1", 101)))
	if dear == one {
		t.Error("two prices of the same goods are in one batch")
	}
	if !closed(one) || closed(dear) {
		t.Error("a batch that is passed over stays open, or the new one does not")
	}
	for n := 1; n*MergeLines < MaxSKUs; n++ {
		r := small(fmt.Sprint("d", n))
		for i := range MergeLines {
			r.Lines = append(r.Lines, lineOf(fmt.Sprint(n*100+i), 5))
		}
		if next, _ := k.enter(r); next != dear {
			t.Fatal("there was room")
		}
	}
	rest := small("e")
	for i := range MergeLines - 1 {
		rest.Lines = append(rest.Lines, lineOf(fmt.Sprint(9000+i), 5))
	}
	if last, _ := k.enter(rest); last != dear || !closed(dear) {
		t.Error("a full batch stays open")
	}
	if off, _ := newBasket(0, 10).enter(small("a", lineOf("1", 1))); off != nil {
		t.Error("without a window it waits")
	}
	if none, _ := newBasket(time.Minute, 0).enter(small("a", lineOf("1", 1))); none != nil {
		t.Error("without a place it waits")
	}
}

func closed(b *batch) bool {
	select {
	case <-b.closed:
		return true
	default:
		return false
	}
}
