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
// write was lost in between.
func identity(ctx context.Context, conn redis.Cmdable) (string, error) {
	var server, replication *redis.StringCmd
	_, err := conn.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		server, replication = pipe.Info(ctx, "server"), pipe.Info(ctx, "replication")
		return nil
	})
	if err != nil {
		if err.Error() == unsupported("server") {
			return inProcess, nil
		}
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

// lane is one connection to Redis and who is at the other end. Everything that is sent over it is sent to that server and to
// no other: when the connection ends, the lane's next one begins with the same question.
type lane struct {
	pool   *Pool
	conn   *redis.Conn // nil until it is needed
	server string      // "" when the pool is not verified
}

// connected makes sure that there is a connection to the server which the pool was last seen on.
func (l *lane) connected(ctx context.Context) (err error) {
	if l.conn != nil && l.pool.guarded() && l.server != l.pool.seen() {
		l.drop()
	}
	if l.conn != nil {
		return nil
	}
	l.conn = l.pool.client.Conn()
	if !l.pool.guarded() {
		return nil
	}
	if l.server, err = identity(ctx, l.conn); err != nil {
		l.drop()
		return err
	}
	server := l.server
	l.pool.server.Store(&server)
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
	}
	l.conn = nil
}

// guarded says whether the pool verifies its Redis.
func (p *Pool) guarded() bool { return p.config.History != nil }

// seen is the identity of the Redis that was last connected to.
func (p *Pool) seen() string {
	if server := p.server.Load(); server != nil {
		return *server
	}
	return nobody
}

// identify asks Redis who it is.
func (p *Pool) identify(ctx context.Context) (server string, err error) {
	err = p.patiently(ctx, func(ctx context.Context) (err error) {
		server, err = identity(ctx, p.client)
		return err
	})
	if err == nil {
		p.server.Store(&server)
	}
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
	return server == p.seen(), err
}
