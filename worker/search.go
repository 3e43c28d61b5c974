package worker

import (
	"context"
	"slices"
)

// search is what several keys say of one order.
type search struct {
	on     []string // keys that show it
	mute   []string // keys that do not answer
	answer Answer   // what those that show it say together; Absent if there are none
}

// searched asks every key for an order.
func searched(ctx context.Context, market Market, keys []string, order *Order) search {
	s := search{answer: Answer{Verdict: Absent, Code: CodeAbsent}}
	for _, key := range keys {
		answer := market.Find(ctx, key, order.Reference)
		switch answer.Verdict {
		case Placed:
			if len(s.on) == 0 {
				s.answer = Answer{Verdict: Placed, Code: answer.Code, Reason: answer.Reason}
			}
			s.on = append(s.on, key)
			s.answer.join(*answer, len(s.on) == 1)
		case Absent:
		default:
			s.mute = append(s.mute, key)
		}
	}
	s.answer = compared(order, s.answer)
	return s
}

// join adds the orders that another key shows: of an order that was split, one may show a part, and another one the rest. What
// they hold is known only if each of them says it.
func (a *Answer) join(other Answer, first bool) {
	for _, order := range other.Orders {
		if !slices.ContainsFunc(a.Orders, func(o PlacedOrder) bool { return o.ID == order.ID }) {
			a.Orders = append(a.Orders, order)
		}
	}
	if first {
		a.Ordered, a.Failed = slices.Clone(other.Ordered), other.Failed
		return
	}
	if len(a.Ordered) == 0 || len(other.Ordered) == 0 {
		a.Ordered, a.Failed = nil, nil
		return
	}
	a.Ordered = append(a.Ordered, other.Ordered...)
}
