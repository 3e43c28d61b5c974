package tracing

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"autopurchase/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func env(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { text, set := pairs[name]; return text, set }
}

func TestWanted(t *testing.T) {
	const endpoint, traces = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	for _, c := range []struct {
		set    map[string]string
		wanted bool
		wrong  string
	}{
		{nil, false, ""},
		{map[string]string{"OTEL_SERVICE_NAME": "x"}, false, ""},
		{map[string]string{endpoint: "http://127.0.0.1:4318"}, true, ""},
		{map[string]string{traces: "http://127.0.0.1:4318/v1/traces", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, true, ""},
		{map[string]string{endpoint: "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, false, ""},
		{map[string]string{endpoint: "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, false, ""},
		{map[string]string{endpoint: "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, `OTEL_EXPORTER_OTLP_PROTOCOL "grpc": must be http/protobuf`},
	} {
		wanted, err := Wanted(env(c.set))
		if wanted != c.wanted || (err == nil) != (c.wrong == "") || err != nil && err.Error() != c.wrong {
			t.Errorf("%v: %v, %v", c.set, wanted, err)
		}
	}
}

// TestOffCostsNothing has a tracer that is off stand around everything: it hands back what it is given, and allocates nothing.
func TestOffCostsNothing(t *testing.T) {
	off, err := Start(t.Context(), env(nil), "x", nil)
	if off != nil || err != nil {
		t.Fatalf("%v, %v", off, err)
	}
	if p := off.Ports(worker.Ports{}); p.Inbox != nil || p.Ledger != nil || p.Market != nil || p.Outbox != nil {
		t.Errorf("something stands around %+v", p)
	}
	ctx := t.Context()
	n := testing.AllocsPerRun(100, func() {
		a, called := off.Call(ctx, "x")
		b, asked := off.Ask(ctx, "place")
		c, submitted := off.Submit(ctx, "acme", "PR-1")
		if a != ctx || b != ctx || c != ctx || ID(ctx) != "" {
			t.Error("another context")
		}
		called("ok")
		asked(worker.Answer{})
		submitted(nil)
		off.Observe(worker.Event{Context: ctx})
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	if err := off.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
