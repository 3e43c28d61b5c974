package main

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"autopurchase/internal/metrics"
	"autopurchase/internal/workertest"
)

// scrape reads the metrics that are served at an address, and checks how they are named: the value of each series by its text.
func scrape(t *testing.T, address string) map[string]float64 {
	t.Helper()
	answer, err := http.Get(address + metrics.Path) //nolint:gosec // the address is a test's own
	must(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	problems, err := promlint.New(bytes.NewReader(body)).Lint()
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	series := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		if cut := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") && cut > 0 {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[cut:]), 64)
			must(t, err)
			series[line[:cut]] = value
		}
	}
	return series
}

// moves waits until a series is as wanted.
func moves(t *testing.T, address, name string, wanted func(float64) bool) {
	t.Helper()
	for tick, late := time.Tick(200*time.Millisecond), time.After(patience); ; {
		series := scrape(t, address)
		if value, there := series[name]; there && wanted(value) {
			return
		}
		select {
		case <-tick:
		case <-late:
			t.Fatalf("%s is %v", name, series[name])
		}
	}
}

func is(wanted float64) func(float64) bool {
	return func(value float64) bool { return value == wanted }
}

func above(low float64) func(float64) bool { return func(value float64) bool { return value > low } }

// TestMetricsOfAHealthyDay buys a thousand times: everything that belongs to a purchase has moved, and how much there is to scrape
// does not depend on how much was bought.
func TestMetricsOfAHealthyDay(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	const requests = 1000
	dir := t.TempDir()
	p := launch(t, "demo", "--keep", "--data", dir, "--requests", strconv.Itoa(requests), "--redis", "in-process")
	p.err.await(t, "staying up", p.done, func(text string) bool { return strings.Contains(text, "staying up") })
	where := readAddresses(t, dir)
	moves(t, where["http"], "autopurchase_queue_depth", is(0))
	series := scrape(t, where["http"])
	ended, mine := 0.0, 0
	for name, value := range series {
		if strings.HasPrefix(name, "autopurchase_requests_total{") {
			ended += value
		}
		if strings.HasPrefix(name, "autopurchase_") {
			mine++
		}
		if strings.Contains(name, "demo-") || strings.Contains(name, "-000") {
			t.Errorf("a request is named in %s", name)
		}
	}
	if ended != requests {
		t.Errorf("%v requests ended, want %d", ended, requests)
	}
	if mine > 500 {
		t.Errorf("%d series", mine)
	}
	for name, low := range healthy {
		if series[name] <= low {
			t.Errorf("%s is %v", name, series[name])
		}
	}
	stopped(t, p)
}

// healthy is what a run of the demo moves, and above what.
var healthy = map[string]float64{
	`autopurchase_requests_total{code="placed",outcome="placed"}`:                           100,
	`autopurchase_requests_total{code="partial",outcome="partial"}`:                         0,
	`autopurchase_events_total{code="placed",stage="finished"}`:                             100,
	`autopurchase_draws_total{pool="default",result="send"}`:                                100,
	`autopurchase_pool_events_total{kind="rotated",pool="default"}`:                         1,
	`autopurchase_pool_events_total{kind="spent",pool="default"}`:                           0,
	`autopurchase_stage_duration_seconds_count{stage="queue"}`:                              999,
	`autopurchase_stage_duration_seconds_count{stage="draw"}`:                               999,
	`autopurchase_stage_duration_seconds_count{stage="place"}`:                              999,
	`autopurchase_stage_duration_seconds_count{stage="settle"}`:                             999,
	`autopurchase_stage_duration_seconds_count{stage="publish"}`:                            999,
	`autopurchase_stage_duration_seconds_count{stage="ack"}`:                                999,
	`autopurchase_stage_duration_seconds_count{stage="whole"}`:                              999,
	`autopurchase_keys{pool="default",state="active"}`:                                      0,
	`autopurchase_pool_products_used{pool="default"}`:                                       1000,
	`autopurchase_pool_products_left{pool="default"}`:                                       0,
	`autopurchase_pool_products_low{pool="default"}`:                                        99,
	`autopurchase_store_reachable{store="nats"}`:                                            0,
	`autopurchase_store_reachable{store="redis"}`:                                           0,
	`autopurchase_channel_open`:                                                             0,
	`autopurchase_connections_opened_total{peer="nats"}`:                                    0,
	`autopurchase_connections_opened_total{peer="redis"}`:                                   0,
	`autopurchase_connections_opened_total{peer="relay"}`:                                   0,
	`autopurchase_connections_opened_total{peer="messages"}`:                                0,
	`autopurchase_gateway_calls_total{api="alibaba.trade.fastCreateOrder",code="ok"}`:       999,
	`autopurchase_gateway_calls_total{api="getToken",code="ok"}`:                            0,
	`autopurchase_gateway_call_duration_seconds_count{api="alibaba.trade.fastCreateOrder"}`: 999,
	`autopurchase_relay_asks_total{op="place",verdict="placed"}`:                            100,
	`go_goroutines`:                 0,
	`process_resident_memory_bytes`: 0,
}

