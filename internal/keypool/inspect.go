package keypool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrEviction is returned by Open when the Redis may throw keys away to make room: counts would silently be gone.
var ErrEviction = errors.New("redis may evict keys: set 'maxmemory-policy noeviction' in its configuration and restart it")

// errNode is returned by Open for a URL of a single Redis that leads into a cluster.
var errNode = errors.New("redis is a node of a cluster: its URL must begin with redis-cluster:// (or rediss-cluster://)")

// inspect waits for a loading Redis and then looks at its settings; at those of every master in a cluster.
func (p *Pool) inspect(ctx context.Context) error {
	err := p.masters(ctx, p.inspectOne)
	if err == nil || errors.Is(err, ErrEviction) || errors.Is(err, errNode) {
		return err
	}
	return down(err)
}

func (p *Pool) inspectOne(ctx context.Context, master *redis.Client) error {
	if err := p.loaded(ctx, master); err != nil {
		return err
	}
	all := map[string]string{}
	for _, section := range []string{"memory", "persistence", "cluster"} {
		if err := info(ctx, master, section, all); err != nil {
			return err
		}
	}
	if all["cluster_enabled"] == "1" && p.shards.cluster == nil {
		return errNode
	}
	if all["aof_enabled"] == "0" {
		p.log.Warn().Str("redis", master.Options().Addr).
			Msg("redis keeps no append-only file: all counts are lost when it stops; set 'appendonly yes'")
	}
	return checkEviction(all)
}

func checkEviction(facts map[string]string) error {
	if policy := facts["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		return fmt.Errorf("%w (it is %q)", ErrEviction, policy)
	}
	return nil
}

// loaded returns once a Redis has its data in memory.
func (p *Pool) loaded(ctx context.Context, master *redis.Client) error {
	const look, tell = 100 * time.Millisecond, 50 // tells every fifth second
	for n := 0; ; n++ {
		err := master.Ping(ctx).Err()
		if err == nil || !redis.HasErrorPrefix(err, "LOADING") {
			return err
		}
		if n%tell == 0 {
			loading := map[string]string{}
			_ = info(ctx, master, "persistence", loading) // only to be told
			p.log.Info().Str("percent", loading["loading_loaded_perc"]).Str("seconds_left", loading["loading_eta_seconds"]).
				Msg("redis is loading its data: waiting")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(look):
		}
	}
}

// info reads one section of Redis's facts about itself. The in-process Redis has no such section, which is no error: it
// neither evicts nor keeps a file, and whoever starts it says so.
func info(ctx context.Context, conn redis.Cmdable, section string, into map[string]string) error {
	text, err := conn.Info(ctx, section).Result()
	if err != nil && err.Error() != unsupported(section) {
		return err
	}
	maps.Copy(into, facts(text))
	return nil
}
