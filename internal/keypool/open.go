package keypool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// Pool is the key pools of one Redis or Redis Cluster. It is safe for concurrent use, by any number of processes at once.
type Pool struct {
	client  redis.UniversalClient // for all that is not a step
	log     zerolog.Logger
	config  Config
	shards  shards
	closing chan struct{}
	lanes   sync.WaitGroup
	close   func() error
	roll    *roll
	outbox  outbox
	doubts  outbox                // pools that a step found to be unverified
	rebuild chan struct{}         // holds one while a pool is being rebuilt
	latest  atomic.Pointer[names] // those that a step needed last
}

var (
	_ worker.Ledger = (*Pool)(nil)
	_ worker.Stock  = (*Pool)(nil)
)

// Open connects to Redis and checks that it can be trusted with counts. While Redis is still loading its data, Open waits and
// says so. It returns ErrEviction for a Redis that evicts, a *worker.Trouble with worker.CodeRedisDown when none answers, and
// Config.Validate's error. A Redis without append-only file is warned about: what it holds is gone when it stops. In a cluster
// all this is about each master.
//
// Close must be called in the end.
func Open(ctx context.Context, config Config) (*Pool, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	client, err := config.client()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		client:  client,
		log:     config.Log,
		config:  config,
		closing: make(chan struct{}),
		roll:    newRoll(),
		outbox:  newOutbox(),
		doubts:  newOutbox(),
		rebuild: make(chan struct{}, 1),
	}
	tending, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.close = sync.OnceValue(func() error { stop(); return p.shut() })
	p.openShards()
	if err := p.inspect(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if config.History != nil {
		p.lanes.Go(func() { p.tend(tending) })
	}
	return p, nil
}

// Close ends all calls under way with worker.CodeRedisDown and closes the connections. It may be called again.
func (p *Pool) Close() error { return p.close() }

func (p *Pool) shut() error {
	p.closeShards()
	err := p.client.Close() // first: it ends what a lane is reading
	p.lanes.Wait()
	return err
}

// Ping returns nil while Redis answers, in a cluster every master, else a *worker.Trouble with worker.CodeRedisDown.
func (p *Pool) Ping(ctx context.Context) error {
	err := p.masters(ctx, func(ctx context.Context, master *redis.Client) error { return master.Ping(ctx).Err() })
	if err != nil {
		return down(err)
	}
	return nil
}
