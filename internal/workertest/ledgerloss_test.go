package workertest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// settledBooks waits until the pool holds only what is parked, and compares it with 1688's books.
func (r *rig) settledBooks(parked int64, appKeys ...string) {
	r.t.Helper()
	r.awaits("every other hold to end", func() bool {
		held := int64(0)
		for _, appKey := range appKeys {
			held += r.key(appKey).Held
		}
		return held == parked
	})
	for _, book := range r.sim.Keys() {
		if book.Products > 0 || r.known(book.AppKey) {
			if key := r.key(book.AppKey); key.Used != book.Products || key.Used > key.Limit {
				r.t.Errorf("key %s: 1688 counts %d, the pool %+v", book.AppKey, book.Products, key)
			}
		}
	}
}

func (r *rig) known(appKey string) bool {
	keys, err := r.pool.AppKeys(r.ctx, "default")
	r.must(err)
	for _, key := range keys {
		if key == appKey {
			return true
		}
	}
	return false
}

func (r *rig) awaits(what string, is func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			r.t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// TestFlushWithOrdersUnderWay: 990 of 1000 products are used and 10 orders are at 1688, which has booked them and not answered
// yet, when Redis loses everything. Requests that wait do not get the room that those ten take.
func TestFlushWithOrdersUnderWay(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey("1000001", 1000)
	r.spend(990)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	const underWay, waiting = 10, 6
	var held atomic.Bool
	held.Store(true)
	booked, answer := make(chan struct{}, underWay), make(chan struct{})
	r.work(func(c *worker.Config, p *worker.Ports) {
		c.Concurrent = underWay + waiting
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			got := *r.client.Place(ctx, &order)
			if held.Load() {
				booked <- struct{}{}
				<-answer
			}
			return got
		}}
	})
	for i := range underWay {
		r.ask(r.request(fmt.Sprint("under-way-", i), 0))
	}
	for range underWay {
		<-booked
	}
	held.Store(false)
	r.flushRedis(servers.Addr)
	for i := range waiting {
		r.ask(r.request(fmt.Sprint("waiting-", i), 0))
	}
	r.until("the rebuilt pool to have no key", func(e worker.Event) bool { return e.Stage == worker.StagePaused && e.Code == worker.CodeNoKey })
	if key := r.key("1000001"); key.Used != 990 || key.Held < underWay {
		t.Errorf("%+v, want 990 used and %d held", key, underWay)
	}
	close(answer)
	for i := range underWay {
		if result := r.result(fmt.Sprint("under-way-", i)); result.Outcome != worker.OutcomePlaced {
			t.Errorf("%+v", result)
		}
	}
	r.addKey("1000002", 1000)
	parked := int64(0)
	for i := range waiting {
		id := fmt.Sprint("waiting-", i)
		switch result, orders := r.result(id), len(r.orders(id)); {
		case result.Outcome == worker.OutcomePlaced && result.AppKey == "1000002" && orders == 1:
		case result.Outcome == worker.OutcomeUnknown && orders == 0:
			parked++ // handed back by a worker without being drawn: nobody knows that it was never sent
		default:
			t.Errorf("%d orders, %+v", orders, result)
		}
	}
	r.settledBooks(parked, "1000001", "1000002")
	if key := r.key("1000001"); key.Used != 1000 {
		t.Errorf("%+v, want 1000 used", key)
	}
}

// spend buys so many products with the first key and waits for the results.
func (r *rig) spend(products int) {
	r.t.Helper()
	var sellers = map[string][]int{}
	for i, offer := range r.offers {
		sellers[offer.Seller] = append(sellers[offer.Seller], i)
	}
	var offers []int
	for _, of := range sellers {
		if len(of) > len(offers) {
			offers = of
		}
	}
	stop := r.work()
	var ids []string
	for left := products; left > 0; left -= len(offers) {
		offers = offers[:min(left, len(offers))]
		id := fmt.Sprint("fill-", len(ids))
		ids = append(ids, id)
		r.ask(r.request(id, offers...))
	}
	for _, id := range ids {
		if result := r.result(id); result.Outcome != worker.OutcomePlaced {
			r.t.Fatalf("%+v", result)
		}
	}
	stop()
	for len(r.events) > 0 {
		<-r.events
	}
}

