package keypool

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	// inProcess is the identity of a Redis that has none: the in-process one, which begins empty each time.
	inProcess = "in-process"
	// nobody is the identity of a Redis that does not say who it is. No pool is ever verified on it.
	nobody = "unknown"
)

// identity asks who is at the other end: the process (run_id, new at each start) and the history of its data
// (master_replid, new at each start and whenever a replica becomes a primary). Equal identities mean that no acknowledged
// write was lost in between. One that evicts is refused as Open refuses it: it may have become primary since.
func identity(ctx context.Context, conn redis.Cmdable) (string, error) {
	var server, replication, memory *redis.StringCmd
	_, err := conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		server, replication, memory = pipe.Info(ctx, "server"), pipe.Info(ctx, "replication"), pipe.Info(ctx, "memory")
		return nil
	})
	if err != nil {
		if err.Error() == unsupported("server") {
			return inProcess, nil
		}
		return nobody, err
	}
	if err := checkEviction(facts(memory.Val())); err != nil {
		return nobody, err
	}
	return facts(server.Val())["run_id"] + ":" + facts(replication.Val())["master_replid"], nil
}

// facts reads what INFO says.
func facts(text string) map[string]string {
	facts := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			facts[name] = value
		}
	}
	return facts
}

// unsupported is how the in-process Redis says that it has no such section.
func unsupported(section string) string { return "section (" + section + ") is not supported" }

// lane is one connection to a shard and who is at the other end. Everything that is sent over it is sent to that server and
// to no other: when the connection ends, the lane's next one begins with the same question.
type lane struct {
	*shard
	conn   *redis.Conn // nil until it is needed
	server string      // "" when the pool is not verified
	words  []any       // of the last command, to be used again
}

// connected makes sure that there is a connection to the server which the shard was last seen to be.
func (l *lane) connected(ctx context.Context) (err error) {
	if l.conn != nil && l.pool.guarded() && l.server != l.seen() {
		l.drop()
	}
	if l.conn != nil {
		return nil
	}
	l.conn = l.client.Load().WithTimeout(max(longest, l.pool.config.CallTimeout)).Conn() // a call's own deadline is mostly sooner
	if !l.pool.guarded() {
		return nil
	}
	if l.server, err = identity(ctx, l.conn); err != nil {
		l.drop()
		return err
	}
	l.shard.saw(l.server)
	return nil
}

// drop gives the connection up. When the pool is closed, all connections have been closed with the client.
func (l *lane) drop() {
	select {
	case <-l.pool.closing:
	default:
		if l.conn != nil {
			_ = l.conn.Close() // a broken one is removed, any other one is used again
		}
		l.pool.moved()
	}
	l.conn = nil
}

// guarded says whether steps are made on a verified Redis alone.
func (p *Pool) guarded() bool { return p.config.History != nil || p.config.Guest }

// identify asks the Redis of a pool who it is.
func (p *Pool) identify(ctx context.Context, pool string) (server string, err error) {
	p.roll.add(pool)
	err = p.patiently(ctx, func(ctx context.Context) error {
		s, err := p.shardOf(ctx, namesOf(pool).pool)
		if err != nil {
			return err
		}
		if server, err = identity(ctx, s.client.Load()); err != nil {
			p.moved()
			return err
		}
		s.saw(server)
		return nil
	})
	return server, err
}

// verified says whether the pool may be believed. Without a history it always is.
func (p *Pool) verified(ctx context.Context, pool string) (bool, error) {
	if !p.guarded() {
		return true, nil
	}
	var server string
	err := p.patiently(ctx, func(ctx context.Context) (err error) {
		server, err = p.client.HGet(ctx, namesOf(pool).pool, "server").Result()
		return err
	})
	return server == p.seen(ctx, pool), err
}
