package bus

import (
	"time"

	"autopurchase/worker"
)

// OrdersCancel takes a request, or one of its orders, back before it is sent; or closes it at 1688 before it is paid for.
var OrdersCancel = Verb[CancelOrder, CancelledRequest]{
	subject: SubjectOrdersCancel, request: "order-cancel", reply: "order-cancelled", patience: time.Minute,
}

// CancelOrder asks that a request is not bought: all of it, by Tenant and RequestID, or one of its orders, by OutOrderID.
type CancelOrder struct {
	Tenant     string `json:"tenant,omitempty"`
	RequestID  string `json:"request_id,omitempty"`
	OutOrderID string `json:"out_order_id,omitempty"`
	At1688     bool   `json:"at_1688,omitempty"` // close at 1688 what exists there and is not paid for
	DryRun     bool   `json:"dry_run,omitempty"` // only say what would happen
	By         string `json:"by"`                // who asks
	Why        string `json:"why,omitempty"`
}

func (c CancelOrder) checked() (CancelOrder, *worker.Invalid) {
	if wrong := named(&c.Tenant, &c.RequestID, c.OutOrderID); wrong != nil {
		return c, wrong
	}
	return c, accountable(c.By, c.Why)
}

// Cancellation is what is asked for, as the domain has it.
func (c CancelOrder) Cancellation() worker.Cancellation {
	return worker.Cancellation{Tenant: c.Tenant, RequestID: c.RequestID, Reference: c.OutOrderID, AtMarket: c.At1688, DryRun: c.DryRun, By: c.By, Why: c.Why}
}

// CancelledRequest says what became of a cancellation.
type CancelledRequest struct {
	Tenant    string           `json:"tenant"`
	RequestID string           `json:"request_id"`
	Cancelled bool             `json:"cancelled"`         // every order that was asked about: it is never sent, or closed at 1688
	Outcome   worker.Outcome   `json:"outcome,omitempty"` // of the request's result on record; left out while there is none
	Orders    []CancelledOrder `json:"orders"`
}

// CancelledOrder says what became of one order.
type CancelledOrder struct {
	OutOrderID string            `json:"out_order_id"`
	Cancelled  bool              `json:"cancelled"`       // it is never sent
	State      worker.ClaimState `json:"state,omitempty"` // of its claim; left out where a dry run found none
	Reason     string            `json:"reason"`
	At1688     []ClosedOrder     `json:"at_1688,omitempty"` // what became of each that exists there, if it was to be closed
}

// ClosedOrder says what became of an order at 1688.
type ClosedOrder struct {
	OrderID string `json:"order_id"`
	Closed  bool   `json:"closed"`             // nothing is to be paid for it, and nothing is sent
	Retry   int64  `json:"retry_ms,omitempty"` // it is too young to be closed: ask again after so many milliseconds
	Reason  string `json:"reason"`
}

// Shut names the orders of 1688 that are closed there.
func (c CancelledRequest) Shut() (ids []string) {
	for _, o := range c.Orders {
		for _, at := range o.At1688 {
			if at.Closed {
				ids = append(ids, at.OrderID)
			}
		}
	}
	return ids
}

// Retry is how long to wait before the same is asked again, since an order is too young to be closed; 0 for no reason to ask again.
func (c CancelledRequest) Retry() (after time.Duration) {
	for _, o := range c.Orders {
		for _, at := range o.At1688 {
			after = max(after, time.Duration(at.Retry)*time.Millisecond)
		}
	}
	return after
}

// Taken names the orders that are cancelled.
func (c CancelledRequest) Taken() (orders []string) {
	for _, o := range c.Orders {
		if o.Cancelled {
			orders = append(orders, o.OutOrderID)
		}
	}
	return orders
}

// Cancelled writes what became of a cancellation as it is answered.
func Cancelled(c worker.Cancelled) CancelledRequest {
	answer := CancelledRequest{Tenant: c.Tenant, RequestID: c.RequestID, Cancelled: c.All(), Outcome: c.Outcome, Orders: []CancelledOrder{}}
	for _, o := range c.Orders {
		order := CancelledOrder{OutOrderID: o.Reference, Cancelled: o.Cancelled, State: o.State, Reason: o.Reason}
		for _, at := range o.Closed {
			order.At1688 = append(order.At1688, ClosedOrder{OrderID: at.OrderID, Closed: at.Closed, Retry: at.Again.Milliseconds(), Reason: at.Reason})
		}
		answer.Orders = append(answer.Orders, order)
	}
	return answer
}
