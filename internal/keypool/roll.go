package keypool

import (
	"context"
	"slices"
	"sync"
)

// roll is what this process knows of the list of pools. In a cluster the list lies elsewhere than the pools and may be lost
// without them: events that another process left behind would wait in their outbox for good.
type roll struct {
	mutex sync.Mutex
	pools map[string]struct{}
}

func newRoll() *roll { return &roll{pools: map[string]struct{}{}} }

func (r *roll) add(pool string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.pools[pool] = struct{}{}
}

// missing lists the known pools that a list lacks.
func (r *roll) missing(list []string) (missing []any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for pool := range r.pools {
		if !slices.Contains(list, pool) {
			missing = append(missing, pool)
		}
	}
	return missing
}

// Pools lists the names of all pools, sorted. Those that are lost from the list in Redis and were verified by this process are
// put back. Errors are *worker.Trouble.
func (p *Pool) Pools(ctx context.Context) (pools []string, err error) {
	err = p.patiently(ctx, func(ctx context.Context) (err error) {
		pools, err = p.client.SMembers(ctx, p.list()).Result()
		return err
	})
	if missing := p.roll.missing(pools); err == nil && len(missing) > 0 {
		err = p.name(ctx, missing...)
		for _, pool := range missing {
			pools = append(pools, pool.(string))
		}
	}
	slices.Sort(pools)
	return pools, err
}

// name puts pools on the list of pools. It does so before a pool is made: a name without a pool does no harm.
func (p *Pool) name(ctx context.Context, pools ...any) error {
	return p.patiently(ctx, func(ctx context.Context) error { return p.client.SAdd(ctx, p.list(), pools...).Err() })
}
