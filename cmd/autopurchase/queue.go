package main

import (
	"context"
	"errors"

	"autopurchase/internal/bus"
)

// openQueue connects to a queue that exists already, to publish in the tenant's name. The streams are the workers' to make.
func openQueue(ctx context.Context, broker bus.Config, tenant string) (*bus.Bus, error) {
	b, err := bus.Connect(ctx, broker)
	if err != nil {
		return nil, err
	}
	if err := b.CheckQueue(ctx, tenant); err != nil {
		return nil, errors.Join(noQueue(err), b.Close())
	}
	return b, nil
}

// noQueue says who makes the queue if it is not there.
func noQueue(err error) error {
	if errors.Is(err, bus.ErrNoQueue) {
		return errors.New("this NATS has no purchase queue yet: start a worker, which makes it")
	}
	return err
}
