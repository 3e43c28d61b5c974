package worker

import (
	"context"
	"fmt"
	"slices"
)

// Agreement is a person's word that an order may be paid for: although what is payable has changed, or once more, since the person has seen
// that a try which 1688 never answered took no money.
type Agreement struct {
	Tenant    string
	RequestID string
	Reference string // the order; "" takes the request's only one
	OrderID   string // at 1688; "" takes the only one of the reference
	Most      Fen    // what may be paid at most
	By        string
	Why       string
}

// Agree enters the agreement in the record of the order's payment, behind whatever is there. It returns the entry that stands then.
// Errors: an *Invalid that names the field; a *Trouble, after which it may be repeated.
func (c *Cashier) Agree(ctx context.Context, a Agreement) (Payment, error) {
	result, found, err := c.Record.Result(ctx, a.Tenant, a.RequestID)
	if err != nil {
		return Payment{}, err
	}
	if !found {
		return Payment{}, &Invalid{RequestID: a.RequestID, Field: "request_id", Reason: "has no result on record for tenant " + a.Tenant}
	}
	order, err := a.order(result)
	if err != nil {
		return Payment{}, err
	}
	b := &bill{Cashier: c, result: result, order: order}
	if b.last, b.place, err = c.Book.Payment(ctx, a.Tenant, a.RequestID, order.OrderID); err != nil {
		return b.last, err
	}
	switch {
	case b.last.Step.Ended():
		return b.last, &Invalid{RequestID: a.RequestID, Field: "order_id", Reason: "its payment has ended: " + string(b.last.Step)}
	case b.last.Step.flying() && b.last.Code != WaitAnswer || b.last.Step == PaymentIntended:
		return b.last, &Invalid{RequestID: a.RequestID, Field: "order_id", Reason: "its payment is under way: ask again in a while"}
	case b.last.Step == PaymentAgreed && b.last.Agreed == a.Most:
		return b.last, nil
	}
	if b.last.Step == PaymentUnpaid { // whoever entered that may have died before it was counted no longer
		if err := c.Till.GiveBack(ctx, b.last); err != nil {
			return b.last, err
		}
	}
	err = b.enter(ctx, PaymentAgreed, func(p *Payment) {
		p.Agreed, p.By, p.Why = a.Most, a.By, a.Why
		p.Reason = fmt.Sprintf("up to %s may be paid", a.Most.Yuan())
	})
	if err == nil {
		select {
		case c.agreed <- result:
		default:
		}
	}
	return b.last, err
}

// order finds the order that is agreed to.
func (a Agreement) order(result Result) (ResultOrder, error) {
	invalid := func(field, reason string) (ResultOrder, error) {
		return ResultOrder{}, &Invalid{RequestID: a.RequestID, Field: field, Reason: reason}
	}
	if result.Pay != PayAuto {
		return invalid("request_id", "is not to be paid for automatically: its pay is none")
	}
	orders := slices.Clone(result.Orders)
	orders = slices.DeleteFunc(orders, func(o ResultOrder) bool {
		return a.Reference != "" && o.OutOrderID != a.Reference || a.OrderID != "" && o.OrderID != a.OrderID
	})
	switch len(orders) {
	case 0:
		return invalid("order_id", "names no order of the request's result")
	case 1:
		return orders[0], nil
	}
	return invalid("order_id", fmt.Sprintf("must be given: %d orders are meant", len(orders)))
}
