package benchmark

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// side does something n times and says how long it took.
type side func(n int) time.Duration

// turns are the rates of runs of two sides that took turns, in things per second.
type turns struct {
	ours, bare []float64
}

// take lets both sides run, the first one second in the next pair. A run is as long as bare needs for about the wanted time.
func take(pairs int, long time.Duration, ours, bare side) turns {
	const some = 300
	ours(some) // warms up scripts, connections and the heap
	n := max(some, int(rate(some, bare(some))*long.Seconds()))
	n = max(some, int(rate(n/4, bare(n/4))*long.Seconds()))
	var t turns
	for pair := range pairs {
		if pair%2 == 0 {
			t.ours = append(t.ours, rate(n, ours(n)))
			t.bare = append(t.bare, rate(n, bare(n)))
		} else {
			t.bare = append(t.bare, rate(n, bare(n)))
			t.ours = append(t.ours, rate(n, ours(n)))
		}
	}
	return t
}

func rate(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

// ratios are ours to bare of each pair.
func (t turns) ratios() []float64 {
	ratios := make([]float64, len(t.ours))
	for i := range t.ours {
		ratios[i] = t.ours[i] / t.bare[i]
	}
	return ratios
}

// report adds the sides' rates and their ratio to the benchmark's own line and to the table. unit is what is done so often in
// a second.
func (t turns) report(b *testing.B, name, unit string) {
	b.ReportMetric(0, "ns/op") // of the one call: means nothing
	b.ReportMetric(median(t.ours), unit)
	b.ReportMetric(median(t.bare), "bare/s")
	b.ReportMetric(median(t.ratios()), "ratio")
	row("%s", t.line(name, unit))
}

func (t turns) line(name, unit string) string {
	r := t.ratios()
	return fmt.Sprintf("%-26s %7.0f %-12s bare %7.0f/s   ratio %.2f (%.2f–%.2f)",
		name, median(t.ours), unit, median(t.bare), median(r), slices.Min(r), slices.Max(r))
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {3}, 2.5: {1, 3, 2, 9}, 2: {9, 2, 1}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %v, want %v", values, got, want)
		}
	}
}

// TestTakeIsFair checks that both sides get the same work, in changing order.
func TestTakeIsFair(t *testing.T) {
	var order string
	var sizes []int
	note := func(name string, took time.Duration) side {
		return func(n int) time.Duration {
			order, sizes = order+name, append(sizes, n)
			return took * time.Duration(n)
		}
	}
	got := take(3, time.Second, note("o", 2*time.Millisecond), note("b", time.Millisecond))
	if want := "obb" + "ob" + "bo" + "ob"; order != want {
		t.Errorf("order is %s, want %s", order, want)
	}
	for _, n := range sizes[3:] {
		if n != 1000 {
			t.Errorf("a run of %d, want one second of bare: 1000", n)
		}
	}
	if m := median(got.ratios()); len(got.ratios()) != 3 || m != 0.5 {
		t.Errorf("ratios are %v", got.ratios())
	}
}
