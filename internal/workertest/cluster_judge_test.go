package workertest

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// mayBeParked is how many requests may end as unknown: five containers and a connection are lost, each of which strikes what is
// under way at no more than four workers of four requests each. Their orders were sent and not answered; the rest must be placed.
const mayBeParked = 5 * 4 * 4

// verdict is what the books say when everything is over.
type verdict struct {
	t       *testing.T
	results map[string][]worker.Result // by request id, as they are stored
	orders  []sim1688.Order            // in the simulator's books
	parked  map[string]bool            // references of the orders that are parked as unknown
}

// judge holds the simulator's books, the results and the pool's counts against each other.
func (c *composed) judge(js jetstream.JetStream, ids []string) {
	c.t.Helper()
	if n := c.stream(js, bus.StreamRequests).State.LastSeq; n != uint64(len(ids)) {
		c.t.Errorf("%d requests were stored, want %d", n, len(ids))
	}
	b := c.bus()
	v := verdict{t: c.t, results: map[string][]worker.Result{}, parked: map[string]bool{}}
	c.ask("/admin/orders", &struct{ Orders *[]sim1688.Order }{&v.orders})
	var books []sim1688.KeyBook
	c.ask("/admin/keys", &struct{ Keys *[]sim1688.KeyBook }{&books})
	keys, err := bus.KeysList.Ask(c.t.Context(), b, bus.ListKeys{})
	if err != nil {
		c.t.Fatal(err)
	}
	v.read(b, c.results(js))
	v.judgeResults(ids)
	v.judgeOrders()
	v.judgeKeys(keys, books)
	c.say("%d requests, %d orders at 1688, %d orders parked as unknown", len(ids), len(v.orders), len(v.parked))
}

// read reads so many results: all that are stored.
func (v verdict) read(b *bus.Bus, stored uint64) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), clusterPatience)
	defer cancel()
	next, stop := iter.Pull2(b.Watch(ctx, bus.WatchOptions{Subjects: []string{bus.SubjectResults}, Since: time.Unix(1, 0)}))
	defer stop()
	for n := range stored {
		message, err, _ := next()
		if err != nil || ctx.Err() != nil {
			v.t.Fatalf("%d of %d results could be read: %v", n, stored, err)
		}
		result, err := schemas.DecodeResult(message.Data)
		if err != nil {
			v.t.Fatalf("%s: %v", message.Subject, err)
		}
		v.results[result.RequestID] = append(v.results[result.RequestID], result)
		for _, open := range result.Unknown {
			v.parked[open.OutOrderID] = true
		}
	}
}

// judgeResults wants one result for each request, which is known but where a fault has struck.
func (v verdict) judgeResults(ids []string) {
	v.t.Helper()
	if len(v.results) != len(ids) {
		v.t.Errorf("%d requests have a result, want %d", len(v.results), len(ids))
	}
	parked := 0
	for _, id := range ids {
		got := v.results[id]
		if len(got) != 1 || got[0].Outcome != worker.OutcomePlaced && got[0].Outcome != worker.OutcomeUnknown {
			v.t.Errorf("request %s has %d results: %+v", id, len(got), got)
		} else if got[0].Outcome == worker.OutcomeUnknown {
			parked++
		}
	}
	if parked > mayBeParked {
		v.t.Errorf("%d requests are parked as unknown, want at most %d", parked, mayBeParked)
	}
}

// judgeOrders wants one order for each reference, and each named by the one result that it belongs to.
func (v verdict) judgeOrders() {
	v.t.Helper()
	told := map[string]string{} // order id by reference
	for _, results := range v.results {
		for _, order := range results[0].Orders {
			if other, twice := told[order.OutOrderID]; twice {
				v.t.Errorf("results name orders %s and %s for %s", other, order.OrderID, order.OutOrderID)
			}
			told[order.OutOrderID] = order.OrderID
		}
	}
	existing := map[string]bool{}
	for _, order := range v.orders {
		if existing[order.OutOrderID] {
			v.t.Errorf("%s was ordered twice", order.OutOrderID)
		}
		existing[order.OutOrderID] = true
		if !v.parked[order.OutOrderID] && told[order.OutOrderID] != order.OrderID {
			v.t.Errorf("order %s of %s exists, and its result says %q", order.OrderID, order.OutOrderID, told[order.OutOrderID])
		}
	}
	for reference, id := range told {
		if !existing[reference] {
			v.t.Errorf("a result names order %s of %s, which does not exist", id, reference)
		}
	}
}

// judgeKeys wants no key over the limit that the pool was told, by the simulator's count, and the pool to count what the results
// say: never less than 1688 has. What is parked stays held, whether it exists or not; and what a lost Redis knew of an order's key
// counts on each that may have taken it.
func (v verdict) judgeKeys(keys []bus.KeyInfo, books []sim1688.KeyBook) {
	v.t.Helper()
	used, held, ordered := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, results := range v.results {
		for _, order := range results[0].Orders {
			for _, appKey := range append([]string{order.AppKey}, order.AlsoOn...) {
				used[appKey] += order.Products
			}
		}
		for _, open := range results[0].Unknown {
			for _, appKey := range append([]string{open.AppKey}, open.AlsoOn...) {
				held[appKey] += open.Products
			}
		}
	}
	for _, order := range v.orders {
		if !v.parked[order.OutOrderID] {
			ordered[order.AppKey] += order.Products
		}
	}
	for _, book := range books {
		if book.Products > clusterLimit {
			v.t.Errorf("1688 says that key %s has ordered %d products, over its limit of %d", book.AppKey, book.Products, clusterLimit)
		}
	}
	for _, key := range keys {
		if key.Used != used[key.AppKey] || key.Held != held[key.AppKey] || key.Used < ordered[key.AppKey] {
			v.t.Errorf("key %+v: the results say %d used and %d held, 1688 says %d ordered",
				key, used[key.AppKey], held[key.AppKey], ordered[key.AppKey])
		}
	}
}
