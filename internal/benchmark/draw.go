package benchmark

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// drawers is at how many goroutines draws are measured.
const drawers = 64

// draws are draws of the key pool, each of a claim of its own.
func (r *Rig) draws(ctx context.Context, n int) (time.Duration, error) {
	published := time.Now()
	return clock(drawers, n, func() error {
		_, err := r.keys.Draw(ctx, &worker.Draw{
			Pool: r.Pool, Reference: fmt.Sprint("bench.DR-", r.drawn.Add(1), "-1"), Fingerprint: "0123456789abcdef0123456789abcdef",
			Size: worker.Size{Lines: 1, Units: 2}, Owner: "bench:1:1", Attempt: 1, Published: published,
		})
		return err
	})
}

// evals are the yardstick of draws: a script that writes one number, each call for itself.
func (r *Rig) evals(ctx context.Context) (side, error) {
	client, err := r.plainRedis(ctx, drawers)
	keys := []string{keypool.Beside(r.Pool, "bare")}
	return func(ctx context.Context, n int) (time.Duration, error) {
		return clock(drawers, n, func() error { return count.EvalSha(ctx, client, keys).Err() })
	}, err
}

// clock does something n times in so many goroutines and says how long it took, or what went wrong first.
func clock(goroutines, n int, do func() error) (time.Duration, error) {
	var started atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	begin := time.Now()
	for range goroutines {
		all.Go(func() {
			for started.Add(1) <= int64(n) && failed.Load() == nil {
				if err := do(); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	if err := failed.Load(); err != nil {
		return took, errors.Join(*err)
	}
	return took, nil
}