// TestRedisForgetsUnderLoad: eight workers buy while Redis loses everything again and again. Nothing is bought twice, no key is
// over-drawn, no hold stays.
func TestRedisForgetsUnderLoad(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.loseUnderLoad(func() { r.flushRedis(servers.Addr) })
}

// TestRedisRestartsWithoutAFile: the same with a Redis that keeps nothing and is restarted.
func TestRedisRestartsWithoutAFile(t *testing.T) {
	servers := workertest.Redis(t, "--appendonly", "no")
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.loseUnderLoad(func() { servers.Kill(); servers.Restart() })
}

func (r *rig) loseUnderLoad(lose func()) {
	r.t.Helper()
	const requests, losses = 120, 3
	r.addKey("1000001", 50)
	r.addKey("1000002", 50)
	r.addKey("1000003", 1000)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	flushing, stopFlushing := context.WithCancel(r.ctx)
	defer stopFlushing()
	go r.pool.RunFlusher(flushing, r.bus.Journal())
	// The window is long enough for an order to be found on a loaded machine, and short enough to wait for.
	for range 2 {
		r.work(func(c *worker.Config, _ *worker.Ports) { c.Concurrent, c.LookFor = 4, 5*time.Second })
	}
	for i := range requests {
		r.ask(r.request(fmt.Sprint("load-", i), i%len(r.offers)))
		if i%(requests/losses) == requests/losses/2 {
			lose()
		}
	}
	used, held := map[string]int64{}, map[string]int64{} // what the results say
	products, unknown := 0, 0
	for i := range requests {
		id := fmt.Sprint("load-", i)
		result := r.result(id)
		switch orders := r.orders(id); {
		case result.Outcome == worker.OutcomePlaced && len(orders) == 1:
			products++
			count(used, result.Orders[0].AppKey, result.Orders[0].AlsoOn)
		case result.Outcome == worker.OutcomeUnknown && len(orders) == 0: // it was never sent, which nobody knows any more
			unknown++
			count(held, result.Unknown[0].AppKey, result.Unknown[0].AlsoOn)
		default:
			r.t.Errorf("%s: %d orders exist, %+v", id, len(orders), result)
		}
	}
	r.awaits("the pool to count and hold what the results say", func() bool {
		for _, appKey := range rigKeys {
			if key := r.key(appKey); key.Used != used[appKey] || key.Held != held[appKey] {
				return false
			}
		}
		return true
	})
	for _, book := range r.sim.Keys() {
		if key := r.key(book.AppKey); key.Used < book.Products || book.Products > key.Limit {
			r.t.Errorf("key %s: 1688 counts %d, the pool %+v", book.AppKey, book.Products, key)
		}
	}
	r.t.Logf("%d placed, %d parked", products, unknown)
}

// count counts one product on a key and on each that may have taken it instead.
func count(on map[string]int64, appKey string, also []string) {
	on[appKey]++
	for _, appKey := range also {
		on[appKey]++
	}
}

