package keypool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// Pool is the key pools of one Redis. It is safe for concurrent use, by any number of processes at once.
type Pool struct {
	client  *redis.Client
	log     zerolog.Logger
	config  Config
	queue   chan *call
	closing chan struct{}
	lanes   sync.WaitGroup
	close   func() error
	outbox  outbox
	doubts  outbox                 // pools that a step found to be unverified
	server  atomic.Pointer[string] // identity of the Redis that was last connected to

	glimpsed atomic.Int64 // when a pool without room was last shown as if it had some
}

var (
	_ worker.Ledger = (*Pool)(nil)
	_ worker.Stock  = (*Pool)(nil)
)

// ErrEviction is returned by Open when the Redis may throw keys away to make room: counts would silently be gone.
var ErrEviction = errors.New("redis may evict keys: set 'maxmemory-policy noeviction' in its configuration and restart it")

// Open connects to Redis and checks that it can be trusted with counts. While Redis is still loading its data, Open waits and
// says so. It returns ErrEviction for a Redis that evicts, a *worker.Trouble with worker.CodeRedisDown when none answers, and
// Config.Validate's error. A Redis without append-only file is warned about: what it holds is gone when it stops.
//
// Close must be called in the end.
func Open(ctx context.Context, config Config) (*Pool, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	options, err := config.options()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		client:  redis.NewClient(options),
		log:     config.Log,
		config:  config,
		queue:   make(chan *call, maxBatch),
		closing: make(chan struct{}),
		outbox:  newOutbox(),
		doubts:  newOutbox(),
	}
	tending, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.close = sync.OnceValue(func() error { stop(); return p.shut() })
	if err := p.inspect(ctx); err != nil {
		stop()
		return nil, errors.Join(err, p.client.Close())
	}
	for range config.Lanes {
		p.lanes.Go(p.send)
	}
	if p.guarded() {
		p.lanes.Go(func() { p.tend(tending) })
	}
	return p, nil
}

// Close ends all calls under way with worker.CodeRedisDown and closes the connections. It may be called again.
func (p *Pool) Close() error { return p.close() }

func (p *Pool) shut() error {
	close(p.closing)
	err := p.client.Close() // first: it ends what a lane is reading
	p.lanes.Wait()
	return err
}

// Ping returns nil while Redis answers, else a *worker.Trouble with worker.CodeRedisDown.
func (p *Pool) Ping(ctx context.Context) error {
	if err := p.client.Ping(ctx).Err(); err != nil {
		return down(err)
	}
	return nil
}

// inspect waits for a loading Redis and then looks at its settings.
func (p *Pool) inspect(ctx context.Context) error {
	if err := p.loaded(ctx); err != nil {
		return err
	}
	memory, err := p.info(ctx, "memory")
	if err != nil {
		return err
	}
	if policy := memory["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		return fmt.Errorf("%w (it is %q)", ErrEviction, policy)
	}
	persistence, err := p.info(ctx, "persistence")
	if err != nil {
		return err
	}
	if persistence["aof_enabled"] == "0" {
		p.log.Warn().Msg("redis keeps no append-only file: all counts are lost when it stops; set 'appendonly yes'")
	}
	return nil
}

// loaded returns once Redis has its data in memory.
func (p *Pool) loaded(ctx context.Context) error {
	const look, tell = 100 * time.Millisecond, 50 // tells every fifth second
	for n := 0; ; n++ {
		err := p.client.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		if !redis.HasErrorPrefix(err, "LOADING") {
			return down(err)
		}
		if n%tell == 0 {
			loading, _ := p.info(ctx, "persistence")
			p.log.Info().Str("percent", loading["loading_loaded_perc"]).Str("seconds_left", loading["loading_eta_seconds"]).
				Msg("redis is loading its data: waiting")
		}
		select {
		case <-ctx.Done():
			return down(context.Cause(ctx))
		case <-time.After(look):
		}
	}
}

// info reads one section of Redis's facts about itself. The in-process Redis has no such section, which is no error: it
// neither evicts nor keeps a file, and whoever starts it says so.
func (p *Pool) info(ctx context.Context, section string) (map[string]string, error) {
	text, err := p.client.Info(ctx, section).Result()
	if err != nil && err.Error() == unsupported(section) {
		return nil, nil
	}
	if err != nil {
		return nil, down(err)
	}
	return facts(text), nil
}
