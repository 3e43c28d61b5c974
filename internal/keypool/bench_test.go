package keypool

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/workertest"
)

const goroutines = 64

// BenchmarkDraw draws at 64 goroutines and prints what the same number of bare EVALSHAs of one HINCRBY takes, on the same
// Redis right before, as the yardstick.
func BenchmarkDraw(b *testing.B) {
	p := open(b, workertest.Redis(b).URL)
	settings(b, p, "default", Settings{Count: CountLines, Width: 1})
	for i := range 4 {
		add(b, p, Key{Pool: "default", AppKey: fmt.Sprint("k", i), Limit: maxCount})
	}
	bare := func(n int) time.Duration {
		client := redis.NewClient(&redis.Options{Addr: addrOf(p), MaxRetries: -1, PoolSize: goroutines})
		defer client.Close()
		count := redis.NewScript("return redis.call('HINCRBY', KEYS[1], 'n', 1)")
		if err := count.Load(b.Context(), client).Err(); err != nil {
			b.Fatal(err)
		}
		return clock(n, func(int64) error { return count.EvalSha(b.Context(), client, []string{"bare"}).Err() }, b)
	}
	ours := func(n int) time.Duration {
		return clock(n, func(int64) error {
			_, err := p.Draw(b.Context(), new(order1("default", fmt.Sprint("r-", serial.Add(1)), 1)))
			return err
		}, b)
	}
	bare(1000)
	ours(1000)
	yardstick := bare(b.N)
	b.ResetTimer()
	took := ours(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/took.Seconds(), "draws/s")
	b.ReportMetric(float64(b.N)/yardstick.Seconds(), "bare/s")
	b.ReportMetric(yardstick.Seconds()/took.Seconds(), "ratio")
}

// serial makes references that no earlier round has used.
var serial atomic.Int64

// clock does something n times in 64 goroutines and says how long it took.
func clock(n int, do func(i int64) error, b *testing.B) time.Duration {
	begin := time.Now()
	var failed atomic.Value
	atOnce(n, func(i int) {
		if err := do(int64(i)); err != nil {
			failed.Store(err)
		}
	})
	if err := failed.Load(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}
