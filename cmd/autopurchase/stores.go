package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/metrics"
	"autopurchase/worker"
)

// defaultPool is the pool of requests that name none.
const defaultPool = "default"

// stores are the two that every worker works on: NATS and Redis. A pool is compared with the journal and the results before
// anything is drawn from a Redis that was started, emptied or exchanged: an in-process one begins empty each time.
type stores struct {
	bus     *bus.Bus
	pool    *keypool.Pool
	metrics *metrics.Set // nil where nobody asks for them
}

// openStores connects to NATS and Redis, makes the streams and verifies the pools; from then on the key pool does so itself.
func openStores(ctx context.Context, broker bus.Config, redis keypool.Config, undo *cleanup) (*stores, error) {
	b, err := bus.Connect(ctx, broker)
	if err != nil {
		return nil, err
	}
	undo.add("NATS connection", func(context.Context) error { return b.Close() })
	if err := b.Provision(ctx); errors.Is(err, bus.ErrForbidden) {
		return nil, fmt.Errorf("%w; run autopurchase provision with the provisioner's seed first", err)
	} else if err != nil {
		return nil, err
	}
	redis.Log, redis.History = broker.Log, b.History()
	pool, err := keypool.Open(ctx, redis)
	if err != nil {
		return nil, err
	}
	undo.add("Redis connection", func(context.Context) error { return pool.Close() })
	s := &stores{bus: b, pool: pool}
	pools, err := b.Pools(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range append(pools, defaultPool) {
		if err := pool.Rebuild(ctx, name, b.History()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// verify rebuilds a pool that is not verified on the Redis that answers now, or people would be shown an emptied one.
func (s *stores) verify(ctx context.Context, pool string) error {
	return s.pool.Rebuild(ctx, pool, s.bus.History())
}

// onRecord changes something in a pool and returns once that is on record. A pool that is not verified is rebuilt first, or its
// keys would begin to count anew.
func (s *stores) onRecord(ctx context.Context, pool string, change func() error) error {
	if err := s.verify(ctx, pool); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	return s.pool.Flush(ctx, s.journal())
}

// journal is the bus's, with what is put into it counted.
func (s *stores) journal() worker.Journal {
	j := s.bus.Journal()
	if s.metrics != nil {
		j.OnStored = s.metrics.PoolEvent
	}
	return j
}

// addRecipients sees to it that secrets of every pool are sealed for these relays too.
func (s *stores) addRecipients(ctx context.Context, relays []string) error {
	pools, err := s.pool.Pools(ctx)
	if err != nil {
		return err
	}
	for _, pool := range append(pools, defaultPool) {
		err := s.onRecord(ctx, pool, func() error {
			set, err := s.pool.Settings(ctx, pool)
			if err != nil {
				return err
			}
			before := len(set.Recipients)
			for _, relay := range relays {
				if !slices.Contains(set.Recipients, relay) {
					set.Recipients = append(set.Recipients, relay)
				}
			}
			if len(set.Recipients) == before {
				return nil
			}
			return s.pool.Configure(ctx, pool, set, keypool.Change{By: "up", Why: "its relay's identity"})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var _ worker.Stock = (*stores)(nil)

// Left is the pool's.
func (s *stores) Left(ctx context.Context, pool string) (int64, error) {
	return s.pool.Left(ctx, pool)
}

// Pools are the pool's.
func (s *stores) Pools(ctx context.Context) ([]string, error) { return s.pool.Pools(ctx) }

// Room is the pool's.
func (s *stores) Room(ctx context.Context, pool string, payer worker.Payer) (worker.Size, error) {
	return s.pool.Room(ctx, pool, payer)
}

// Shares is the pool's.
func (s *stores) Shares(ctx context.Context, pool string) (map[string]int, error) {
	return s.pool.Shares(ctx, pool)
}

// AppKeys is the pool's.
func (s *stores) AppKeys(ctx context.Context, pool string) ([]string, error) {
	return s.pool.AppKeys(ctx, pool)
}
