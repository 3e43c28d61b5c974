package bus

import (
	"fmt"
	"time"

	"autopurchase/worker"
)

// What may be asked about orders that somebody made at 1688 by hand. Each asks 1688, for which it has time.
var (
	OrdersBind = Verb[BindOrder, BoundOrder]{subject: SubjectOrdersBind, request: "order-bind", reply: "order-bound", patience: bindTime}
	// OrdersUnbind takes a binding back.
	OrdersUnbind = Verb[UnbindOrder, UnboundOrder]{subject: SubjectOrdersUnbind, request: "order-unbind", reply: "order-unbound"}
)

// bindTime is how long it may take until every buyer account was asked.
const bindTime = time.Minute

// BindOrder says that an order at 1688 is what a request asked for, which is named by OutOrderID, or by Tenant and RequestID if only
// one order of the request has none at 1688.
type BindOrder struct {
	OrderID    string `json:"order_id"` // at 1688
	Tenant     string `json:"tenant,omitempty"`
	RequestID  string `json:"request_id,omitempty"`
	OutOrderID string `json:"out_order_id,omitempty"`
	Force      bool   `json:"force,omitempty"`   // although it differs
	DryRun     bool   `json:"dry_run,omitempty"` // only compare
	By         string `json:"by"`
	Why        string `json:"why,omitempty"`
}

func (o BindOrder) checked() (BindOrder, *worker.Invalid) {
	if wrong := orderID1688(o.OrderID); wrong != nil {
		return o, wrong
	}
	if wrong := named(&o.Tenant, &o.RequestID, o.OutOrderID); wrong != nil {
		return o, wrong
	}
	return o, accountable(o.By, o.Why)
}

func orderID1688(id string) *worker.Invalid {
	if worker.CheckID(id) != nil {
		return &worker.Invalid{Field: "order_id", Reason: fmt.Sprintf("must be 1688's order id, 1 to %d printable ASCII characters without blanks", worker.MaxID)}
	}
	return nil
}

// Binding is what is asked for, as the domain has it.
func (o BindOrder) Binding() worker.Binding {
	return worker.Binding{Tenant: o.Tenant, RequestID: o.RequestID, Reference: o.OutOrderID, OrderID: o.OrderID, Force: o.Force, DryRun: o.DryRun,
		By: o.By, Why: o.Why}
}

// BoundOrder says what became of it.
type BoundOrder struct {
	Tenant      string            `json:"tenant"`
	RequestID   string            `json:"request_id"`
	OutOrderID  string            `json:"out_order_id"`
	OrderID     string            `json:"order_id"`
	Bound       bool              `json:"bound"` // it is what the request asked for: now, or since before
	New         bool              `json:"new"`   // since now
	Differences []string          `json:"differences"`
	AppKey      string            `json:"app_key,omitempty"` // whose buyer account has it
	Status      string            `json:"status,omitempty"`  // 1688's word
	Total       string            `json:"total,omitempty"`   // yuan; left out when 1688 did not say
	Postage     string            `json:"postage,omitempty"` // yuan
	State       worker.ClaimState `json:"state,omitempty"`   // of the claim before; left out where there was none
	Outcome     worker.Outcome    `json:"outcome,omitempty"` // of the request's result on record; left out while there is none
}

// Bound writes what became of a binding as it is answered.
func Bound(b worker.Bound) BoundOrder {
	answer := BoundOrder{Tenant: b.Tenant, RequestID: b.RequestID, OutOrderID: b.Reference, OrderID: b.Order.OrderID, Bound: b.Bound, New: b.New,
		Differences: append([]string{}, b.Differences...), AppKey: b.AppKey, Status: b.Order.Status, State: b.Before, Outcome: b.Outcome}
	if b.Order.Total > 0 {
		answer.Total = b.Order.Total.Yuan()
	}
	if b.Order.Postage > 0 {
		answer.Postage = b.Order.Postage.Yuan()
	}
	return answer
}

// UnbindOrder says that a binding was wrong.
type UnbindOrder struct {
	OrderID string `json:"order_id"` // at 1688
	By      string `json:"by"`
	Why     string `json:"why,omitempty"`
}

func (o UnbindOrder) checked() (UnbindOrder, *worker.Invalid) {
	if wrong := orderID1688(o.OrderID); wrong != nil {
		return o, wrong
	}
	return o, accountable(o.By, o.Why)
}

// UnboundOrder says which request's it was.
type UnboundOrder struct {
	Tenant     string         `json:"tenant"`
	RequestID  string         `json:"request_id"`
	OutOrderID string         `json:"out_order_id"`
	OrderID    string         `json:"order_id"`
	Outcome    worker.Outcome `json:"outcome,omitempty"` // of the request's result on record; left out while there is none
}
