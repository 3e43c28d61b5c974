package main

import (
	"context"
	"slices"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// link gives addresses where a person pays for orders, one for each app key.
func (a payAdmin) link(ctx context.Context, ask bus.LinkToPay) (bus.LinksToPay, error) {
	answer := bus.LinksToPay{Links: []bus.LinkOfKey{}}
	n := 0
	for _, name := range ask.Orders {
		orders, why, err := a.toPay(ctx, name)
		if err != nil {
			return answer, err
		}
		answer.LeftOut = append(answer.LeftOut, why...)
		for _, order := range orders {
			answer.Links, n = linked(answer.Links, order, n)
		}
	}
	if n > worker.MaxPayLink {
		return answer, bus.TooManyToPay(n)
	}
	for i := range answer.Links {
		a.ask(ctx, &answer.Links[i])
	}
	return answer, nil
}

// linked puts an order to the others of its key, once, and counts it.
func linked(links []bus.LinkOfKey, order worker.ResultOrder, n int) ([]bus.LinkOfKey, int) {
	at := slices.IndexFunc(links, func(l bus.LinkOfKey) bool { return l.AppKey == order.AppKey })
	if at < 0 {
		at = len(links)
		links = append(links, bus.LinkOfKey{AppKey: order.AppKey})
	}
	entry := bus.OrderToPay{OutOrderID: order.OutOrderID, OrderID: order.OrderID}
	if slices.Contains(links[at].Orders, entry) {
		return links, n
	}
	links[at].Orders = append(links[at].Orders, entry)
	return links, n + 1
}

// toPay finds the orders that are meant by a name, and says which cannot be paid for by hand and why.
func (a payAdmin) toPay(ctx context.Context, name string) (orders []worker.ResultOrder, leftOut []bus.LeftOutToPay, err error) {
	tenant, id, reference, _ := bus.NamedOrder(name) // it was checked
	result, found, err := a.bus.Result(ctx, tenant, id)
	if err != nil {
		return nil, nil, err
	}
	if !found {
		return nil, []bus.LeftOutToPay{{Name: name, Reason: "its request has no result on record"}}, nil
	}
	for _, order := range result.Orders {
		if reference != "" && order.OutOrderID != reference {
			continue
		}
		why, err := a.notByHand(ctx, result, order)
		switch {
		case err != nil:
			return nil, nil, err
		case why != "":
			leftOut = append(leftOut, bus.LeftOutToPay{Name: order.OutOrderID, Reason: why})
		default:
			orders = append(orders, order)
		}
	}
	if len(orders)+len(leftOut) == 0 {
		leftOut = append(leftOut, bus.LeftOutToPay{Name: name, Reason: "its request has no such order"})
	}
	return orders, leftOut, nil
}

// notByHand says why a person must not pay for an order now, "" if one may: it could be paid for twice.
func (a payAdmin) notByHand(ctx context.Context, result worker.Result, order worker.ResultOrder) (string, error) {
	if result.Pay != worker.PayAuto {
		return "", nil
	}
	p, _, err := a.bus.Payment(ctx, result.Tenant, result.RequestID, order.OrderID)
	switch {
	case err != nil || p.Step == worker.PaymentWaits:
		return "", err
	case p.Step.Ended():
		return "its payment has ended: " + string(p.Step), nil
	}
	return "it is paid for without a person (pay auto), and that is under way", nil
}

// ask asks 1688 for one address.
func (a payAdmin) ask(ctx context.Context, link *bus.LinkOfKey) {
	var ids []string
	for _, order := range link.Orders {
		ids = append(ids, order.OrderID)
	}
	answer := a.market.PayLink(ctx, link.AppKey, ids)
	link.Failed, link.Said = ids, answer.Reason
	if answer.Link == nil {
		return
	}
	link.URL, link.Failed, link.Said = answer.Link.URL, answer.Link.Failed, answer.Link.Said
	if link.URL == "" {
		link.Failed = ids
	}
}