// TestMetricsOfTroubles makes trouble after trouble, and waits until the metrics say so.
func TestMetricsOfTroubles(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	a := newApart(t, 2, "info")
	stopped(t, a.relay)
	door, edge, at := nowhere(t), nowhere(t), nowhere(t)
	a.channel = "ws://" + door + "/channel"
	a.relay = a.startRelay(door, "--http", edge)
	w := a.startWorker("--http", at, "--look-for", "1s", "--log", "debug")
	a.addKeys()
	edge, at = "http://"+edge, "http://"+at

	post(t, a.admin+"/admin/faults",
		`[{"operation":"fastCreateOrder","kind":"throttled","count":1},{"operation":"fastCreateOrder","kind":"cut_before","count":1}]`)
	path, _ := sampleFile(t, "PR", 3)
	publishFile(t, a.nats, "acme", path).accepted(3)
	moves(t, at, `autopurchase_requests_total{code="absent",outcome="unknown"}`, is(1))
	moves(t, at, `autopurchase_parked_requests`, is(1))
	moves(t, at, `autopurchase_pool_products_held{pool="default"}`, above(0))
	moves(t, at, `autopurchase_key_products_used{app_key="1000001",pool="default"}`, above(0))
	moves(t, at, `autopurchase_stage_duration_seconds_count{stage="find"}`, above(0))
	moves(t, at, `autopurchase_events_total{code="throttled",stage="postponed"}`, above(0))
	moves(t, edge, `autopurchase_gateway_calls_total{api="alibaba.trade.fastCreateOrder",code="gw.QosAppFrequencyLimit"}`, is(1))
	moves(t, edge, `autopurchase_gateway_calls_total{api="alibaba.trade.fastCreateOrder",code="no_answer"}`, is(1))
	moves(t, edge, `autopurchase_token_expires_timestamp_seconds{app_key="1000001",token="access"}`, above(float64(time.Now().Unix())))
	moves(t, edge, `autopurchase_message_session_open{app_key="1000001"}`, is(1))

	_, err := connect(t, a.nats).Submit(t.Context(), "acme", "broken", []byte(`{"request_id":"broken"}`))
	must(t, err)
	moves(t, at, `autopurchase_requests_total{code="invalid",outcome="refused"}`, is(1))
	moves(t, at, `autopurchase_dead_letters`, is(1))

	stopped(t, a.relay)
	moves(t, at, `autopurchase_channel_open`, is(0))
	publishFile(t, a.nats, "bolt", path).accepted(3)
	moves(t, at, `autopurchase_worker_paused{code="channel_down"}`, is(1))
	moves(t, at, `autopurchase_queue_oldest_seconds`, above(1))
	a.relay = a.startRelay(door)
	moves(t, at, `autopurchase_connections_opened_total{peer="relay"}`, is(2))
	moves(t, at, `autopurchase_worker_paused{code="channel_down"}`, is(0))

	before := scrape(t, at)[`autopurchase_connections_opened_total{peer="redis"}`]
	a.redisServer.Kill()
	moves(t, at, `autopurchase_store_reachable{store="redis"}`, is(0))
	a.redisServer.Restart()
	moves(t, at, `autopurchase_connections_opened_total{peer="redis"}`, above(before))
	moves(t, at, `autopurchase_store_reachable{store="redis"}`, is(1))

	for _, key := range a.appKeys {
		if code, _, errs := execute(t, nil, "keys", "disable", key, "--by", "li", "--nats", a.nats); code != exitOK {
			t.Fatalf("keys disable: exit %d: %s", code, errs)
		}
	}
	moves(t, at, `autopurchase_pool_events_total{kind="disabled",pool="default"}`, is(2))
	moves(t, at, `autopurchase_keys{pool="default",state="disabled"}`, is(2))
	publishFile(t, a.nats, "cola", path).accepted(3)
	moves(t, at, `autopurchase_worker_paused{code="no_key"}`, is(1))
	moves(t, at, `autopurchase_draws_total{pool="default",result="no_key"}`, above(0))
	knownFields(t, w.err.String())
	knownFields(t, a.relay.err.String())
}

// TestMetricsOfAnotherNATSConnection takes NATS away and gives it back.
func TestMetricsOfAnotherNATSConnection(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	server, at := workertest.NATS(t), nowhere(t)
	p := launch(t, "worker", "--nats", server.URL, "--redis", workertest.Redis(t).URL, "--channel", "ws://"+nowhere(t)+"/channel", "--http", at)
	p.says("worker is up", "")
	at = "http://" + at
	moves(t, at, `autopurchase_connections_opened_total{peer="nats"}`, is(1))
	server.Stop()
	moves(t, at, `autopurchase_store_reachable{store="nats"}`, is(0))
	server.Restart()
	moves(t, at, `autopurchase_connections_opened_total{peer="nats"}`, is(2))
	moves(t, at, `autopurchase_store_reachable{store="nats"}`, is(1))
}
