package benchmark

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// BenchmarkQueueStatus compares purchases while nobody asks how the queue is with purchases while five questions a second are
// answered by the same process, and a beat is said every second: more than people and pages do.
func BenchmarkQueueStatus(b *testing.B) {
	r := newRig(b)
	t := compare(b, r.asked(16), r.ours(16).run)
	t.report(b, "purchases, 16 at a time, asked how the queue is five times a second and not at all", "purchases/s")
}

// BenchmarkWatch compares purchases that nobody looks at with purchases of which a watcher, the program as a process of its own, is told
// every message: by the CPU time of the worker's process, since on a machine that is busy with purchases alone the watcher and the
// broker take theirs from it.
func BenchmarkWatch(b *testing.B) {
	if _, err := os.Stat(program); err != nil {
		b.Fatal("the program is not built: run make bench, which builds it")
	}
	r := newRig(b)
	t := compare(b, thrift(r.watched(16)), thrift(r.ours(16).run))
	t.report(b, "purchases, 16 at a time, every message watched and none, by the worker's own CPU time", "purchases/s")
}

// thrift tells what a side takes of this process's CPU time.
func thrift(s side) side {
	return func(ctx context.Context, n int) (time.Duration, error) {
		before := spent()
		_, err := s(ctx, n)
		return spent() - before, err
	}
}

func spent() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // it knows this process
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// watched is our side while it is watched.
func (r *rig) watched(concurrent int) side {
	run := r.ours(concurrent).run
	return func(ctx context.Context, n int) (time.Duration, error) {
		watcher := exec.Command(program, "watch", "--json", "--nats", r.natsURL)
		r.must(watcher.Start())
		defer func() {
			_ = watcher.Process.Signal(syscall.SIGTERM)
			r.must(watcher.Wait())
		}()
		return run(ctx, n)
	}
}

// TestAskedWhileItWorks keeps the benchmark from rotting unseen, and sees to it that questions are answered.
func TestAskedWhileItWorks(t *testing.T) {
	r := newRig(t)
	if r.do(r.asked(4), 50) <= 0 {
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
	run := r.ours(concurrent).run
	return func(ctx context.Context, n int) (time.Duration, error) {
		asked, stop := context.WithCancel(ctx)
		var asking sync.WaitGroup
		defer asking.Wait()
		defer stop()
		asking.Go(func() { r.keepAsking(asked) })
		return run(ctx, n)
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
			pools, err := r.keys.Standing(ctx)
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
