package bus

import "autopurchase/worker"

// OrdersCancel takes a request, or one of its orders, back before it is sent.
var OrdersCancel = Verb[CancelOrder, CancelledRequest]{subject: SubjectOrdersCancel, request: "order-cancel", reply: "order-cancelled"}

// CancelOrder asks that a request is not bought: all of it, by Tenant and RequestID, or one of its orders, by OutOrderID.
type CancelOrder struct {
	Tenant     string `json:"tenant,omitempty"`
	RequestID  string `json:"request_id,omitempty"`
	OutOrderID string `json:"out_order_id,omitempty"`
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
	return worker.Cancellation{Tenant: c.Tenant, RequestID: c.RequestID, Reference: c.OutOrderID, DryRun: c.DryRun, By: c.By, Why: c.Why}
}

// CancelledRequest says what became of a cancellation.
type CancelledRequest struct {
	Tenant    string           `json:"tenant"`
	RequestID string           `json:"request_id"`
	Cancelled bool             `json:"cancelled"`         // every order that was asked about: none is ever sent
	Outcome   worker.Outcome   `json:"outcome,omitempty"` // of the request's result on record; left out while there is none
	Orders    []CancelledOrder `json:"orders"`
}

// CancelledOrder says what became of one order.
type CancelledOrder struct {
	OutOrderID string            `json:"out_order_id"`
	Cancelled  bool              `json:"cancelled"`       // it is never sent
	State      worker.ClaimState `json:"state,omitempty"` // of its claim; left out where a dry run found none
	Reason     string            `json:"reason"`
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
		answer.Orders = append(answer.Orders, CancelledOrder{OutOrderID: o.Reference, Cancelled: o.Cancelled, State: o.State, Reason: o.Reason})
	}
	return answer
}
