package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/keypool"
	"autopurchase/internal/metrics"
	"autopurchase/internal/relay"
	"autopurchase/internal/tracing"
	"autopurchase/worker"
)

// witness is whom the parts of this process tell what they do: its log, its metrics and its traces.
type witness struct {
	log     zerolog.Logger
	metrics *metrics.Set
	traces  *tracing.Tracer // nil where none are wanted
}

// newWitness begins to trace for the service if the environment asks for it.
func newWitness(ctx context.Context, term terminal, service, level string, undo *cleanup) (witness, error) {
	w := witness{log: newLog(term.err, level, undo), metrics: metrics.New()}
	var err error
	w.traces, err = startTraces(ctx, term, service, w.log, undo)
	return w, err
}

// lastTraces is how long a collector has at the end to take what is left.
const lastTraces = 3 * time.Second

// startTraces gives nil if the environment does not ask for traces.
func startTraces(ctx context.Context, term terminal, service string, log zerolog.Logger, undo *cleanup) (*tracing.Tracer, error) {
	t, err := tracing.Start(context.WithoutCancel(ctx), term.env, service, func(err error) {
		log.Warn().Err(err).Msg("traces are not sent")
	})
	if err != nil {
		return nil, usage(err)
	}
	undo.add("traces", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, lastTraces)
		defer cancel()
		if err := t.Stop(ctx); err != nil {
			log.Warn().Err(err).Msg("the last traces are not sent")
		}
		return nil
	})
	return t, nil
}

// ports has the steps of requests timed and traced.
func (w witness) ports(p worker.Ports) worker.Ports { return w.traces.Ports(w.metrics.Ports(p)) }

// broker has the connections to NATS counted. The first is counted before it is there: a worker that does not get one ends.
func (w witness) broker(config bus.Config) bus.Config {
	opened := w.metrics.Opened("nats")
	opened()
	config.Connected = func(is bool) {
		if is {
			opened()
		}
	}
	return config
}

// redis has the connections to Redis counted.
func (w witness) redis(config keypool.Config) keypool.Config {
	config.OnConnect = w.metrics.Opened("redis")
	return config
}

// relay has the calls of the gateway counted and traced, and the message sessions counted.
func (w witness) relay(config relay.Config) relay.Config {
	config.OnSession = w.metrics.Opened("messages")
	config.Calls = func(ctx context.Context, api string) (context.Context, func(string)) {
		ctx, counted := w.metrics.Call(ctx, api)
		ctx, traced := w.traces.Call(ctx, api)
		return ctx, func(how string) { traced(how); counted(how) }
	}
	return config
}

// channelState has the channels to relays counted.
func (w witness) channelState() func(open bool, why string) {
	opened := w.metrics.Opened("relay")
	return func(open bool, _ string) {
		if open {
			opened()
		}
	}
}

// channel has the asks of workers counted and traced.
func (w witness) channel(config channel.ServerConfig) channel.ServerConfig {
	config.Follow = func(ctx context.Context, op string) (context.Context, func(worker.Answer)) {
		ctx, counted := w.metrics.Ask(ctx, op)
		ctx, traced := w.traces.Ask(ctx, op)
		return ctx, func(answer worker.Answer) { traced(answer); counted(answer) }
	}
	return config
}

// observe takes what a worker does.
func (w witness) observe(e worker.Event) {
	w.metrics.Observe(e)
	w.traces.Observe(e)
	observe(w.log)(e)
}

// grants are the relay's tokens as metrics have them.
func grants(r *relay.Relay) func() []metrics.Token {
	return func() []metrics.Token {
		var tokens []metrics.Token
		for _, g := range r.Grants() {
			tokens = append(tokens, metrics.Token(g))
		}
		return tokens
	}
}

// survey asks NATS and Redis how the queue and the pools are.
func (s *stores) survey(ctx context.Context) metrics.Survey {
	now := metrics.Survey{Down: map[string]bool{}}
	var err error
	if now.Queue, err = s.queue(ctx); err != nil {
		now.Down["nats"] = true
	}
	if now.Pools, err = s.pools(ctx); err != nil {
		now.Down["redis"] = true
	}
	return now
}

func (s *stores) queue(ctx context.Context) (*metrics.Queue, error) {
	depth, err := s.bus.Depth(ctx)
	if err != nil {
		return nil, err
	}
	q := &metrics.Queue{Depth: depth.Waiting + uint64(depth.InFlight), InFlight: depth.InFlight, Oldest: depth.Oldest}
	if q.Parked, err = s.bus.Stored(ctx, bus.StreamParked); err != nil {
		return nil, err
	}
	q.Dead, err = s.bus.Stored(ctx, bus.StreamDead)
	return q, err
}

func (s *stores) pools(ctx context.Context) ([]metrics.Pool, error) {
	names, err := s.pool.Pools(ctx)
	if err != nil {
		return nil, err
	}
	var pools []metrics.Pool
	for _, name := range names {
		settings, err := s.pool.Settings(ctx, name)
		if err != nil {
			return nil, err
		}
		keys, err := s.pool.Keys(ctx, name)
		if err != nil {
			return nil, err
		}
		pool := metrics.Pool{Name: name, Low: settings.Low}
		for _, k := range keys {
			pool.Keys = append(pool.Keys, metrics.Key{AppKey: k.AppKey, State: string(k.State), Used: k.Used, Held: k.Held, Left: k.Left})
		}
		pools = append(pools, pool)
	}
	return pools, nil
}
