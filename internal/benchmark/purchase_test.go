package benchmark

import (
	"fmt"
	"testing"
)

func BenchmarkPurchase(b *testing.B) {
	for _, concurrent := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(concurrent), func(b *testing.B) {
			r := newRig(b)
			t := compare(b, r.ours(concurrent).run, r.bare(concurrent).run)
			t.report(b, fmt.Sprintf("purchases, %d at a time", concurrent), "purchases/s")
		})
	}
}

// TestBothSidesFinish keeps the benchmark from rotting unseen: each side sees every request to its end.
func TestBothSidesFinish(t *testing.T) {
	r := newRig(t)
	ours, bare := r.ours(4), r.bare(4)
	for range 2 {
		if r.do(ours.run, 50) <= 0 || r.do(bare.run, 50) <= 0 {
			t.Error("a run took no time")
		}
	}
	left, err := r.bus.Depth(t.Context())
	r.must(err)
	if left.Waiting != 0 || left.InFlight != 0 {
		t.Errorf("left over: %+v", left)
	}
}
