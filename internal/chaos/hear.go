package chaos

import (
	"context"
	"fmt"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// hear waits until everything that 1688 pushed is on record, or until no more has come for long.
func (r *run) hear(ctx context.Context) {
	for last, since := -1, time.Now(); ctx.Err() == nil && time.Since(since) < standstill; wait(ctx, 2*time.Second) {
		missing, err := r.unheard(ctx)
		if err == nil && len(missing) == 0 {
			return
		}
		if err == nil && len(missing) != last {
			last, since = len(missing), time.Now()
			r.notes.say("%d pushes are not on record yet", last)
		}
	}
}

// unheard names what 1688 pushed and is not on record: that an order was made, and that it was paid for.
func (r *run) unheard(ctx context.Context) (missing []string, err error) {
	courses := map[string]worker.Course{} // by request id
	for _, order := range r.sim.Orders(sim1688.OrderFilter{}) {
		_, ref, _, _ := worker.ParseReference(order.OutOrderID)
		id, _ := worker.DecodeRef(ref)
		course, read := courses[id]
		if !read {
			if course, err = r.bus.Outbox().Course(ctx, tenant, id); err != nil {
				return nil, err
			}
			courses[id] = course
		}
		switch known, found := course.Order(order.OrderID); {
		case !found || known.State == "":
			missing = append(missing, fmt.Sprintf("order %s %s was made", order.OutOrderID, order.OrderID))
		case len(order.Payments) > 0 && known.PaidAt.IsZero():
			missing = append(missing, fmt.Sprintf("order %s %s was paid for", order.OutOrderID, order.OrderID))
		}
	}
	return missing, nil
}
