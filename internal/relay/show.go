package relay

import (
	"context"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

// List shows a page of the orders of the buyer who authorized the key; see worker.Bookshop.
func (r *Relay) List(ctx context.Context, leaf worker.Leaf) worker.Answer {
	answer := r.ask(ctx, leaf.AppKey, "", 1, func(cred alibaba.Credentials) alibaba.Reply { return r.client.List(ctx, cred, leaf) })
	for _, order := range answer.Listed { // pushes about them need not ask
		if order.Reference != "" {
			r.origins.add(order.OrderID, order.Reference)
		}
	}
	return answer
}
