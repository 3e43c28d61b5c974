package chaos

import (
	"context"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/schemas"
)

const resultsOf = "purchase.result." + tenant + ".>"

// count follows the results.
func (r *run) count(ctx context.Context) {
	seen := map[string]bool{}
	for message, err := range r.bus.Watch(ctx, bus.WatchOptions{Subjects: []string{resultsOf}, Since: r.began.Add(-time.Minute)}) {
		if err != nil {
			r.notes.say("results: %v", err)
			continue
		}
		if result, err := schemas.DecodeResult(message.Data); err == nil && result.RequestID != marker {
			seen[result.RequestID] = true
			r.reached(len(seen))
		}
	}
}

func (r *run) reached(results int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results, r.last = results, time.Now()
	r.wake()
}

func (r *run) wake() {
	close(r.moved)
	r.moved = make(chan struct{})
}

func (r *run) state() (results int, last time.Time, moved <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.results, r.last, r.moved
}

// await waits for so many results; false means that ctx ended before.
func (r *run) await(ctx context.Context, enough func(results int) bool) bool {
	for {
		results, _, moved := r.state()
		if enough(results) {
			return true
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

// settle waits until every request has its result and is acknowledged, or until nothing has come for long.
func (r *run) settle(ctx context.Context) {
	began := time.Now()
	for ctx.Err() == nil {
		results, last, _ := r.state()
		depth, err := r.bus.Depth(ctx)
		switch {
		case results == len(r.requests) && err == nil && depth.Waiting == 0 && depth.InFlight == 0:
			return
		case time.Since(last) > standstill && time.Since(began) > standstill:
			r.notes.say("nothing has come for %v: %d waiting, %d under way (%v)", standstill, depth.Waiting, depth.InFlight, err)
			return
		}
		wait(ctx, restartAfter)
	}
}

// standstill is after how long without a result and without a fault nothing more is expected. It is longer than the longest
// pause between two tries of a request, 30 s, with all that may follow.
const standstill = 100 * time.Second
