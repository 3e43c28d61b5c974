package index

import (
	"context"
	"fmt"
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

// fill makes requests a second apart, of which one in ten is refused and one in 100,000 unknown.
func fill(b *testing.B, x *Index, n int) {
	b.Helper()
	_, err := x.write.Exec(`
INSERT INTO reason VALUES (2, 'out of stock'), (3, 'nobody knows');
WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?1),
	r AS (SELECT n, ?2 - (?1 - n) * 1000000000 AS at, printf('PR-%03d-%07d', n * 7919 % 1000, n) AS request_id, printf('2257%015d', n) AS order_id,
		CASE WHEN n % 100000 = 0 THEN 'unknown' WHEN n % 10 = 0 THEN 'refused' ELSE 'placed' END AS state FROM s)
INSERT INTO request SELECT n, 't' || (n % 5), request_id, at, state, CASE state WHEN 'refused' THEN 'out_of_stock' WHEN 'unknown' THEN 'absent' ELSE 'placed' END,
	CASE state WHEN 'refused' THEN 2 WHEN 'unknown' THEN 3 ELSE 1 END, request_id || char(10) || order_id, 'default', 'key' || (n / 1000), order_id,
	'seller' || (n % 5000), '70000000' || (n % 90000), 1, 1, 1, '', at, at, at + 500000000, n, n, 0, 0 FROM r;
INSERT INTO side SELECT 1, app_keys, at, id FROM request;
INSERT INTO side SELECT 2, sellers, at, id FROM request;
INSERT INTO side SELECT 3, offers, at, id FROM request;
INSERT INTO side SELECT 4, order_ids, at, id FROM request;
INSERT INTO word (rowid, text) SELECT 2 * id, request_id FROM request;
INSERT INTO word (rowid, text) SELECT 2 * id + 1, order_ids FROM request;
INSERT INTO tally SELECT tenant, state, count(*) FROM request GROUP BY tenant, state;
INSERT INTO minute SELECT m, w, 60 FROM (SELECT DISTINCT at / 60000000000 AS m FROM request WHERE id > ?1 - 86400), (SELECT 'asked' AS w UNION SELECT 'placed' UNION SELECT 't72' UNION SELECT 't73' UNION SELECT 't80');
`, n, begun.UnixNano())
	must(b, err)
}
