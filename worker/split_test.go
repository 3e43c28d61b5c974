package worker

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

func requestOf(sellers ...string) Request {
	r := Request{ID: "PR.1", Tenant: "acme", Pool: "default", Flow: "general", Note: "hello"}
	for i, seller := range sellers {
		r.Lines = append(r.Lines, Line{OfferID: fmt.Sprint(700000000000 + i), Quantity: int64(i + 1), Seller: seller})
	}
	return r
}

func TestSplitBySellerInTheOrderAsked(t *testing.T) {
	children := Split(new(requestOf("a", "b", "a", "", "b")))
	var lines [][]int
	var references []string
	for _, c := range children {
		lines = append(lines, c.Lines)
		references = append(references, c.Order.Reference)
		if c.Order.Flow != "general" || c.Order.Message != "hello" || len(c.Order.Lines) != len(c.Lines) {
			t.Errorf("%+v does not carry the request", c)
		}
	}
	if want := [][]int{{0, 2}, {1, 4}, {3}}; !reflect.DeepEqual(lines, want) {
		t.Errorf("lines %v, want %v", lines, want)
	}
	if want := []string{"acme.PR=2E1-1", "acme.PR=2E1-2", "acme.PR=2E1-3"}; !reflect.DeepEqual(references, want) {
		t.Errorf("references %v, want %v", references, want)
	}
}

func TestSplitAtFiftySKUs(t *testing.T) {
	for lines, want := range map[int][]int{1: {1}, 49: {49}, 50: {50}, 51: {50, 1}, 101: {50, 50, 1}} {
		var sizes []int
		covered := map[int]bool{}
		for _, c := range Split(new(requestOf(make([]string, lines)...))) {
			sizes = append(sizes, len(c.Order.Lines))
			for _, i := range c.Lines {
				covered[i] = true
			}
		}
		if !reflect.DeepEqual(sizes, want) || len(covered) != lines {
			t.Errorf("%d lines became %v covering %d, want %v", lines, sizes, len(covered), want)
		}
	}
}

// TestTheSameGoodsFillNoOrder: lines that join another one take no place of a SKU, wherever they stand, and no order gets more than
// it may have.
func TestTheSameGoodsFillNoOrder(t *testing.T) {
	for _, twice := range []int{0, 1, 2, 48, 49, 50} {
		r := requestOf(make([]string, 120)...)
		for n := range twice { // the first goods again, just before the order is full
			again := r.Lines[n]
			r.Lines = slices.Insert(r.Lines, 49, again)
		}
		covered, wanted := 0, int64(0)
		var sizes []int
		for _, c := range Split(&r) {
			sizes = append(sizes, len(c.Order.Lines))
			covered += len(c.Lines)
			for _, line := range c.Order.Lines {
				wanted += line.Quantity
			}
		}
		asked := int64(0)
		for _, line := range r.Lines {
			asked += line.Quantity
		}
		if !slices.Equal(sizes, []int{50, 50, 20}) || covered != len(r.Lines) || wanted != asked {
			t.Errorf("%d lines twice: orders of %v SKUs covering %d of %d lines, %d of %d pieces", twice, sizes, covered, len(r.Lines), wanted, asked)
		}
	}
}

func TestFingerprintIsOfTheMeaning(t *testing.T) {
	base := requestOf("a", "b")
	same := requestOf("a", "b")
	same.Tenant = "another: the subject is no part of the meaning"
	if Fingerprint(&base) != Fingerprint(&same) || len(Fingerprint(&base)) != 22 {
		t.Errorf("%q and %q", Fingerprint(&base), Fingerprint(&same))
	}
	seen := map[string]string{Fingerprint(&base): "the base"}
	for name, change := range map[string]func(*Request){
		"quantity":  func(r *Request) { r.Lines[0].Quantity = 200 },
		"offer":     func(r *Request) { r.Lines[0].OfferID = "1" },
		"spec":      func(r *Request) { r.Lines[0].SpecID = "1" },
		"seller":    func(r *Request) { r.Lines[0].Seller = "c" },
		"price":     func(r *Request) { r.Lines[0].UnitPrice = 1 },
		"line gone": func(r *Request) { r.Lines = r.Lines[:1] },
		"address":   func(r *Request) { r.DeliverTo.Address = "x" },
		"mobile":    func(r *Request) { r.DeliverTo.Mobile = "x" },
		"phone":     func(r *Request) { r.DeliverTo.Phone = "x" },
		"pool":      func(r *Request) { r.Pool = "x" },
		"account":   func(r *Request) { r.Account = "x" },
		"note":      func(r *Request) { r.Note = "x" },
		"flow":      func(r *Request) { r.Flow = "x" },
		"max total": func(r *Request) { r.MaxTotal = 1 },
		"pay":       func(r *Request) { r.Pay = "auto" },

		"alternative":       func(r *Request) { r.Lines[0].Alternatives = []Alternative{{OfferID: "1", MaxUnitPrice: 1}} },
		"alternative later": func(r *Request) { r.Lines[1].Alternatives = []Alternative{{OfferID: "1", MaxUnitPrice: 1}} },
		"alternative price": func(r *Request) { r.Lines[0].Alternatives = []Alternative{{OfferID: "1", MaxUnitPrice: 2}} },
		"alternative spec": func(r *Request) {
			r.Lines[0].Alternatives = []Alternative{{OfferID: "1", SpecID: "1", MaxUnitPrice: 1}}
		},
		"alternatives": func(r *Request) {
			r.Lines[0].Alternatives = []Alternative{{OfferID: "1", MaxUnitPrice: 1}, {OfferID: "2", MaxUnitPrice: 1}}
		},
	} {
		r := requestOf("a", "b")
		change(&r)
		f := Fingerprint(&r)
		if other, taken := seen[f]; taken {
			t.Errorf("%s means the same as %s", name, other)
		}
		seen[f] = name
	}
}
