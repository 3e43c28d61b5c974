package worker

import (
	"slices"
	"strings"
	"time"
)

// resolvedBy begins the note that a resolution leaves in the result's reason.
const resolvedBy = "resolved by "

// note is what the result's reason and the log say of a resolution.
func (r Resolution) note() string {
	text := resolvedBy + r.By + " as absent"
	if len(r.Placed) > 0 {
		text = resolvedBy + r.By + " as placed"
	}
	if r.Force {
		text += " (forced)"
	}
	if r.Why != "" {
		text += ": " + r.Why
	}
	return text
}

// Deed is the word for the record.
func (r Resolution) Deed(at time.Time) Deed {
	text := "absent"
	if len(r.Placed) > 0 {
		text = "placed as order " + strings.Join(r.Placed, ", ")
	}
	if r.Force {
		text += " (forced)"
	}
	return Deed{What: DeedResolved, Tenant: r.Tenant, RequestID: r.RequestID, OutOrderID: r.Reference, Text: text, By: r.By, Why: r.Why, At: at.UTC()}
}

// field is the one that holds the person's word.
func (r Resolution) field() string {
	if len(r.Placed) > 0 {
		return "placed"
	}
	return "absent"
}

func (r Resolution) wrong(field, reason string) error {
	return &Invalid{RequestID: r.RequestID, Field: field, Reason: reason}
}

// objection says why 1688's answer does not allow the word, "" if it does. An order that 1688 has is a fact that no force
// makes absent; a list that does not answer objects to nothing.
func (r Resolution) objection(answer Answer) string {
	there := "1688 has " + idsOf(answer.Orders) + " under this reference: "
	switch {
	case answer.Verdict == Placed && len(r.Placed) == 0:
		return there + "resolve it as placed"
	case r.Force || len(r.Placed) == 0:
		return ""
	case answer.Verdict == Placed && !sameOrders(answer.Orders, r.Placed):
		return there + "give those ids, or force it"
	case answer.Verdict == Absent:
		return "1688 has no order under this reference: check the ids, or force it"
	}
	return ""
}

// part is what the word settles, and how much was ordered. Where 1688 says the same, it knows more: money and lines left out.
func (r Resolution) part(order Order, answer Answer) (Part, Size) {
	if len(r.Placed) == 0 {
		return Part{State: ClaimRefused, Code: CodeRefused, Reason: r.note()}, Size{}
	}
	if answer.Verdict != Placed || !sameOrders(answer.Orders, r.Placed) {
		answer = Answer{Verdict: Placed}
		for _, id := range r.Placed {
			answer.Orders = append(answer.Orders, PlacedOrder{ID: id})
		}
	}
	part, size := Decide(&order, &answer)
	part.Reason = r.note()
	return part, size
}

// file is what is known of a request: all that its orders ended in, or that they are open.
type file struct {
	asked    Asked
	answered bool
	result   Result
	into     string   // the request that it is bought with, "" if it is alone
	ended    []*Ended // one for each order; a claim without a state is not in the ledger
}

// isOpen says whether it is not known what became of the order.
func isOpen(e *Ended) bool {
	return e.Claim.State == ClaimUnknown || !e.Claim.State.Settled() || e.Claim.State == ""
}

// choose finds the order that the word is about.
func (f *file) choose(r Resolution) (*Ended, error) {
	var open []string
	var only *Ended
	for _, e := range f.ended {
		if r.Reference == e.Claim.Reference || len(f.ended) == 1 && r.Reference == "" {
			return e, nil
		}
		if isOpen(e) {
			open, only = append(open, e.Claim.Reference), e
		}
	}
	switch {
	case r.Reference != "":
		return nil, r.wrong("reference", "is no order of this request")
	case len(open) != 1:
		return nil, r.wrong("reference", "must name one of the request's orders that are open: "+strings.Join(open, ", "))
	}
	return only, nil
}

// again answers a resolution of a request that is decided: the same word gets the same result.
func (f *file) again(r Resolution) (Result, error) {
	if strings.Contains(f.result.Reason, resolvedBy) {
		for _, e := range f.ended {
			if (r.Reference == "" || r.Reference == e.Claim.Reference) && sameOrders(f.result.ordersOf(e.Claim.Reference), r.Placed) {
				return f.result, nil
			}
		}
	}
	return Result{}, r.wrong("request_id", joined("is not parked: it ended as "+string(f.result.Outcome), f.result.Reason))
}

// ordersOf gives the orders of a reference.
func (r Result) ordersOf(reference string) (orders []PlacedOrder) {
	for _, order := range r.Orders {
		if order.OutOrderID == reference {
			orders = append(orders, PlacedOrder{ID: order.OrderID, Total: order.Total, Postage: order.Postage, Discount: order.Discount})
		}
	}
	return orders
}

func sameOrders(orders []PlacedOrder, want []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(ids(orders))), slices.Sorted(slices.Values(want)))
}

// tell says in words how an order ended.
func tell(part Part) string {
	switch {
	case len(part.Orders) > 0:
		return "is placed as " + idsOf(part.Orders)
	case part.State == "":
		return "is in the hands of a later delivery"
	}
	return joined("ended as "+string(part.State), part.Reason)
}

func idsOf(orders []PlacedOrder) string { return "order " + strings.Join(ids(orders), ", ") }

func ids(orders []PlacedOrder) []string {
	list := make([]string, 0, len(orders))
	for _, order := range orders {
		list = append(list, order.ID)
	}
	return list
}

// joined puts a note behind a text unless it is there already.
func joined(text, note string) string {
	switch {
	case text == "":
		return note
	case note == "" || strings.Contains(text, note):
		return text
	}
	return text + "; " + note
}
