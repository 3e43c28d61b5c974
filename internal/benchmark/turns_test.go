package benchmark

import (
	"context"
	"testing"
	"time"
)

// compare lets two sides take turns, as often and as long as the flags say.
func compare(b *testing.B, ours, bare side) turns {
	b.Helper()
	t, err := plan{pairs: *pairs, long: *long}.take(b.Context(), ours, bare)
	if err != nil {
		b.Fatal(err)
	}
	return t
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

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {3}, 2.5: {1, 3, 2, 9}, 2: {9, 2, 1}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %v, want %v", values, got, want)
		}
	}
}

func TestPercentile(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i)*time.Millisecond)
	}
	if half, most := percentile(took, 0.5), percentile(took, 0.99); half != 51 || most != 100 {
		t.Errorf("half took %v ms and 99 of 100 took %v", half, most)
	}
}

// TestTakeIsFair checks that both sides get the same work, in changing order, and that no pair is begun that would be late.
func TestTakeIsFair(t *testing.T) {
	var order string
	var sizes []int
	note := func(name string, took time.Duration) side {
		return func(_ context.Context, n int) (time.Duration, error) {
			order, sizes = order+name, append(sizes, n)
			return took * time.Duration(n), nil
		}
	}
	ours, bare := note("o", 2*time.Millisecond), note("b", time.Millisecond)
	got, err := plan{pairs: 3, long: time.Second}.take(t.Context(), ours, bare)
	if want := "obb" + "ob" + "bo" + "ob"; order != want || err != nil {
		t.Errorf("order is %s, want %s: %v", order, want, err)
	}
	for _, n := range sizes[3:] {
		if n != 1000 {
			t.Errorf("a run of %d, want one second of bare: 1000", n)
		}
	}
	if m := median(got.ratios()); len(got.ratios()) != 3 || m != 0.5 {
		t.Errorf("ratios are %v", got.ratios())
	}
	order = ""
	if _, err := (plan{pairs: 3, long: time.Second, until: time.Now()}).take(t.Context(), ours, bare); order != "obb"+"ob" || err != nil {
		t.Errorf("with no time left: %s, %v", order, err)
	}
}
