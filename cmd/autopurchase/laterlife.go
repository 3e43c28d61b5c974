package main

import (
	"context"
	"errors"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// lookAtMost bounds a look at an order: whoever was handed a status has to be done with it in time.
const lookAtMost = 15 * time.Second

// followOrders has it found out, until ctx ends, what pushes did not tell.
func followOrders(ctx context.Context, b *bus.Bus, tracker *worker.Tracker) error {
	return errors.Join(b.FollowStatuses(ctx, tracker.Shipped), b.FollowStrays(ctx, tracker.Sort))
}
