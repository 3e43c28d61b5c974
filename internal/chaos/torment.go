package chaos

import (
	"context"
	"fmt"
	"sync"
)

// torment injects every fault of the plan when it is due, and returns when all are over.
func (r *run) torment(ctx context.Context) error {
	v := &villain{system: r.system, victims: map[any]*sync.Mutex{}}
	slots := make(chan struct{}, r.config.AtOnce)
	failed := make(chan error, r.config.Faults)
	var faults sync.WaitGroup
	for _, f := range plan(r.config) {
		r.due(f.Due)
		if !r.comesDue(ctx, f) {
			break
		}
		slots <- struct{}{}
		r.notes.say("%d results: %s, %v", f.Due, f.Kind, f.For)
		r.notes.strike(f.Kind)
		r.injected.Add(1)
		faults.Go(func() {
			defer func() { <-slots }()
			if err := v.inflict(ctx, f); err != nil {
				failed <- fmt.Errorf("%s: %w", f.Kind, err)
			}
		})
	}
	r.due(len(r.requests))
	faults.Wait()
	close(failed)
	if err := <-failed; ctx.Err() == nil {
		return err
	}
	return nil
}

// comesDue waits for a fault's turn; false means that the work stands still, or that ctx ended.
func (r *run) comesDue(ctx context.Context, f fault) bool {
	bounded, cancel := context.WithTimeout(ctx, standstill)
	defer cancel()
	if r.await(bounded, func(results int) bool { return results >= f.Due }) {
		return true
	}
	r.notes.say("not %d results within %v: no more faults", f.Due, standstill)
	return false
}

func (r *run) due(results int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dueNext.Store(int64(results))
	r.wake()
}
