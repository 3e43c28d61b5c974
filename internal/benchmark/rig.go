package benchmark

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
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

// Config says what is measured on.
type Config struct {
	NATS  bus.Config
	Redis keypool.Config
	// Place is where streams and pool are made. "" makes them where the queue's are, and leaves them there.
	Place bus.Apart
}

// Rig is what both sides share: the servers, the streams and a pool of keys. Its methods are called one after the other.
type Rig struct {
	Pool string // the key pool

	place bus.Apart
	nats  bus.Config
	redis keypool.Config
	feed  *bus.Bus            // publishes requests
	js    jetstream.JetStream // of the bare side
	bus   *bus.Bus            // of ours
	inbox *bus.Inbox
	keys  *keypool.Pool
	made  int // requests so far: each has an id of its own
	drawn atomic.Int64
	undo  undo
}

// Open connects to both servers, removes what measurements have left there that were killed, and makes streams and pool. Close must
// be called in the end, after an error too.
func Open(ctx context.Context, config Config) (*Rig, error) {
	r := &Rig{Pool: "default", place: config.Place, nats: config.NATS, redis: config.Redis}
	if r.place != "" {
		r.Pool = poolOf(r.place)
	}
	r.nats.Apart, r.redis.Apart = r.place, r.place != ""
	if err := r.connect(ctx); err != nil {
		return r, err
	}
	if r.place != "" {
		if err := r.settleIn(ctx); err != nil {
			return r, err
		}
	}
	return r, r.furnish(ctx)
}

func (r *Rig) connect(ctx context.Context) (err error) {
	if r.bus, err = bus.Connect(ctx, r.nats); err != nil {
		return err
	}
	r.feed = r.bus
	r.undo.add(func(context.Context) error { return r.feed.Close() })
	if r.keys, err = keypool.Open(ctx, r.redis); err != nil {
		return err
	}
	keys := r.keys
	r.undo.add(func(context.Context) error { return keys.Close() })
	var conn *nats.Conn
	if conn, err = r.nats.Plain(); err != nil {
		return err
	}
	r.undo.add(func(context.Context) error { conn.Close(); return nil })
	r.js, err = jetstream.New(conn)
	return err
}

// furnish makes the streams, and the pool with four keys.
func (r *Rig) furnish(ctx context.Context) (err error) {
	if err := r.bus.Provision(ctx); err != nil {
		return err
	}
	if r.inbox, err = r.bus.Inbox(ctx); err != nil {
		return err
	}
	for i := range 4 {
		if _, err := r.keys.Add(ctx, keypool.Key{Pool: r.Pool, AppKey: fmt.Sprint("100000", i), Limit: muchRoom}); err != nil {
			return err
		}
	}
	return nil
}

// Close ends all that was opened and started, and removes streams and pool if they have a place of their own.
func (r *Rig) Close(ctx context.Context) error { return r.undo.run(ctx) }

// start runs a part until the rig is closed and gives its address.
func (r *Rig) start(part, arg string) (string, error) {
	address, stop, err := Start(part, arg)
	if err == nil {
		r.undo.add(stop)
	}
	return address, err
}

// undo is what is to be done in the end, in reverse.
type undo []func(context.Context) error

func (u *undo) add(step func(context.Context) error) { *u = append(*u, step) }

func (u *undo) run(ctx context.Context) error {
	var problems []error
	for _, step := range slices.Backward(*u) {
		problems = append(problems, step(ctx))
	}
	*u = nil
	return errors.Join(problems...)
}

// request is one that asks for one line.
func request(pool, id string) worker.Request {
	return worker.Request{
		ID: id, Pool: pool, Flow: "general", Pay: "none",
		DeliverTo: worker.Address{
			FullName: "张三", Mobile: "13800138000", PostCode: "200000",
			Province: "上海", City: "上海市", Area: "黄浦区", Address: "陕西南路1号",
		},
		Lines: []worker.Line{{OfferID: "700000000001", SpecID: "aaaa0000aaaa0000aaaa0000aaaa0000", Quantity: 2, Seller: "shop-a"}},
	}
}

// publish puts n new requests into the stream, once the broker has forgotten the pulls of the run before: what it sent there
// would come again only after half a minute.
func (r *Rig) publish(ctx context.Context, n int) error {
	if err := r.untilQuiet(ctx); err != nil {
		return err
	}
	return r.submit(ctx, r.take(n), n, func(int) bool { return true })
}

// take gives the number of the first of n new requests.
func (r *Rig) take(n int) (first int) {
	first = r.made
	r.made += n
	return first
}

// submit publishes the n requests from the first on; before each one due is called with how many went before, and ends it all by
// false. Unlike the other methods it may run while workers do.
func (r *Rig) submit(ctx context.Context, first, n int, due func(i int) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	requests := func(yield func(bus.Submission) bool) {
		for i := range n {
			id := fmt.Sprint("PR-", first+i)
			if !due(i) || !yield(bus.Submission{ID: id, Body: schemas.AppendRequest(nil, request(r.Pool, id))}) {
				return
			}
		}
	}
	var failed error
	err := r.feed.SubmitAll(ctx, tenant, requests, func(o bus.Outcome) {
		if failed == nil && (o.Err != nil || o.Receipt.Fate != bus.Accepted) {
			failed = fmt.Errorf("request %s: %v, %w", o.ID, o.Receipt.Fate, o.Err)
		}
	})
	return errors.Join(err, failed)
}

func (r *Rig) untilQuiet(ctx context.Context) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for range int(patience / (10 * time.Millisecond)) {
		consumer, err := r.js.Consumer(ctx, r.place.Stream(bus.StreamRequests), bus.ConsumerWorker)
		if err != nil || consumer.CachedInfo().NumWaiting == 0 {
			return err
		}
		<-again.C
	}
	return errors.New("pulls of the run before are still open")
}
