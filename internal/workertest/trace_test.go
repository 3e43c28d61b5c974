package workertest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/tracing"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// traced is a rig whose every part traces into memory.
type traced struct {
	*rig
	tracer *tracing.Tracer
	spans  *tracetest.InMemoryExporter
}

func newTraced(t *testing.T) traced {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tracer := tracing.With(sdk.WithSyncer(spans))
	r := traced{newRigWithDoor(t, processes(t), &door{tracer: tracer}), tracer, spans}
	r.addKey("1000001", 1000)
	return r
}

// start has a worker work until all that it does is traced.
func (r traced) start() (stop func()) {
	return r.work(func(c *worker.Config, p *worker.Ports) {
		*p = r.tracer.Ports(*p)
		observe := c.Observe
		c.Observe = func(e worker.Event) { r.tracer.Observe(e); observe(e) }
	})
}

// publish asks for a thing as the command publish does, and gives the trace.
func (r traced) publish(id string) {
	r.t.Helper()
	ctx, done := r.tracer.Submit(r.ctx, "acme", id)
	_, err := r.bus.Submit(ctx, "acme", id, schemas.AppendRequest(nil, r.request(id, 0)))
	r.must(err)
	done(nil)
}

// tree writes the spans as paths from the root, sorted, and checks that all are of one trace and hold nothing of the buyer.
func (r traced) tree() (paths []string) {
	r.t.Helper()
	stubs, parents := r.spans.GetSpans(), map[string]tracetest.SpanStub{}
	for _, s := range stubs {
		parents[s.SpanContext.SpanID().String()] = s
		if s.SpanContext.TraceID() != stubs[0].SpanContext.TraceID() {
			r.t.Errorf("%s is of another trace", s.Name)
		}
		for _, a := range s.Attributes {
			if text := a.Value.String(); strings.Contains(text, "张三") || strings.Contains(text, "13800138000") || strings.Contains(text, "secret-") || strings.Contains(text, "陕西") {
				r.t.Errorf("%s: %s", s.Name, text)
			}
		}
	}
	for _, s := range stubs {
		path := s.Name
		for up, there := parents[s.Parent.SpanID().String()]; there; up, there = parents[up.Parent.SpanID().String()] {
			path = up.Name + "/" + path
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func (r traced) named(name string) (found []tracetest.SpanStub) {
	for _, s := range r.spans.GetSpans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// header gives what a message says of its trace.
func (r traced) header(subject string) string {
	r.t.Helper()
	for message, err := range r.bus.Watch(r.ctx, bus.WatchOptions{Subjects: []string{subject}, Since: time.Unix(1, 0)}) {
		r.must(err)
		return message.Header.Get("traceparent")
	}
	return ""
}

// TestOneTrace sees a request from its publisher to its result as one tree.
func TestOneTrace(t *testing.T) {
	r := newTraced(t)
	stop := r.start()
	r.publish("PR.1")
	r.result("PR.1")
	stop()
	want := []string{
		"submit",
		"submit/request",
		"submit/request/draw",
		"submit/request/place",
		"submit/request/place/relay place",
		"submit/request/place/relay place/gateway alibaba.trade.fastCreateOrder",
		"submit/request/place/relay place/gateway getToken",
		"submit/request/publish",
		"submit/request/settle",
	}
	if got := r.tree(); !slices.Equal(got, want) {
		t.Errorf("tree:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	published := r.named("publish")[0].SpanContext
	if got := r.header("purchase.result.acme.PR=2E1"); got != "00-"+published.TraceID().String()+"-"+published.SpanID().String()+"-01" {
		t.Errorf("the result says it is part of %q", got)
	}
}

// TestARedeliveryLinksToTheFirst puts a request off once: its second delivery is another span, of the same trace though the
// publisher brought none, and links to the first.
func TestARedeliveryLinksToTheFirst(t *testing.T) {
	r := newTraced(t)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "throttled", Count: 1}))
	stop := r.start()
	r.ask(r.request("PR.1", 0))
	r.result("PR.1")
	stop()
	r.tree()
	requests := r.named("request")
	if len(requests) != 2 {
		t.Fatalf("%d deliveries", len(requests))
	}
	first, second := requests[0], requests[1]
	if len(first.Links) != 0 || len(second.Links) != 1 || second.Links[0].SpanContext.SpanID() != first.SpanContext.SpanID() ||
		second.Links[0].SpanContext.TraceID() != first.SpanContext.TraceID() || first.SpanContext.SpanID() == second.SpanContext.SpanID() {
		t.Errorf("first %v, second %v with links %v", first.SpanContext, second.SpanContext, second.Links)
	}
	if e := r.until("postponed", func(e worker.Event) bool { return e.Stage == worker.StagePostponed }); tracing.ID(e.Context) != first.SpanContext.TraceID().String() {
		t.Errorf("the event is part of %q", tracing.ID(e.Context))
	}
}

// TestAPublishersTraceGoesThroughUntraced has nobody here trace: what the publisher says reaches the result all the same.
func TestAPublishersTraceGoesThroughUntraced(t *testing.T) {
	r := traced{rig: newRig(t, processes(t))}
	r.addKey("1000001", 1000)
	stop := r.start()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := tracing.Within(r.ctx, func(name string) (string, bool) { return parent, name == "TRACEPARENT" })
	_, err := r.bus.Submit(ctx, "acme", "PR.1", schemas.AppendRequest(nil, r.request("PR.1", 0)))
	r.must(err)
	r.result("PR.1")
	stop()
	if got := r.header("purchase.result.acme.PR=2E1"); got != parent {
		t.Errorf("the result says it is part of %q", got)
	}
}
