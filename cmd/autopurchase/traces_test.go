package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// gatherer is a collector of traces that keeps what programs send it.
type gatherer struct {
	*httptest.Server
	mutex sync.Mutex
	spans map[string]map[string]string // by trace: the name of a span and the service that sent it
	body  strings.Builder              // all that came, as it came
}

func newGatherer(t *testing.T) *gatherer {
	g := &gatherer{spans: map[string]map[string]string{}}
	g.Server = httptest.NewServer(http.HandlerFunc(g.take))
	t.Cleanup(g.Close)
	return g
}

func (g *gatherer) take(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &sent) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.body.Write(body)
	for _, of := range sent.GetResourceSpans() {
		service := ""
		for _, a := range of.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				service = a.GetValue().GetStringValue()
			}
		}
		for _, scope := range of.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				id := string(span.GetTraceId())
				if g.spans[id] == nil {
					g.spans[id] = map[string]string{}
				}
				g.spans[id][span.GetName()] = service
			}
		}
	}
}

// TestTracesOfFourPrograms buys through publisher, worker and relay, each a process that sends its spans by itself when it ends.
func TestTracesOfFourPrograms(t *testing.T) {
	g := newGatherer(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", g.URL) // of this process, in which some commands run
	passed = append(passed, "OTEL_EXPORTER_OTLP_ENDPOINT="+g.URL)
	defer func() { passed = nil }()
	a := newApart(t, 1, "info")
	w := a.startWorker()
	a.addKeys()
	path, _ := sampleFile(t, "PR", 1)
	publishFile(t, a.nats, "acme", path).accepted(1)
	reach(t, a.nats, "acme", 1)
	stopped(t, w, a.relay)
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if len(g.spans) < 1 {
		t.Fatal("nothing was sent")
	}
	whole := 0
	for _, spans := range g.spans {
		if spans["submit"] == "" {
			continue // such as a token that is refreshed ahead
		}
		whole++
		for name, service := range map[string]string{
			"submit": "autopurchase-publish", "request": "autopurchase-worker", "draw": "autopurchase-worker", "place": "autopurchase-worker",
			"settle": "autopurchase-worker", "publish": "autopurchase-worker", "relay place": "autopurchase-relay",
			"gateway alibaba.trade.fastCreateOrder": "autopurchase-relay",
		} {
			if spans[name] != service {
				t.Errorf("span %q was sent by %q", name, spans[name])
			}
		}
	}
	if whole != 1 {
		t.Errorf("%d traces of a request", whole)
	}
	for _, secret := range []string{markerSecret, markerToken} {
		if strings.Contains(g.body.String(), secret) {
			t.Errorf("%s was sent", secret)
		}
	}
}

// TestAWrongVariableOfTracesIsNamed has the collector spoken to as we do not.
func TestAWrongVariableOfTracesIsNamed(t *testing.T) {
	t.Parallel()
	code, _, errs := execute(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
		"worker", "--channel", "ws://127.0.0.1:1/channel")
	if code != exitUsage || !strings.Contains(errs, `OTEL_EXPORTER_OTLP_PROTOCOL "grpc": must be http/protobuf`) {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestWithoutACollector buys with a collector that is not there: it is told, and nothing else is different.
func TestWithoutACollector(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+nowhere(t))
	code, out, errs := execute(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")},
		"demo", "--json", "--requests", "20", "--redis", "in-process")
	if sum := readSummary(t, code, out, errs); sum.Requests != 20 || !strings.Contains(errs, "trac") {
		t.Errorf("%+v: %s", sum, errs)
	}
}
