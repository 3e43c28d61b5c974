package benchmark

import (
	"context"
	"errors"
	"runtime"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
)

// wires are those that a purchase goes through.
type wires struct{ redis, nats, channel *wire }

// wired is our side one at a time, with a wire to each server. Requests are published beside them.
func (r *Rig) wired(ctx context.Context, concurrent int) (*workers, wires, error) {
	var on wires
	far := &Rig{Pool: r.Pool, place: r.place, feed: r.feed, js: r.js, made: r.made}
	r.undo.add(func(ctx context.Context) error { return far.undo.run(ctx) })
	put := func(w **wire, from string) (to string, err error) {
		if *w, to, err = through(from); err == nil {
			far.undo.add((*w).close)
		}
		return to, err
	}
	var errs [4]error
	broker, redis := r.nats, r.redis
	var relay string
	broker.URL, errs[0] = put(&on.nats, r.nats.URL)
	redis.URL, errs[1] = put(&on.redis, r.redis.URL)
	if relay, errs[2] = far.relay(0); errs[2] == nil {
		relay, errs[3] = put(&on.channel, relay)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, on, err
	}
	var err error
	if far.bus, err = bus.Connect(ctx, broker); err != nil {
		return nil, on, err
	}
	far.undo.add(func(context.Context) error { return far.bus.Close() })
	if far.keys, err = keypool.Open(ctx, redis); err != nil {
		return nil, on, err
	}
	far.undo.add(func(context.Context) error { return far.keys.Close() })
	if far.inbox, err = far.bus.Inbox(ctx); err != nil {
		return nil, on, err
	}
	market, err := far.channel(ctx, relay, concurrent)
	return &workers{Rig: far, concurrent: concurrent, market: market}, on, err
}

// tally is what one purchase took on average.
type tally struct {
	redis, nats, channel                float64 // round trips
	redisBytes, natsBytes, channelBytes float64 // both ways
}

// counted takes n requests to their end, one at a time, and counts what passes.
func (r *Rig) counted(ctx context.Context, n int) (tally, error) {
	w, on, err := r.wired(ctx, 1)
	if err != nil {
		return tally{}, err
	}
	defer func() { r.made = w.made }()
	if _, err := w.run(ctx, some/10); err != nil { // its scripts are loaded
		return tally{}, err
	}
	if err := w.publish(ctx, n); err != nil {
		return tally{}, err
	}
	redis, nats, channel := on.redis.passed(), on.nats.passed(), on.channel.passed()
	if _, err := w.work(ctx, n); err != nil {
		return tally{}, err
	}
	redis, nats, channel = on.redis.passed().since(redis), on.nats.passed().since(nats), on.channel.passed().since(channel)
	each := func(count int64) float64 { return float64(count) / float64(n) }
	return tally{
		redis: each(redis.trips), nats: each(nats.trips), channel: each(channel.trips),
		redisBytes: each(redis.up + redis.down), natsBytes: each(nats.up + nats.down), channelBytes: each(channel.up + channel.down),
	}, nil
}

// allocations is how many objects this process makes for a purchase.
func (w *workers) allocations(ctx context.Context, n int) (float64, error) {
	if err := w.publish(ctx, n); err != nil {
		return 0, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := w.work(ctx, n)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n), err
}
