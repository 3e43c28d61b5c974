package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
)

// TestReadyWithoutTheQueue takes the stream of requests away from a worker: it is not ready and says why, and is ready again once
// the stream is there.
func TestReadyWithoutTheQueue(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	a, at := newApart(t, 1, "info"), nowhere(t)
	p := a.startWorker("--http", at)
	ready := func(code int, _ map[string]string) bool { return code == exitOK }
	readyz(t, at, "with its queue", ready)
	conn, err := nats.Connect(a.nats)
	must(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	must(t, err)
	must(t, js.DeleteStream(t.Context(), bus.StreamRequests))
	state := readyz(t, at, "without its queue", func(code int, state map[string]string) bool {
		return code == exitFailed && state["nats"] != "ok"
	})
	if !strings.Contains(state["nats"], "nats_down") || state["redis"] != "ok" || state["channel"] != "ok" {
		t.Errorf("without its queue: %v", state)
	}
	b, err := bus.Connect(t.Context(), bus.Config{URL: a.nats})
	must(t, err)
	defer func() { must(t, b.Close()) }()
	must(t, b.Provision(t.Context()))
	readyz(t, at, "with its queue again", ready)
	stopped(t, p, a.relay, a.sim)
}
