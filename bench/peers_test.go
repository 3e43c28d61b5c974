package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/benchmark"
	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/workertest"
)

// patience bounds every run.
const patience = time.Minute

// stand is where all are measured: the servers, and what is done for each request.
type stand struct {
	testing.TB
	rig      *benchmark.Rig
	errand   *benchmark.Errand
	natsURL  string
	redisURL string
	made     int // requests for peers so far
}

func newStand(t testing.TB, concurrent int) *stand {
	t.Helper()
	url, stop, err := benchmark.Start(benchmark.NATS, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop(context.Background()) })
	s := &stand{TB: t, natsURL: url, redisURL: workertest.Redis(t, "--auto-aof-rewrite-percentage", "0").URL}
	s.rig, err = benchmark.Open(t.Context(), benchmark.Config{NATS: bus.Config{URL: url}, Redis: keypool.Config{URL: s.redisURL}})
	t.Cleanup(func() { s.must(s.rig.Close(context.Background())) })
	s.must(err)
	s.errand, err = s.rig.Errand(t.Context(), concurrent)
	s.must(err)
	return s
}

func (s *stand) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// peer is a queue that handles requests.
type peer interface {
	// store puts n requests into the queue.
	store(ctx context.Context, first, n int) error
	// serve handles them until the shift is over, and returns what went wrong.
	serve(ctx context.Context, s *shift) error
}

// shift is the handling of n requests.
type shift struct {
	*benchmark.Errand
	begin        sync.Once
	began, ended time.Time
	left         atomic.Int64
	over         chan struct{} // closed when all are handled
}

func (s *stand) shift(n int) *shift {
	h := &shift{Errand: s.errand, over: make(chan struct{})}
	h.left.Store(int64(n))
	return h
}

// buy does the work for a request.
func (h *shift) buy(ctx context.Context) error {
	h.begin.Do(func() { h.began = time.Now() })
	return h.Buy(ctx)
}

// finish says that a request's result is on record.
func (h *shift) finish() {
	if h.left.Add(-1) == 0 {
		h.ended = time.Now()
		close(h.over)
	}
}

// wait waits for the end of the shift.
func (h *shift) wait(ctx context.Context) error {
	select {
	case <-h.over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d requests are not handled: %w", h.left.Load(), context.Cause(ctx))
	}
}

// run is the peer's side.
func (s *stand) run(p peer) func(ctx context.Context, n int) (time.Duration, error) {
	return func(ctx context.Context, n int) (time.Duration, error) {
		first := s.made
		s.made += n
		if err := p.store(ctx, first, n); err != nil {
			return 0, err
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		h := s.shift(n)
		if err := p.serve(ctx, h); err != nil {
			return 0, err
		}
		return h.ended.Sub(h.began), nil
	}
}

// TestPeersFinish keeps the benchmark from rotting unseen.
func TestPeersFinish(t *testing.T) {
	s := newStand(t, 4)
	for name, p := range s.peers(4) {
		for range 2 {
			if took, err := s.run(p)(t.Context(), 50); err != nil || took <= 0 {
				t.Errorf("%s took %v: %v", name, took, err)
			}
		}
	}
}

func BenchmarkPeers(b *testing.B) {
	for _, name := range []string{"asynq", "watermill"} {
		b.Run(name, func(b *testing.B) {
			s := newStand(b, *concurrent)
			ours, err := s.rig.Ours(b.Context(), *concurrent)
			s.must(err)
			c, err := benchmark.Compare(b.Context(), *pairs, *long, ours, s.run(s.peers(*concurrent)[name]))
			s.must(err)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(c.Ratio, "ratio")
			found[name] = c
		})
	}
}

func (s *stand) peers(concurrent int) map[string]peer {
	return map[string]peer{"asynq": s.asynq(concurrent), "watermill": s.watermill(concurrent)}
}
