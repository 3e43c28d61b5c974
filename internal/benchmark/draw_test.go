package benchmark

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// drawers is at how many goroutines draws are measured.
const drawers = 64

// count is the smallest script that writes.
var count = redis.NewScript("return redis.call('HINCRBY', KEYS[1], 'n', 1)")

func BenchmarkDraw(b *testing.B) {
	url := startRedis(b)
	t := take(*pairs, *long, draws(b, openPool(b, url)), evals(b, openRedis(b, url, drawers)))
	t.report(b, fmt.Sprintf("draws, %d callers", drawers), "draws/s")
}

func draws(t testing.TB, pool *keypool.Pool) side {
	var made atomic.Int64
	published := time.Now()
	return func(n int) time.Duration {
		return clock(t, drawers, n, func() error {
			_, err := pool.Draw(t.Context(), worker.Draw{
				Pool: "default", Reference: fmt.Sprint("bench.PR-", made.Add(1), "-1"), Fingerprint: "0123456789abcdef0123456789abcdef",
				Size: worker.Size{Lines: 1, Units: 2}, Owner: "bench:1:1", Attempt: 1, Published: published,
			})
			return err
		})
	}
}

func evals(t testing.TB, client *redis.Client) side {
	if err := count.Load(t.Context(), client).Err(); err != nil {
		t.Fatal(err)
	}
	return func(n int) time.Duration {
		return clock(t, drawers, n, func() error { return count.EvalSha(t.Context(), client, []string{"bare"}).Err() })
	}
}

// clock does something n times in so many goroutines and says how long it took. The test fails if any of it fails.
func clock(t testing.TB, goroutines, n int, do func() error) time.Duration {
	t.Helper()
	var started atomic.Int64
	var failed atomic.Value
	var all sync.WaitGroup
	begin := time.Now()
	for range goroutines {
		all.Go(func() {
			for started.Add(1) <= int64(n) && failed.Load() == nil {
				if err := do(); err != nil {
					failed.Store(err.Error())
				}
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	if err := failed.Load(); err != nil {
		t.Fatal(err)
	}
	return took
}

func TestClockDoesEachOnce(t *testing.T) {
	var done atomic.Int64
	clock(t, 8, 1000, func() error { done.Add(1); return nil })
	if done.Load() != 1000 {
		t.Errorf("done %d times", done.Load())
	}
}