// TestAnOrderThatManyKeysShowOverDrawsNone: three keys of one account for 12 products each, and 6 orders that 1688 has booked when
// Redis loses everything and their worker dies. Nobody knows any more on which keys they are. Buying goes on until no key takes
// any more.
func TestAnOrderThatManyKeysShowOverDrawsNone(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	for _, appKey := range rigKeys {
		r.addKey(appKey, 12)
	}
	r.must(r.pool.Configure(r.ctx, "default", keypool.Settings{Count: keypool.CountLines, Width: 3, Low: 1}, keypool.Change{}))
	stop := r.work()
	r.buyAll("before", 8)
	stop()
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	const underWay = 6
	booked, dead := make(chan struct{}, underWay), make(chan struct{})
	stop = r.work(func(c *worker.Config, p *worker.Ports) {
		c.Grace = time.Millisecond
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			r.client.Place(ctx, &order)
			booked <- struct{}{}
			<-dead
			return worker.Answer{Verdict: worker.Unknown, Code: worker.CodeNoAnswer}
		}}
	})
	for i := range underWay {
		r.ask(r.request(fmt.Sprint("under-way-", i), 0))
	}
	for range underWay {
		<-booked
	}
	r.flushRedis(servers.Addr)
	close(dead)
	stop()
	r.work()
	var lost []worker.Result
	for i := range underWay {
		result := r.result(fmt.Sprint("under-way-", i))
		if result.Outcome != worker.OutcomePlaced || len(result.Orders) != 1 || len(result.Orders[0].AlsoOn) != 2 {
			t.Fatalf("%+v, want an order that counts on three keys", result)
		}
		lost = append(lost, result)
	}
	for i := range 36 { // more than all keys would take
		r.ask(r.request(fmt.Sprint("after-", i), 0))
	}
	r.until("the pool to have no key", func(e worker.Event) bool { return e.Stage == worker.StagePaused && e.Code == worker.CodeNoKey })
	r.awaits("the last orders to be counted", func() bool {
		return !slices.ContainsFunc(rigKeys, func(appKey string) bool { return r.key(appKey).Held > 0 })
	})
	r.wantNoneOverDrawn()
	before, err := r.pool.Keys(r.ctx, "default")
	r.must(err)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	r.flushRedis(servers.Addr)
	r.awaits("the pool to be rebuilt as it was", func() bool {
		after, err := r.pool.Keys(r.ctx, "default")
		return err == nil && slices.EqualFunc(before, after, func(a, b keypool.Info) bool { return a.Used == b.Used && a.Held == b.Held })
	})
	r.wantNoneOverDrawn()
	t.Logf("first of %d: %+v", len(lost), lost[0].Orders[0])
}

// wantNoneOverDrawn compares the pool with 1688's books: it may count too much, and never too little.
func (r *rig) wantNoneOverDrawn() {
	r.t.Helper()
	for _, book := range r.sim.Keys() {
		if key := r.key(book.AppKey); key.Used < book.Products || book.Products > key.Limit || key.Used < key.Limit {
			r.t.Errorf("key %s: 1688 counts %d, the pool %+v", book.AppKey, book.Products, key)
		}
	}
}

// TestRedisStepsBack: another server takes over with an older copy of the data, as after a fail-over that lost acknowledged
// writes. It is noticed before anything is drawn from it.
func TestRedisStepsBack(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey("1000001", 20)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	stop := r.work()
	r.buyAll("before", 9)
	stop()
	back := r.snapshot(servers.Addr)
	stop = r.work()
	r.buyAll("lost", 6)
	stop()
	r.flushRedis(servers.Addr)
	back()
	servers.Restart()

	r.work()
	for i := range 8 {
		r.ask(r.request(fmt.Sprint("after-", i), 0))
	}
	r.until("the pool to have no key", func(e worker.Event) bool { return e.Stage == worker.StagePaused && e.Code == worker.CodeNoKey })
	r.settledBooks(0, "1000001")
	if key := r.key("1000001"); key.Used != 20 {
		t.Errorf("%+v, want 20 of 20 used", key)
	}
	if got := len(r.sim.Orders(sim1688.OrderFilter{})); got != 20 {
		t.Errorf("%d orders exist, want 20", got)
	}
}

// buyAll buys one product each and waits for the results.
func (r *rig) buyAll(name string, n int) {
	r.t.Helper()
	for i := range n {
		r.ask(r.request(fmt.Sprint(name, "-", i), 0))
	}
	for i := range n {
		if result := r.result(fmt.Sprint(name, "-", i)); result.Outcome != worker.OutcomePlaced {
			r.t.Fatalf("%+v", result)
		}
	}
}

// snapshot copies everything in a Redis; what is returned puts it back.
func (r *rig) snapshot(addr string) (back func()) {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr})
	r.t.Cleanup(func() { _ = client.Close() })
	names, err := client.Keys(r.ctx, "*").Result()
	r.must(err)
	copies := map[string]string{}
	for _, name := range names {
		copies[name], err = client.Dump(r.ctx, name).Result()
		r.must(err)
	}
	if len(copies) == 0 || !strings.Contains(fmt.Sprint(names), "claim") {
		r.t.Fatalf("nothing to copy: %q", names)
	}
	return func() {
		for name, body := range copies {
			r.must(client.Restore(r.ctx, name, 0, body).Err())
		}
	}
}
