package keypool

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxBatch bounds how many steps travel in one pipeline, and so how many one lost connection leaves in doubt.
const maxBatch = 128

// errClosed ends the calls of a closed pool.
var errClosed = errors.New("the key pool is closed")

// call is one script run on its way to Redis and back.
type call struct {
	ctx    context.Context
	until  time.Time // when nobody waits for it any more
	script *script
	keys   []string
	args   []any
	done   chan answer // buffered: the lane never waits for its caller
	late   *time.Timer // its caller's own
}

// calls are used again once they were answered: a timer and a channel for each would cost a step as much as all else that it does here.
var calls = sync.Pool{New: func() any {
	return &call{done: make(chan answer, 1), late: time.NewTimer(math.MaxInt64)}
}}

type answer struct {
	reply reply
	err   error
}

// once has a script run on its pool's shard. One whose ctx or time ends may run all the same.
func (p *Pool) once(ctx context.Context, until time.Time, s *script, keys []string, args []any) (reply, error) {
	shard, err := p.shardOf(ctx, keys[0])
	if err != nil {
		return reply{}, err
	}
	c := calls.Get().(*call)
	c.ctx, c.until, c.script, c.keys, c.args = ctx, until, s, keys, args
	c.late.Reset(time.Until(until))
	queue, done := shard.queue, (chan answer)(nil)
	for {
		select {
		case queue <- c:
			queue, done = nil, c.done
		case a := <-done:
			c.late.Stop()
			c.ctx, c.keys, c.args = nil, nil, nil
			calls.Put(c)
			return a.reply, a.err
		case <-c.late.C:
			return reply{}, context.DeadlineExceeded
		case <-ctx.Done():
			return reply{}, context.Cause(ctx)
		case <-p.closing:
			return reply{}, errClosed
		}
	}
}

// carry takes over what callers have queued, as one pipeline. Under load a round trip carries many steps; a lone step never waits for
// company. The callers' own stacks stay small so: what is deepest of a call is Redis's client, and every order that waits has a stack.
func (l *lane) carry() {
	batch := make([]*call, 0, maxBatch)
	for {
		select {
		case c := <-l.queue:
			runtime.Gosched() // whoever has a step all but ready gets it into the queue first
			batch = l.fill(append(batch[:0], c))
			l.exchange(batch)
			clear(batch)
		case <-l.pool.closing:
			return
		}
	}
}

// fill adds what is queued at this moment, leaving out what nobody waits for any more.
func (l *lane) fill(batch []*call) []*call {
	for len(batch) < maxBatch {
		select {
		case c := <-l.queue:
			if c.ctx.Err() == nil && time.Now().Before(c.until) {
				batch = append(batch, c)
			}
		default:
			return batch
		}
	}
	return batch
}

// exchange sends a batch and answers every call in it; it is not one caller's to end. Redis forgets scripts when it restarts: those it
// does not know are loaded and sent again, which is safe because they have not run.
func (l *lane) exchange(batch []*call) {
	ctx, cancel := context.WithTimeout(context.Background(), l.pool.longest(batch))
	defer cancel()
	if err := l.connected(ctx); err != nil {
		for _, c := range batch {
			c.done <- answer{err: err}
		}
		return
	}
	unknown, broken := l.round(ctx, batch, false)
	if len(unknown) > 0 {
		_, again := l.round(ctx, unknown, true)
		broken = broken || again
	}
	if broken {
		l.drop()
	}
}

// longest is how long the script of a batch may take that may take longest.
func (p *Pool) longest(batch []*call) (limit time.Duration) {
	for _, c := range batch {
		limit = max(limit, p.allows(c.script))
	}
	return limit
}

// round is one round trip. It answers every call but those whose script Redis does not know, which it returns; with load
// the scripts travel along and every call is answered. broken says that the connection is no good any more.
func (l *lane) round(ctx context.Context, batch []*call, load bool) (unknown []*call, broken bool) {
	all := groups(batch)
	if len(all) == 1 && !load {
		l.words = all[0].command(ctx, l.words[:0], l.server)
		_ = l.conn.Process(ctx, all[0].reply)
		clear(l.words)
	} else {
		l.sendAll(ctx, all, load)
	}
	for _, g := range all {
		err := g.reply.Err()
		broken = broken || useless(err)
		if !load && err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
			unknown = append(unknown, g.calls...)
			continue
		}
		g.answer()
	}
	return unknown, broken
}

// sendAll sends groups as one pipeline, behind the scripts if these are to be loaded. Each command has its own error.
func (l *lane) sendAll(ctx context.Context, all []*group, load bool) {
	pipe := l.conn.Pipeline()
	if load {
		for _, s := range scripts {
			pipe.ScriptLoad(ctx, s.source())
		}
	}
	for _, g := range all {
		g.command(ctx, nil, l.server)
		_ = pipe.Process(ctx, g.reply)
	}
	_, _ = pipe.Exec(ctx)
}

// useless says that a connection is not to be used again: it is gone, or leads to a server that takes no writes, while its
// address may lead to another one by now.
func useless(err error) bool {
	if _, fromRedis := errors.AsType[redis.Error](err); err == nil || !fromRedis {
		return err != nil
	}
	return passing(err) && !redis.HasErrorPrefix(err, "NOSCRIPT")
}
