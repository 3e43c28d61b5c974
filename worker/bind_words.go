package worker

import (
	"slices"
	"strconv"
	"time"
)

// note is what the result's reason and the log say of a binding.
func (w Binding) note() string {
	text := "bound by " + w.By
	if w.Force {
		text += " (forced)"
	}
	if w.Why != "" {
		text += ": " + w.Why
	}
	return text
}

// deed is the word for the record.
func (w Binding) deed(reference string) Deed {
	text := "order " + w.OrderID + " of 1688 is " + reference
	if w.Force {
		text += " (forced)"
	}
	return Deed{What: DeedBound, Tenant: w.Tenant, RequestID: w.RequestID, OutOrderID: reference, OrderID: w.OrderID, Text: text,
		By: w.By, Why: w.Why, At: time.Now().UTC()}
}

// part is what the word settles, and how much was ordered: lines that the order certainly lacks were not.
func (w Binding) part(order Order, detail OrderDetail) (Part, Size) {
	answer := Answer{Verdict: Placed, Orders: []PlacedOrder{{ID: w.OrderID, Total: detail.Total, Postage: detail.Postage}}}
	for _, item := range detail.Items {
		answer.Ordered = append(answer.Ordered, item.sku())
	}
	if !slices.ContainsFunc(answer.Ordered, func(sku SKU) bool { return !sku.isIn(order.Lines) }) {
		answer = compared(&order, answer)
	}
	if len(answer.Failed) == len(order.Lines) {
		answer.Failed = nil // a person says that it is this order, whatever it holds
	}
	for i := range answer.Failed {
		answer.Failed[i].Reason = "the order that was bound by hand lacks it"
	}
	part, size := Decide(&order, &answer)
	part.Reason = w.note()
	return part, size
}

// Holds says whose an order is by a person's word.
func (d Deed) Holds() string {
	if d.What != DeedBound {
		return "is the order of " + d.OutOrderID + ", as " + d.By + " said"
	}
	return "is bound to " + d.OutOrderID + " by " + d.By + ": unbind it first"
}

// mark tells results that come of different deeds apart.
func (d Deed) mark() string {
	if d.Entry == 0 {
		return string(d.What) + d.OrderID
	}
	return string(d.What) + strconv.FormatUint(d.Entry, 10)
}

// status is what was seen of the order.
func (d Deed) status(order OrderDetail, appKey string) Status {
	status := Status{Tenant: d.Tenant, Ref: EncodeRef(d.RequestID), RequestID: d.RequestID, OrderID: d.OrderID, OutOrderID: d.OutOrderID,
		AppKey: appKey, EventID: d.mark(), Topic: TopicDetail, Event: OrderEvent(StateOf(order.Status)), Status: order.Status,
		Source: SourceDetail, At: d.At}
	if status.Event == "" {
		status.Event = EventOther
	}
	return status
}
