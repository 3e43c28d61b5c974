package benchmark

import (
	"context"
	"crypto/rand"
	"strings"

	"autopurchase/internal/bus"
)

// NewPlace names a place that nobody has used.
func NewPlace() bus.Apart { return bus.Apart(strings.ToLower(rand.Text())[:10]) }

const poolPrefix = "bench-"

func poolOf(place bus.Apart) string { return poolPrefix + string(place) }

// settleIn takes the rig's place, and clears away what is in those where nobody is any more.
func (r *Rig) settleIn(ctx context.Context) error {
	if err := r.bus.Occupy(); err != nil {
		return err
	}
	r.undo.add(func(ctx context.Context) error { return r.keys.RemovePool(ctx, r.Pool) })
	r.undo.add(func(ctx context.Context) error { return r.bus.Remove(ctx, r.place) })
	places, err := r.bus.Aparts(ctx)
	if err != nil {
		return err
	}
	for _, place := range places {
		if err := r.ifDeserted(ctx, place, func() error { return r.bus.Remove(ctx, place) }); err != nil {
			return err
		}
	}
	pools, err := r.keys.Pools(ctx)
	if err != nil {
		return err
	}
	for _, pool := range pools {
		place := bus.Apart(strings.TrimPrefix(pool, poolPrefix))
		if err := r.ifDeserted(ctx, place, func() error { return r.keys.RemovePool(ctx, pool) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rig) ifDeserted(ctx context.Context, place bus.Apart, step func() error) error {
	deserted, err := r.bus.Deserted(ctx, place)
	if err != nil || !deserted {
		return err
	}
	return step()
}
