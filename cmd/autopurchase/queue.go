package main

import (
	"context"
	"errors"

	"autopurchase/internal/bus"
)

// openQueue connects to a queue that exists already, for those who only publish or watch. The streams are the workers' to make.
func openQueue(ctx context.Context, broker bus.Config) (*bus.Bus, error) {
	b, err := bus.Connect(ctx, broker)
	if err != nil {
		return nil, err
	}
	if _, err := b.Depth(ctx); errors.Is(err, bus.ErrNoQueue) {
		return nil, errors.Join(errors.New("this NATS has no purchase queue yet: start a worker, which makes it"), b.Close())
	}
	return b, nil
}
