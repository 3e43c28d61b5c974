package benchmark

import (
	"fmt"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"autopurchase/internal/metrics"
	"autopurchase/internal/tracing"
)

// BenchmarkMetrics measures what it costs to be measured: whole workers with metrics beside whole workers without.
func BenchmarkMetrics(b *testing.B) {
	for _, concurrent := range []int{16, 64} {
		b.Run(fmt.Sprint(concurrent), func(b *testing.B) {
			r, set := newRig(b), metrics.New()
			seen := r.ours(concurrent)
			seen.observe, seen.around = set.Observe, set.Ports
			t := compare(b, seen.run, r.ours(concurrent).run)
			t.report(b, fmt.Sprintf("with metrics, %d at a time", concurrent), "purchases/s")
		})
	}
}

// BenchmarkTracing measures what it costs to be traced into memory: that it costs nothing where it is off shows in allocations, see
// package tracing.
func BenchmarkTracing(b *testing.B) {
	const concurrent = 64
	r, tracer := newRig(b), tracing.With(sdk.WithBatcher(tracetest.NewNoopExporter()))
	seen := r.ours(concurrent)
	seen.observe, seen.around = tracer.Observe, tracer.Ports
	t := compare(b, seen.run, r.ours(concurrent).run)
	t.report(b, fmt.Sprintf("with traces, %d at a time", concurrent), "purchases/s")
	r.must(tracer.Stop(b.Context()))
}
