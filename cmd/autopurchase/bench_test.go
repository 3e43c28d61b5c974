package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/bus"
)

// premises are the servers of a live queue, as somebody finds them who looks for traces.
type premises struct {
	t     *testing.T
	js    jetstream.JetStream
	redis *redis.Client
}

func newPremises(t *testing.T, h *house) *premises {
	t.Helper()
	conn, err := nats.Connect(h.where["nats"])
	must(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	must(t, err)
	options, err := redis.ParseURL(h.where["redis"])
	must(t, err)
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return &premises{t, js, client}
}

// streams gives the last sequence of each, but for the statuses: 1688 goes on telling of the orders that were bought.
func (p *premises) streams() map[string]uint64 {
	p.t.Helper()
	last := map[string]uint64{}
	list := p.js.ListStreams(p.t.Context())
	for info := range list.Info() {
		last[info.Config.Name] = info.State.LastSeq
	}
	last[bus.StreamStatus] = 0
	must(p.t, list.Err())
	return last
}

// dump gives everything in Redis as bytes, by its name.
func (p *premises) dump() map[string]string {
	p.t.Helper()
	names, err := p.redis.Keys(p.t.Context(), "*").Result()
	must(p.t, err)
	all := map[string]string{}
	for _, name := range names {
		all[name], err = p.redis.Dump(p.t.Context(), name).Result()
		must(p.t, err)
	}
	return all
}

// unchanged checks that all is as it was.
func (p *premises) unchanged(streams map[string]uint64, dump map[string]string) {
	p.t.Helper()
	if now := p.streams(); !maps.Equal(now, streams) {
		p.t.Errorf("streams: %v, before %v", now, streams)
	}
	now := p.dump()
	if !maps.Equal(now, dump) {
		p.t.Errorf("Redis has %v, before %v, or something in it changed", slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(dump)))
	}
}

// TestBenchLeavesALiveQueueAlone measures on servers where a queue is alive: what it made is gone when it ends, is told to end, or when
// the next one after it was killed ends; and the queue's own streams and pool are as before.
func TestBenchLeavesALiveQueueAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	h.buy("acme", 3, 3)
	p := newPremises(t, h)
	streams, dump := p.streams(), p.dump()
	on := []string{"bench", "--nats", h.where["nats"], "--redis", h.where["redis"], "--workers", "8"}

	code, out, errs := execute(t, nil, append(on, "--for", "1s", "--json")...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var report map[string]any
	must(t, json.Unmarshal([]byte(out), &report))
	for _, field := range []string{"whole_ratio", "draw_ratio", "p50_ms", "p99_ms", "bare_p99_ms", "orders_per_second", "bare_per_second",
		"allocations_per_order", "round_trips_per_order"} {
		if n, ok := report[field].(float64); !ok || n <= 0 {
			t.Errorf("%s is %v", field, report[field])
		}
	}
	p.unchanged(streams, dump)

	stopped := launch(t, append(on, "--for", "1m")...)
	stopped.err.await(t, "measured", stopped.done, func(text string) bool { return strings.Contains(text, "measured") })
	if code := stopped.stop(); code != exitFailed || !strings.Contains(stopped.err.String(), "stopped before everything was measured") {
		t.Errorf("exit %d: %s", code, stopped.err.String())
	}
	p.unchanged(streams, dump)

	killed := launch(t, append(on, "--for", "1m")...)
	killed.err.await(t, "measured", killed.done, func(text string) bool { return strings.Contains(text, "measured") })
	killed.signal(syscall.SIGKILL)
	killed.exit()
	if len(p.streams()) == len(streams) || len(p.dump()) == len(dump) {
		t.Error("a killed one has left nothing behind: nothing is shown here")
	}
	code, out, errs = execute(t, nil, append(on, "--for", "1s", "--pairs", "1")...)
	if code != exitOK || !strings.Contains(out, "round trips") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	p.unchanged(streams, dump)
}

func TestBenchRefusesABadFlag(t *testing.T) {
	t.Parallel()
	for flag, value := range map[string]string{"--for": "1ms", "--pairs": "0", "--workers": "many", "--replicas": "6", "--redis": "here", "--nats": "here"} {
		refused(t, exitUsage, []string{flag}, "bench", flag, value)
	}
	refused(t, exitFailed, []string{"cannot reach NATS"}, "bench", "--nats", "nats://127.0.0.1:1", "--redis", "in-process", "--for", "1s")
}
