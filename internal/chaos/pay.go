package chaos

import (
	"context"
	"slices"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// pay waits until every order is paid for that is to be, or until none of those that are left got on for so long. Payments that were
// never answered are looked up by a person, now that nothing is under way any more.
func (r *run) pay(ctx context.Context) {
	var left []unpaid
	for since := time.Now(); ctx.Err() == nil && time.Since(since) < standstill; wait(ctx, 2*time.Second) {
		now := r.unpaid(ctx)
		if len(now) == 0 {
			return
		}
		if len(now) != len(left) {
			r.notes.say("%d orders are to be paid for", len(now))
		}
		if !slices.Equal(now, left) {
			left, since = now, time.Now()
		}
		r.agree(ctx)
	}
	for _, u := range left {
		r.notes.say("order %s was not paid for: %s %s", u.orderID, u.step, u.reason)
	}
}

// agree has payments made again that were never answered and took no money, as the books say.
func (r *run) agree(ctx context.Context) {
	waiting, err := r.bus.Unpaid(ctx)
	if err != nil {
		return // it is asked again
	}
	for _, p := range waiting {
		of := func(o sim1688.Order) bool { return o.OrderID == p.OrderID && len(o.Payments) == 0 }
		if p.Code != worker.WaitAnswer || !slices.ContainsFunc(r.sim.Orders(sim1688.OrderFilter{OutOrderID: p.Reference}), of) {
			continue
		}
		_, err := bus.PayAgree.Ask(ctx, r.bus, bus.AgreeToPay{OutOrderID: p.Reference, OrderID: p.OrderID, Most: p.Amount, By: operator.By})
		r.notes.say("the payment of %s was never answered and took no money: it is made again (%v)", p.OrderID, err)
	}
}

// unpaid is an order that is to be paid for and is not, and how far its payment has got.
type unpaid struct {
	orderID, reason string
	step            worker.PaymentStep
	place           uint64
}

// unpaid lists them: those in a result that asks for it.
func (r *run) unpaid(ctx context.Context) (list []unpaid) {
	for _, order := range r.sim.Orders(sim1688.OrderFilter{}) {
		_, ref, _, _ := worker.ParseReference(order.OutOrderID)
		id, _ := worker.DecodeRef(ref)
		if len(order.Payments) > 0 {
			continue
		}
		result, _, err := r.bus.Result(ctx, tenant, id)
		is := func(o worker.ResultOrder) bool { return o.OrderID == order.OrderID }
		if err == nil && (result.Pay != worker.PayAuto || !slices.ContainsFunc(result.Orders, is)) {
			continue
		}
		payment, place, _ := r.bus.Payment(ctx, tenant, id, order.OrderID) // it is asked again
		list = append(list, unpaid{orderID: order.OrderID, step: payment.Step, reason: payment.Reason, place: place})
	}
	return list
}
