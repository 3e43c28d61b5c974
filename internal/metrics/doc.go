// Package metrics tells Prometheus what a worker and a relay do.
//
// A Set is told what happens, and asks for how things are only when somebody scrapes:
//
//	worker.Event ──────────► Observe ─┐
//	Ledger, Market, Outbox ► Ports ───┤                  ┌─ Vitals   of the worker, each time
//	journal of the pools ──► PoolEvent┼─► Set ◄─ scrape ─┼─ Survey   of NATS and Redis, kept for a few seconds
//	1688's gateway ────────► Call ────┤                  └─ Tokens   of the relay, each time
//	asks of workers ───────► Ask ─────┘
//
// Every label has a bounded number of values: codes, stages, operations and states are closed vocabularies, and what is none
// of them is "other". There is no request id, no order, no tenant and no seller: whoever publishes may make up as many of them as
// he likes. Pools are those that exist, since only an administrator can make one, and so are app keys: at most as many as he adds.
// A request names its pool too, so that a draw from one that does not exist counts under "none".
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"autopurchase/worker"
)

// Path is where a Set is served.
const Path = "/metrics"

// Set is the metrics of one process. It is safe for concurrent use; its methods cost well below a microsecond.
type Set struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	events   *prometheus.CounterVec
	stages   map[stage]prometheus.Observer
	draws    *prometheus.CounterVec
	pool     *prometheus.CounterVec
	opened   *prometheus.CounterVec
	calls    *prometheus.CounterVec
	calling  *prometheus.HistogramVec
	asks     *prometheus.CounterVec
}

// buckets are of seconds: from what a step costs on one machine to what an order may take at all.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// New makes a set that has the process and its Go runtime in it.
func New() *Set {
	s := &Set{registry: prometheus.NewRegistry(), stages: map[stage]prometheus.Observer{}}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.requests = s.counter("requests_total", "Requests that ended, by outcome and code.", "outcome", "code")
	s.events = s.counter("events_total", "What workers did, by stage and code.", "stage", "code")
	s.draws = s.counter("draws_total", "Steps at the key pool in which a claim was drawn, or why none was.", "pool", "result")
	s.pool = s.counter("pool_events_total", "Events of the key pools that this process put into the journal.", "pool", "kind")
	s.opened = s.counter("connections_opened_total", "Connections that were opened, the first ones included.", "peer")
	s.calls = s.counter("gateway_calls_total", "Calls of 1688's Open API, by how they ended.", "api", "code")
	s.calling = s.histogram("gateway_call_duration_seconds", "How long calls of 1688's Open API took.", "api")
	s.asks = s.counter("relay_asks_total", "What workers asked a relay, by operation and verdict.", "op", "verdict")
	took := s.histogram("stage_duration_seconds", "How long a stage of a request took; whole is from when it was taken to its acknowledgement.", "stage")
	for _, name := range stages {
		s.stages[name] = took.WithLabelValues(string(name))
	}
	return s
}

const namespace = "autopurchase"

func (s *Set) counter(name, help string, labels ...string) *prometheus.CounterVec {
	vector := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	s.registry.MustRegister(vector)
	return vector
}

func (s *Set) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	vector := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	s.registry.MustRegister(vector)
	return vector
}

// ServeHTTP answers a scrape.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// Opened gives what to call when a connection to the peer, such as "nats", was opened.
func (s *Set) Opened(peer string) func() { return s.opened.WithLabelValues(peer).Inc }

// codes is the closed vocabulary.
var codes = func() map[worker.Code]bool {
	known := map[worker.Code]bool{"": true}
	for _, code := range worker.Codes() {
		known[code] = true
	}
	return known
}()

// codeLabel is "other" for a code of a relay that is newer than this program.
func codeLabel(code worker.Code) string {
	if codes[code] {
		return string(code)
	}
	return "other"
}
