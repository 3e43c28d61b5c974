package benchmark

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/schemas"
	"autopurchase/worker"
)

var settledPurchases = flag.Int("rebuild.results", 20_000, "how many settled purchases the pool has that BenchmarkRebuild rebuilds")

const (
	lostPool  = "lost"
	lostLimit = 1000 // products of a key; each has ordered about as many
	// weighings is at how many points of a rebuild the heap is looked at.
	weighings = 10
	// mayGrow is by how many MiB it may grow meanwhile, however many results there are.
	mayGrow = 2
)

// BenchmarkRebuild empties the Redis of a pool whose purchases have all been settled, and rebuilds it from the journal and the
// results, as a worker does before it draws again. Bare: reading the same results and nothing else.
//
//	go test -run '^$' -bench Rebuild -benchtime 1x -v ./internal/benchmark -pairs 3 -rebuild.results 1000000
func BenchmarkRebuild(b *testing.B) {
	n := *settledPurchases
	l := newLoss(b, n)
	var t turns
	for range *pairs {
		t.bare = append(t.bare, rate(n, l.read(n)))
		t.ours = append(t.ours, rate(n, l.rebuild(l.bus.History())))
	}
	t.report(b, "rebuild of a pool", "results/s")
	scales := &scales{History: l.bus.History(), every: n / weighings}
	l.rebuild(scales)
	if scales.grown() > mayGrow {
		b.Errorf("the heap grew by %.1f MiB while %d results were read", scales.grown(), n)
	}
	b.ReportMetric(scales.grown(), "MiB-grown")
	row("%-26s %7.1f MiB          %d results", "rebuild, more memory", scales.grown(), n)
}

// TestRebuildIsMeasuredRight runs what the benchmark runs once, on a few purchases.
func TestRebuildIsMeasuredRight(t *testing.T) {
	const n = 2500
	l := newLoss(t, n)
	l.read(n)
	scales := &scales{History: l.bus.History(), every: n / weighings}
	l.rebuild(scales)
	if len(l.ordered) != 3 || scales.first == 0 {
		t.Errorf("%d keys, and %d bytes at the first look", len(l.ordered), scales.first)
	}
}

// loss is a pool that Redis loses.
type loss struct {
	*rig
	pool    *keypool.Pool
	redis   *redis.Client
	ordered map[string]int64 // products on record, by key
}

func newLoss(t testing.TB, n int) *loss {
	t.Helper()
	r := newRig(t)
	pool, err := keypool.Open(t.Context(), keypool.Config{URL: r.redisURL, Log: zerolog.New(zerolog.NewTestWriter(t))})
	r.must(err)
	t.Cleanup(func() { r.must(pool.Close()) })
	l := &loss{rig: r, pool: pool, redis: openRedis(t, r.redisURL), ordered: map[string]int64{}}
	l.store(n)
	return l
}

// store puts n purchases on record: a few less than its limit on each key, and not on every one as many.
func (l *loss) store(n int) {
	l.Helper()
	begin, failed := time.Now(), make(chan error, 1)
	js, err := jetstream.New(l.js.Conn(), jetstream.WithPublishAsyncMaxPending(4096),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) {
			select {
			case failed <- err:
			default: // the first one is enough
			}
		}))
	l.must(err)
	for i, key := 0, 0; i < n; key++ {
		appKey := fmt.Sprint(3000001 + key)
		_, err := l.pool.Add(l.Context(), keypool.Key{Pool: lostPool, AppKey: appKey, Limit: lostLimit})
		l.must(err)
		for range min(lostLimit-key%50, n-i) {
			_, err := js.PublishAsync(fmt.Sprintf("purchase.result.%s.PR-%07d", tenant, i), schemas.AppendResult(nil, settled(i, appKey)))
			l.must(err)
			l.ordered[appKey]++
			i++
		}
	}
	l.must(l.pool.Flush(l.Context(), l.bus.Journal()))
	select {
	case <-js.PublishAsyncComplete():
	case err := <-failed:
		l.must(err)
	case <-time.After(patience + time.Duration(n)*20*time.Microsecond):
		l.Fatal("the results are not stored")
	}
	if stored, err := l.bus.History().Stored(l.Context()); err != nil || stored != int64(n) {
		l.Fatalf("%d of %d results are stored: %v", stored, n, err)
	}
	l.Logf("%d results of %d keys stored in %v", n, len(l.ordered), time.Since(begin).Round(time.Millisecond))
}

// settled is the result of a purchase of one product.
func settled(i int, appKey string) worker.Result {
	id := fmt.Sprintf("PR-%07d", i)
	return worker.Result{
		Tenant: tenant, RequestID: id, Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, AppKey: appKey, Products: 1, Attempt: 1,
		Orders: []worker.ResultOrder{{
			OrderID: fmt.Sprint(2257000000000000000 + i), OutOrderID: worker.Reference(tenant, id, 1), AppKey: appKey, Products: 1,
			Total: 4598, Postage: 600, Lines: []int{0},
		}},
		DecidedAt: time.UnixMilli(1764000000000),
	}
}

// read reads n results, as they are.
func (l *loss) read(n int) time.Duration {
	l.Helper()
	begin := time.Now()
	consumer, err := l.js.OrderedConsumer(l.Context(), bus.StreamResults, jetstream.OrderedConsumerConfig{})
	l.must(err)
	messages, err := consumer.Messages()
	l.must(err)
	defer messages.Stop()
	for range n {
		_, err := messages.Next(jetstream.NextMaxWait(patience))
		l.must(err)
	}
	return time.Since(begin)
}

// rebuild loses the pool, rebuilds it and holds every count against what is on record.
func (l *loss) rebuild(history keypool.History) time.Duration {
	l.Helper()
	l.must(l.redis.FlushAll(l.Context()).Err())
	begin := time.Now()
	l.must(l.pool.Rebuild(l.Context(), lostPool, history))
	took := time.Since(begin)
	keys, err := l.pool.Keys(l.Context(), lostPool)
	l.must(err)
	for _, key := range keys {
		if key.Used != l.ordered[key.AppKey] || key.Held != 0 {
			l.Errorf("key %s: %d used and %d held, want %d and none", key.AppKey, key.Used, key.Held, l.ordered[key.AppKey])
		}
	}
	if len(keys) != len(l.ordered) {
		l.Errorf("%d keys, want %d", len(keys), len(l.ordered))
	}
	return took
}

// scales is a history that weighs what is alive every so many results.
type scales struct {
	keypool.History
	every       int
	first, most uint64 // bytes
}

// Results yields the stored results.
func (s *scales) Results(ctx context.Context, pool string) iter.Seq2[worker.Result, error] {
	return func(yield func(worker.Result, error) bool) {
		read := 0
		for result, err := range s.History.Results(ctx, pool) {
			if read++; read%max(1, s.every) == 0 {
				s.weigh()
			}
			if !yield(result, err) {
				return
			}
		}
	}
}

func (s *scales) weigh() {
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	if s.first == 0 {
		s.first = now.HeapAlloc
	}
	s.most = max(s.most, now.HeapAlloc)
}

// grown is by how many MiB the heap was larger at the worst point than at the first.
func (s *scales) grown() float64 { return float64(s.most-s.first) / (1 << 20) }
