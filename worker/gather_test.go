package worker

import (
	"reflect"
	"testing"
	"time"
)

func endedAs(children []Child, parts ...Part) []*Ended {
	var ended []*Ended
	for i, part := range parts {
		part.At = time.UnixMilli(int64(1000 + i))
		ended = append(ended, &Ended{Child: &children[i], Claim: Claim{
			Reference: children[i].Order.Reference, AppKey: "key-" + children[i].Order.Reference[len(children[i].Order.Reference)-1:],
			State: part.State, Products: int64(len(children[i].Lines)), Attempt: i + 1, Part: part,
		}})
	}
	return ended
}

func TestGatherGivesOneOutcome(t *testing.T) {
	placed := Part{State: ClaimPlaced, Code: CodePlaced, Orders: []PlacedOrder{{ID: "2257000000000000973", Total: 100}}}
	partial := Part{State: ClaimPartial, Code: CodePartial, Orders: []PlacedOrder{{ID: "2"}}, Failed: []FailedOffer{{OfferID: "700000000000", Code: CodeOutOfStock}}}
	refused := Part{State: ClaimRefused, Code: CodeOutOfStock, Reason: "库存不足"}
	other := Part{State: ClaimRefused, Code: CodeUnknownSpec}
	unknown := Part{State: ClaimUnknown, Code: CodeAbsent}
	late := tooLate()
	for name, c := range map[string]struct {
		parts   []Part
		outcome Outcome
		code    Code
	}{
		"placed":             {[]Part{placed}, OutcomePlaced, CodePlaced},
		"all placed":         {[]Part{placed, placed}, OutcomePlaced, CodePlaced},
		"refused":            {[]Part{refused}, OutcomeRefused, CodeOutOfStock},
		"refused twice":      {[]Part{refused, other}, OutcomeRefused, CodeOutOfStock},
		"placed and refused": {[]Part{placed, refused}, OutcomePartial, CodePartial},
		"refused and placed": {[]Part{refused, placed}, OutcomePartial, CodePartial},
		"partial":            {[]Part{partial}, OutcomePartial, CodePartial},
		"partial and placed": {[]Part{partial, placed}, OutcomePartial, CodePartial},
		"unknown outweighs":  {[]Part{placed, unknown}, OutcomeUnknown, CodeAbsent},
		"cancelled":          {[]Part{late}, OutcomeCancelled, CodeDeadline},
		"late and placed":    {[]Part{late, placed}, OutcomePartial, CodePartial},
	} {
		children := Split(new(requestOf("a", "b")))
		got := Gather(new(requestOf("a", "b")), endedAs(children, c.parts...))
		if got.Outcome != c.outcome || got.Code != c.code {
			t.Errorf("%s: %s %s, want %s %s", name, got.Outcome, got.Code, c.outcome, c.code)
		}
	}
}

func TestGatherAddsUp(t *testing.T) {
	r := requestOf("a", "b", "a", "c")
	children := Split(&r)
	got := Gather(&r, endedAs(children,
		Part{State: ClaimPartial, Code: CodePartial, Orders: []PlacedOrder{{ID: "11", Total: 100, Postage: 5}, {ID: "12"}},
			Failed: []FailedOffer{{OfferID: r.Lines[2].OfferID, Code: CodeOutOfStock, Reason: "none"}}},
		Part{State: ClaimRefused, Code: CodeBelowMinimum, Reason: "few"},
		Part{State: ClaimUnknown, Code: CodeAbsent},
	))
	want := Result{
		Tenant: "acme", RequestID: "PR.1", Outcome: OutcomeUnknown, Code: CodeAbsent, AppKey: "key-1", Products: 2, Attempt: 3, DecidedAt: time.UnixMilli(1002),
		Orders: []ResultOrder{
			{OrderID: "11", OutOrderID: "acme.PR=2E1-1", AppKey: "key-1", Products: 2, Total: 100, Postage: 5, Lines: []int{0, 2}},
			{OrderID: "12", OutOrderID: "acme.PR=2E1-1", AppKey: "key-1", Lines: []int{0, 2}},
		},
		Failed: []FailedLine{
			{Line: 2, OfferID: r.Lines[2].OfferID, Code: CodeOutOfStock, Reason: "none"},
			{Line: 1, OfferID: r.Lines[1].OfferID, Code: CodeBelowMinimum, Reason: "few"},
		},
		Unknown: []OpenOrder{{OutOrderID: "acme.PR=2E1-3", AppKey: "key-3", Products: 1, Lines: []int{3}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecideCountsWhatWasOrdered(t *testing.T) {
	order := Order{Lines: []Line{{OfferID: "1", SpecID: "a", Quantity: 2}, {OfferID: "1", SpecID: "b", Quantity: 3}, {OfferID: "2", Quantity: 5}}}
	one := []PlacedOrder{{ID: "9"}}
	for name, c := range map[string]struct {
		answer Answer
		state  ClaimState
		code   Code
		size   Size
	}{
		"all":            {Answer{Verdict: Placed, Orders: one}, ClaimPlaced, CodePlaced, Size{3, 10}},
		"one spec less":  {Answer{Verdict: Placed, Orders: one, Failed: []FailedOffer{{OfferID: "1", SpecID: "b"}}}, ClaimPartial, CodePartial, Size{2, 7}},
		"no spec less":   {Answer{Verdict: Placed, Orders: one, Failed: []FailedOffer{{OfferID: "2"}}}, ClaimPartial, CodePartial, Size{2, 5}},
		"refused":        {Answer{Verdict: Refused, Code: CodeOutOfStock}, ClaimRefused, CodeOutOfStock, Size{}},
		"refused oddly":  {Answer{Verdict: Refused, Code: "new"}, ClaimRefused, CodeRefused, Size{}},
		"refused placed": {Answer{Verdict: Refused, Code: CodePlaced}, ClaimRefused, CodeRefused, Size{}},
	} {
		part, size := Decide(&order, &c.answer)
		if part.State != c.state || part.Code != c.code || size != c.size {
			t.Errorf("%s: %s %s %+v, want %s %s %+v", name, part.State, part.Code, size, c.state, c.code, c.size)
		}
	}
}
