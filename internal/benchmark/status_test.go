package benchmark

import (
	"context"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// BenchmarkQueueStatus compares purchases while nobody asks how the queue is with purchases while five questions a second are
// answered by the same process, and a beat is said every second: more than people and pages do.
func BenchmarkQueueStatus(b *testing.B) {
	r := newRig(b)
	t := take(*pairs, *long, r.asked(16), r.workers(16))
	t.report(b, "purchases, 16 at a time, asked how the queue is five times a second and not at all", "purchases/s")
}

// TestAskedWhileItWorks keeps the benchmark from rotting unseen, and sees to it that questions are answered.
func TestAskedWhileItWorks(t *testing.T) {
	r := newRig(t)
	if r.asked(4)(50) <= 0 {
		t.Error("a run took no time")
	}
	status, err := r.tellStatus()
	r.must(err)
	if status.Workers != 1 || status.Depth != 0 || status.RateOut == 0 || len(status.Pools) != 1 {
		t.Errorf("%+v", status)
	}
}

// asked is our side while it is asked how the queue is.
func (r *rig) asked(concurrent int) side {
	run := r.workers(concurrent)
	return func(n int) time.Duration {
		ctx, stop := context.WithCancel(r.Context())
		var asking sync.WaitGroup
		defer asking.Wait()
		defer stop()
		asking.Go(func() { r.keepAsking(ctx) })
		return run(n)
	}
}

func (r *rig) keepAsking(ctx context.Context) {
	end := r.serveStatus()
	defer end()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for ctx.Err() == nil {
		if _, err := r.bus.QueueStatus(ctx); err != nil && ctx.Err() == nil {
			r.Error(err)
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// tellStatus asks once.
func (r *rig) tellStatus() (worker.QueueStatus, error) {
	defer r.serveStatus()()
	return r.bus.QueueStatus(r.Context())
}

func (r *rig) serveStatus() (end func()) {
	end, err := r.bus.ServeStatus(r.Context(), bus.Speaker{
		Instance: "bench", Every: time.Second,
		Self: func() worker.Instance { return worker.Instance{Instance: "bench"} },
		Whole: func(ctx context.Context, alive []worker.Instance) (s worker.QueueStatus) {
			if err := r.bus.Measure(ctx, &s); err != nil {
				r.Error(err)
			}
			pools, err := r.pool.Standing(ctx)
			if err != nil {
				r.Error(err)
			}
			for _, pool := range pools {
				s.AddPool(pool)
			}
			s.Merge(alive)
			return s
		},
	})
	if err != nil {
		r.Error(err)
		return func() {}
	}
	return end
}
