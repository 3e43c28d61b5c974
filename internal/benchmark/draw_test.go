package benchmark

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

func BenchmarkDraw(b *testing.B) {
	r := newRig(b)
	evals, err := r.evals(b.Context())
	r.must(err)
	compare(b, r.draws, evals).report(b, fmt.Sprintf("draws, %d callers", drawers), "draws/s")
}

func TestClockDoesEachOnce(t *testing.T) {
	var done atomic.Int64
	if _, err := clock(8, 1000, func() error { done.Add(1); return nil }); err != nil || done.Load() != 1000 {
		t.Errorf("done %d times: %v", done.Load(), err)
	}
	wrong := errors.New("wrong")
	if _, err := clock(8, 1000, func() error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
}
