package keypool

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"autopurchase/worker"
)

// list is where the names of this process's pools are.
func (p *Pool) list() string {
	if p.config.Apart {
		return apartNames
	}
	return poolNames
}

// errShared is RemovePool's of a pool that is not its caller's alone.
var errShared = errors.New("is on the list of the pools that others use: it is not removed")

// scanned is how many names one look goes through: it keeps Redis from others for less than a millisecond.
const scanned = 1000

// RemovePool removes a pool that is kept apart with all its claims and with what else lies beside it. It goes through the names of all that
// Redis holds, some at a time. One that is not on the list is left alone. It returns an error for a pool that others use.
func (p *Pool) RemovePool(ctx context.Context, pool string) error {
	if err := worker.CheckName(pool); err != nil {
		return fmt.Errorf("pool %q: %w", pool, err)
	}
	shared, err := p.client.SIsMember(ctx, poolNames, pool).Result()
	if err != nil {
		return down(err)
	}
	mine, err := p.client.SIsMember(ctx, apartNames, pool).Result()
	if err != nil {
		return down(err)
	}
	switch {
	case !p.config.Apart || shared:
		return fmt.Errorf("pool %s %w", pool, errShared)
	case !mine:
		return nil
	}
	if err := p.masters(ctx, func(ctx context.Context, master *redis.Client) error { return sweep(ctx, master, tagOf(pool)+"*") }); err != nil {
		return down(err)
	}
	return p.client.SRem(ctx, apartNames, pool).Err() // last: as long as anything is left, the next one finds it
}

// sweep removes what is called so on one master.
func sweep(ctx context.Context, master *redis.Client, pattern string) error {
	for cursor := uint64(0); ; {
		names, next, err := master.Scan(ctx, cursor, pattern, scanned).Result()
		if err == nil && len(names) > 0 {
			err = master.Unlink(ctx, names...).Err()
		}
		if cursor = next; err != nil || cursor == 0 {
			return err
		}
	}
}

// Beside is a name in Redis for something that is removed along with the pool.
func Beside(pool, name string) string { return tagOf(pool) + name }

// Plain is the client library alone on the same Redis, with so many connections; it repeats no call. It is what a pool is compared
// with. The error is Validate's.
func (c Config) Plain(connections int) (redis.UniversalClient, error) {
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	switch o := options.(type) {
	case *redis.FailoverOptions:
		o.MaxRetries, o.PoolSize = -1, connections
		return redis.NewFailoverClient(o), nil
	case *redis.ClusterOptions:
		o.MaxRetries, o.PoolSize = -1, connections
		return redis.NewClusterClient(o), nil
	default:
		single := o.(*redis.Options)
		single.MaxRetries, single.PoolSize = -1, connections
		return redis.NewClient(single), nil
	}
}
