package benchmark

import (
	"fmt"
	"testing"

	"autopurchase/internal/metrics"
)

// BenchmarkMetrics measures what it costs to be measured: whole workers with metrics beside whole workers without.
func BenchmarkMetrics(b *testing.B) {
	for _, concurrent := range []int{16, 64} {
		b.Run(fmt.Sprint(concurrent), func(b *testing.B) {
			r, set := newRig(b), metrics.New()
			t := take(*pairs, *long, r.witnessed(concurrent, set.Observe, set.Ports), r.workers(concurrent))
			t.report(b, fmt.Sprintf("with metrics, %d at a time", concurrent), "purchases/s")
		})
	}
}
