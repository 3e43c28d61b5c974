package keypool

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/worker"
)

// TestAPoolIsRebuiltWithThousandsUnderWay on very many keys, within the time that a step has where nothing is set.
func TestAPoolIsRebuiltWithThousandsUnderWay(t *testing.T) {
	p := open(t, quickRedis(t), func(c *Config) { c.CallTimeout = defaultCallTimeout })
	const keys, orders = 300, 5000
	s := &stored{}
	for i := range keys {
		s.events = append(s.events, worker.PoolEvent{Pool: "default", Sequence: int64(i + 1), Kind: worker.EventAdded,
			AppKey: fmt.Sprint(1000001 + i), Limit: 1000, Count: CountLines, Width: 1})
	}
	for i := range orders {
		s.flights = append(s.flights, under(fmt.Sprint("r", i), 1))
	}
	began := time.Now()
	rebuild(t, p, s)
	t.Logf("took %v", time.Since(began))
	wantHeld(t, p, "1000001", 0, orders)
}

// readings counts how often a history is read.
type readings struct {
	*stored
	begun atomic.Int64
}

func (r *readings) Delivered(ctx context.Context) iter.Seq2[worker.Request, error] {
	r.begun.Add(1)
	return r.stored.Delivered(ctx)
}

// TestAProcessReadsTheHistoryOnce however many parts of it find the pool as they must not leave it, and others have it rebuilt meanwhile.
func TestAProcessReadsTheHistoryOnce(t *testing.T) {
	p := open(t, quickRedis(t))
	s := &readings{stored: &stored{events: []worker.PoolEvent{
		{Pool: "default", Sequence: 1, Kind: worker.EventAdded, AppKey: "1000001", Limit: 1000, Count: CountLines, Width: 1},
	}}}
	for i := range 500 {
		s.flights = append(s.flights, under(fmt.Sprint("r", i), 1))
	}
	atOnce(8, func(int) {
		if err := p.Rebuild(t.Context(), "default", s); err != nil {
			t.Error(err)
		}
	})
	if n := s.begun.Load(); n != 1 {
		t.Errorf("the history was read %d times", n)
	}
	wantHeld(t, p, "1000001", 0, 500)
}
