package worker

import (
	"reflect"
	"testing"
)

// TestComparedWithWhatWasAskedFor: only a line that is missing for sure was left out; in doubt the order counts in full.
func TestComparedWithWhatWasAskedFor(t *testing.T) {
	a, b, c := SKU{"1", "a"}, SKU{"1", "b"}, SKU{"2", ""}
	line := func(s SKU) Line { return Line{OfferID: s.OfferID, SpecID: s.SpecID, Quantity: 1} }
	asked := Order{Lines: []Line{line(a), line(b), line(c)}}
	for name, test := range map[string]struct {
		ordered, missing []SKU
	}{
		"all":                                {[]SKU{a, b, c}, nil},
		"all, twice":                         {[]SKU{a, b, c, a}, nil},
		"1688 did not say":                   {nil, nil},
		"one is missing":                     {[]SKU{a, c}, []SKU{b}},
		"two are missing":                    {[]SKU{b}, []SKU{a, c}},
		"an offer without SKU shown with it": {[]SKU{a, b, {"2", "x"}}, nil},
		"an offer shown without its SKU":     {[]SKU{{"1", ""}, c}, nil},
		"something nobody asked for":         {[]SKU{a, {"3", ""}}, nil},
		"a SKU nobody asked for":             {[]SKU{a, c, {"1", "z"}}, nil},
	} {
		answer := compared(&asked, Answer{Verdict: Placed, Orders: []PlacedOrder{{ID: "9"}}, Ordered: test.ordered})
		var missing []SKU
		for _, f := range answer.Failed {
			if f.Code != CodeRefused || f.Reason == "" {
				t.Errorf("%s: %+v", name, f)
			}
			missing = append(missing, SKU{f.OfferID, f.SpecID})
		}
		if !reflect.DeepEqual(missing, test.missing) {
			t.Errorf("%s: missing %v, want %v", name, missing, test.missing)
		}
		part, size := Decide(&asked, &answer)
		if want := int64(3 - len(test.missing)); size.Lines != want || (part.State == ClaimPartial) != (len(test.missing) > 0) {
			t.Errorf("%s: %s, %d lines count", name, part.State, size.Lines)
		}
	}
	if got := compared(&asked, Answer{Verdict: Absent, Ordered: []SKU{a}}); len(got.Failed) != 0 {
		t.Errorf("an absent order lacks %v", got.Failed)
	}
}
