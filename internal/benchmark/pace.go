package benchmark

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"autopurchase/worker"
)

// arrivals are requests that come one after the other at a steady pace, whatever becomes of those before, and how long each took from
// when it was published to its acknowledgement.
type arrivals struct {
	first int
	mutex sync.Mutex
	sent  []time.Time
	took  []time.Duration
	last  time.Time // when one came to its end
}

// atOnce is a pace that nobody keeps: each request is published as soon as it can be.
const atOnce = 1e9

// rate is how many a second came to their end.
func (a *arrivals) rate() float64 { return rate(len(a.took), a.last.Sub(a.sent[0])) }

// halfLoad is half of what the slower of two sides can take while its requests arrive: whoever publishes them is on the same machine.
func halfLoad(ctx context.Context, n int, sides ...func(ctx context.Context, perSecond float64, n int) (*arrivals, error)) (float64, error) {
	slowest := math.Inf(1)
	for _, paced := range sides {
		a, err := paced(ctx, atOnce, n)
		if err != nil {
			return 0, err
		}
		slowest = min(slowest, a.rate())
	}
	return slowest / 2, nil
}

// paced publishes n requests, so many a second, while work takes them to their end; it calls done with each one's id.
func (r *Rig) paced(ctx context.Context, perSecond float64, n int, work func(ctx context.Context, done func(id string)) error) (*arrivals, error) {
	if err := r.untilQuiet(ctx); err != nil {
		return nil, err
	}
	a := &arrivals{first: r.take(n), sent: make([]time.Time, n)}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var published error
	var publishing sync.WaitGroup
	publishing.Go(func() {
		begin := time.Now()
		published = r.submit(ctx, a.first, n, func(i int) bool {
			due := begin.Add(time.Duration(float64(i) / perSecond * float64(time.Second)))
			return a.sends(ctx, i, due)
		})
	})
	err := work(ctx, a.done)
	if err != nil {
		stop()
	}
	publishing.Wait()
	if err == nil {
		err = published
	}
	return a, err
}

// sends waits until a request is due.
func (a *arrivals) sends(ctx context.Context, i int, due time.Time) bool {
	if pause := time.Until(due); pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	a.mutex.Lock()
	a.sent[i] = time.Now()
	a.mutex.Unlock()
	return true
}

func (a *arrivals) done(id string) {
	now := time.Now()
	i, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if i -= a.first; err == nil && i >= 0 && i < len(a.sent) {
		a.took, a.last = append(a.took, now.Sub(a.sent[i])), now
	}
}

// paced is our side at a pace.
func (w *workers) paced(ctx context.Context, perSecond float64, n int) (*arrivals, error) {
	return w.Rig.paced(ctx, perSecond, n, func(ctx context.Context, done func(id string)) error {
		w.observe = func(e worker.Event) {
			if e.Stage == worker.StageFinished {
				done(e.RequestID)
			}
		}
		defer func() { w.observe = nil }()
		_, err := w.work(ctx, n)
		return err
	})
}

// paced is the bare side at a pace.
func (l *bare) paced(ctx context.Context, perSecond float64, n int) (*arrivals, error) {
	return l.Rig.paced(ctx, perSecond, n, func(ctx context.Context, done func(id string)) error {
		_, err := l.work(ctx, n, done)
		return err
	})
}

// percentile is how long at most a share of them took, in milliseconds. The slice is sorted.
func percentile(took []time.Duration, share float64) float64 {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	i := min(int(float64(len(took))*share), len(took)-1)
	return float64(took[i].Microseconds()) / 1000
}
