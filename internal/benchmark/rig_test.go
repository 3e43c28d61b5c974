package benchmark

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

const (
	tenant = "bench"
	token  = "bench"

	// patience bounds every run: one that takes longer has failed.
	patience = time.Minute
	// muchRoom is a limit that no run reaches.
	muchRoom = 1 << 30
)

// rig is what both sides share: the servers, the streams and a pool of keys.
type rig struct {
	testing.TB
	natsURL  string
	redisURL string
	js       jetstream.JetStream // of the bare side
	bus      *bus.Bus
	inbox    *bus.Inbox
	pool     *keypool.Pool
	made     int // requests so far: each has an id of its own
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, natsURL: start(t, "nats", t.TempDir()), redisURL: startRedis(t)}
	var err error
	r.bus, err = bus.Connect(t.Context(), bus.Config{URL: r.natsURL})
	r.must(err)
	t.Cleanup(func() { r.must(r.bus.Close()) })
	r.must(r.bus.Provision(t.Context()))
	r.inbox, err = r.bus.Inbox(t.Context())
	r.must(err)
	r.pool = openPool(t, r.redisURL)
	conn, err := nats.Connect(r.natsURL)
	r.must(err)
	t.Cleanup(conn.Close)
	r.js, err = jetstream.New(conn)
	r.must(err)
	return r
}

// startRedis starts a redis-server that does not rewrite its file meanwhile: a rewrite would fall on one side by chance.
func startRedis(t testing.TB) string {
	return workertest.Redis(t, "--auto-aof-rewrite-percentage", "0").URL
}

// openPool opens the pool "default" with four keys.
func openPool(t testing.TB, url string) *keypool.Pool {
	t.Helper()
	pool, err := keypool.Open(t.Context(), keypool.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	for i := range 4 {
		if _, err := pool.Add(t.Context(), keypool.Key{Pool: "default", AppKey: fmt.Sprint("100000", i), Limit: muchRoom}); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

// openRedis is the client of the bare side: as many connections as callers, and no call is repeated.
func openRedis(t testing.TB, url string, callers int) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.PoolSize = -1, callers
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// request is one that asks for one line.
func request(id string) worker.Request {
	return worker.Request{
		ID: id, Pool: "default", Flow: "general", Pay: "none",
		DeliverTo: worker.Address{
			FullName: "张三", Mobile: "13800138000", PostCode: "200000",
			Province: "上海", City: "上海市", Area: "黄浦区", Address: "陕西南路1号",
		},
		Lines: []worker.Line{{OfferID: "700000000001", SpecID: "aaaa0000aaaa0000aaaa0000aaaa0000", Quantity: 2, Seller: "shop-a"}},
	}
}

// publish puts n new requests into the stream, once the broker has forgotten the pulls of the run before: what it sent there
// would come again only after half a minute.
func (r *rig) publish(n int) {
	r.Helper()
	r.untilQuiet()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	first := r.made
	r.made += n
	requests := func(yield func(bus.Submission) bool) {
		for i := range n {
			id := fmt.Sprint("PR-", first+i)
			if !yield(bus.Submission{ID: id, Body: schemas.AppendRequest(nil, request(id))}) {
				return
			}
		}
	}
	r.must(r.bus.SubmitAll(ctx, tenant, requests, func(o bus.Outcome) {
		if o.Err != nil || o.Receipt.Fate != bus.Accepted {
			r.Errorf("request %s: %v, %v", o.ID, o.Receipt.Fate, o.Err)
		}
	}))
}

func (r *rig) untilQuiet() {
	r.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for range int(patience / (10 * time.Millisecond)) {
		consumer, err := r.js.Consumer(r.Context(), bus.StreamRequests, bus.ConsumerWorker)
		r.must(err)
		if consumer.CachedInfo().NumWaiting == 0 {
			return
		}
		<-again.C
	}
	r.Fatal("pulls of the run before are still open")
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}
