package index

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"autopurchase/worker"
)

// many is how many requests the promises about speed are made for.
const many = 1_000_000

// BenchmarkApply measures what it costs to take in a request and its result, in batches of so many messages.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{8, 512} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			x, s := fresh(b), newStreams()
			var part []worker.Entry
			for n := 0; b.Loop(); n++ {
				id := fmt.Sprintf("PR-%d", n)
				part = append(part, s.request("acme", id, fmt.Sprint("seller", n%5000), fmt.Sprint("70000000", n%90000)),
					s.result("acme", id, worker.OutcomePlaced, worker.CodePlaced, "", fmt.Sprintf("2257%015d", n)))
				if len(part) >= size {
					must(b, x.Apply(context.Background(), part))
					part = part[:0]
				}
			}
		})
	}
}

// BenchmarkMillion fills an index with a million requests and asks it. Run it with -benchtime 1x, or it fills many.
func BenchmarkMillion(b *testing.B) {
	x := fresh(b)
	fill(b, x, many)
	for _, c := range []struct {
		name  string
		bound time.Duration
		ask   func(context.Context) (int, error)
	}{
		{"newest and count", 500 * time.Millisecond, x.asks(worker.Filter{})},
		{"tallies", 50 * time.Millisecond, func(ctx context.Context) (int, error) { t, err := x.Tallies(ctx); return len(t), err }},
		{"series", 50 * time.Millisecond, func(ctx context.Context) (int, error) { s, err := x.Series(ctx, time.Now(), 60); return len(s), err }},
		{"latest", 50 * time.Millisecond, func(ctx context.Context) (int, error) { l, err := x.Latest(ctx, 20); return len(l), err }},
		{"order", 50 * time.Millisecond, x.asks(worker.Filter{Order: "2257000000000777777"})},
		{"key", 500 * time.Millisecond, x.asks(worker.Filter{AppKey: "key77"})},
		{"seller", 500 * time.Millisecond, x.asks(worker.Filter{Seller: "seller77", States: []worker.LifeState{worker.LifeRefused}})},
		{"few of a state", 500 * time.Millisecond, x.asks(worker.Filter{States: []worker.LifeState{worker.LifeUnknown}})},
		{"part of an id", 500 * time.Millisecond, x.asks(worker.Filter{Text: "-0777777"})},
		{"part of an order id", 500 * time.Millisecond, x.asks(worker.Filter{Text: "0000777777"})},
		{"text of many ids", 500 * time.Millisecond, x.asks(worker.Filter{Text: "PR-"})},
		{"text of a reason", 500 * time.Millisecond, x.asks(worker.Filter{Text: "nobody knows"})},
		{"nothing", 500 * time.Millisecond, x.asks(worker.Filter{Text: "no such text", Tenant: "t3"})},
		{"oldest hour", 500 * time.Millisecond, x.asks(worker.Filter{To: begun.Add(-many*time.Second + time.Hour)})},
	} {
		b.Run(c.name, func(b *testing.B) {
			var slowest time.Duration
			found := 0
			for b.Loop() {
				started := time.Now()
				n, err := c.ask(context.Background())
				must(b, err)
				found, slowest = n, max(slowest, time.Since(started))
			}
			b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
			b.ReportMetric(float64(found), "found")
			if slowest > c.bound {
				b.Errorf("took %v, more than %v", slowest, c.bound)
			}
		})
	}
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapInuse>>20), "heap-MiB")
}

func (x *Index) asks(filter worker.Filter) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		listing, err := x.List(ctx, filter, worker.Page{})
		return listing.Total, err
	}
}

// fill makes requests up to the beginning of the test. Written in one piece, they are all in the log of what is to be written to
// the file: it is, as it is every thousand pages while a queue runs.
func fill(b *testing.B, x *Index, n int) {
	b.Helper()
	million, err := os.ReadFile("testdata/million.sql")
	must(b, err)
	_, err = x.write.Exec(string(million), n, begun.UnixNano())
	must(b, err)
	_, err = x.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	must(b, err)
}
