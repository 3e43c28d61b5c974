package workertest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/keypool"
	"autopurchase/internal/relay"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/tracing"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// patience bounds every wait: a test that waits longer has failed.
const patience = 30 * time.Second

// rig is the whole product on real parts in one process: NATS, Redis, the key pool, the channel, the relay and 1688's
// simulator. Workers are started by the tests.
type rig struct {
	t      *testing.T
	ctx    context.Context
	sim    *sim1688.Sim
	bus    *bus.Bus
	pool   *keypool.Pool
	door   *door
	client *channel.Client
	events chan worker.Event
	offers []sim1688.Offer // plain ones: in stock, no minimum, with a specId
	behind *atomic.Int64   // how far the platform's clock is from ours, nanoseconds
	more   []sim1688.Offer // what the platform sells beside the default catalogue
}

// rigKeys are the app keys that the simulated platform knows and the relay holds secrets for.
var rigKeys = []string{"1000001", "1000002", "1000003"}

func newRig(t *testing.T, stack workertest.Stack) *rig {
	t.Helper()
	return newRigWithDoor(t, stack, &door{})
}

func newRigWithDoor(t *testing.T, stack workertest.Stack, d *door) *rig {
	t.Helper()
	return newRigSelling(t, stack, d)
}

func newRigSelling(t *testing.T, stack workertest.Stack, d *door, more ...sim1688.Offer) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	t.Cleanup(cancel)
	r := &rig{t: t, ctx: ctx, events: make(chan worker.Event, 1<<16), door: d, behind: &atomic.Int64{}, more: more}
	r.startPlatform()
	r.openStores(stack)
	r.openChannel()
	return r
}

func (r *rig) startPlatform() {
	var keys []sim1688.Key
	for _, appKey := range rigKeys {
		keys = append(keys, sim1688.Key{AppKey: appKey, Secret: "secret-" + appKey, RefreshToken: "refresh-" + appKey, Member: "buyer"})
	}
	keys[2].Limit = 10_000 // for thousands of orders on one key
	sim, err := sim1688.Start(context.WithoutCancel(r.ctx), sim1688.Config{Keys: keys, Offers: append(sim1688.DefaultCatalogue(), r.more...), Now: func() time.Time { return time.Now().Add(time.Duration(r.behind.Load())) }})
	r.must(err)
	r.sim = sim
	r.t.Cleanup(func() { r.must(sim.Close()) })
	for _, offer := range sim1688.DefaultCatalogue() {
		if offer.Stock > 0 && offer.PriceFen > 0 && offer.MinQuantity <= 1 && len(offer.SpecIDs) > 0 && !offer.NotByAPI {
			r.offers = append(r.offers, offer)
		}
	}
}

func (r *rig) openStores(stack workertest.Stack) {
	var err error
	r.bus, err = bus.Connect(r.ctx, bus.Config{URL: stack.NATS, Name: "test", AckWait: 2 * time.Second})
	r.must(err)
	r.t.Cleanup(func() { r.must(r.bus.Close()) })
	r.must(r.bus.Provision(r.ctx))
	r.pool, err = keypool.Open(r.ctx, keypool.Config{URL: stack.Redis, History: r.bus.History()})
	r.must(err)
	r.t.Cleanup(func() { r.must(r.pool.Close()) })
}

// door is the channel's listener, which is shut until a test opens it if it begins shut.
type door struct {
	server *channel.Server
	http   *httptest.Server
	shut   atomic.Bool
	reach  func(gateway string) string                    // gives the URL at which the relay finds the gateway, if a test wants another
	around func(place func() worker.Answer) worker.Answer // stands between an order and the gateway, if a test wants to
	codes  bool                                           // has the relay order with the codes of districts
	tracer *tracing.Tracer                                // traces what the relay does, if a test wants to
}

// watchedDesk is a relay whose orders go through a test's hands.
type watchedDesk struct {
	*relay.Relay
	around func(place func() worker.Answer) worker.Answer
}

func (d watchedDesk) Place(ctx context.Context, order worker.Order) worker.Answer {
	if d.around == nil {
		return d.Relay.Place(ctx, order)
	}
	return d.around(func() worker.Answer { return d.Relay.Place(ctx, order) })
}

func (d *door) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if d.shut.Load() {
		http.Error(w, "shut", http.StatusBadGateway)
		return
	}
	d.server.ServeHTTP(w, req)
}

func (r *rig) openChannel() {
	gateway := r.sim.GatewayURL()
	if r.door.reach != nil {
		gateway = r.door.reach(gateway)
	}
	desk, err := relay.New(relay.Config{Gateway: gateway, Keys: relayKeys(), DistrictCodes: r.door.codes, Calls: r.door.tracer.Call})
	r.must(err)
	r.door.server = channel.NewServer(channel.ServerConfig{Token: "token", Desk: watchedDesk{desk, r.door.around}, Follow: r.door.tracer.Ask})
	r.door.http = httptest.NewServer(r.door)
	r.t.Cleanup(func() {
		r.must(r.door.server.Shutdown(context.WithoutCancel(r.ctx)))
		r.door.http.Close()
	})
	r.client = channel.Dial(context.WithoutCancel(r.ctx), channel.ClientConfig{
		URL: wsURL(r.door.http.URL), Token: "token", CallTimeout: 5 * time.Second,
	})
	r.t.Cleanup(func() { r.must(r.client.Close()) })
}

// addKey puts one of rigKeys into the pool.
func (r *rig) addKey(appKey string, limit int64) {
	r.t.Helper()
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	_, err := r.pool.Add(r.ctx, keypool.Key{Pool: "default", AppKey: appKey, Limit: limit})
	r.must(err)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
}

// addKeyOf puts one of rigKeys into the pool, for orders of a buyer's account.
func (r *rig) addKeyOf(appKey, account string) {
	r.t.Helper()
	_, err := r.pool.Add(r.ctx, keypool.Key{Pool: "default", AppKey: appKey, Limit: 1000, Account: account})
	r.must(err)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
}

// work starts a worker; what is returned stops it and waits for its end.
func (r *rig) work(change ...func(*worker.Config, *worker.Ports)) (stop func()) {
	r.t.Helper()
	_, stop = r.hire(change...)
	return stop
}

// hire starts a worker as work does, and gives it too.
func (r *rig) hire(change ...func(*worker.Config, *worker.Ports)) (w *worker.Worker, stop func()) {
	r.t.Helper()
	inbox, err := r.bus.Inbox(r.ctx)
	r.must(err)
	config := worker.Config{Instance: fmt.Sprintf("w%d", time.Now().UnixNano()), Concurrent: 8, LookFor: 300 * time.Millisecond,
		Grace: 5 * time.Second, ProbeEvery: 10 * time.Millisecond, Observe: func(e worker.Event) { r.events <- e }}
	ports := worker.Ports{Inbox: inbox, Decode: schemas.DecodeRequest, Ledger: r.pool, Stock: r.pool, Market: r.client, Outbox: r.outbox(),
		Previewer: r.client, Undrawn: r.pool, Choices: r.bus.Choices(), Merges: r.bus}
	for _, c := range change {
		c(&config, &ports)
	}
	w, err = worker.New(config, ports)
	r.must(err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.ctx))
	var done sync.WaitGroup
	done.Go(func() { w.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	r.t.Cleanup(stop)
	return w, stop
}

// outbox is wired as the program's own is.
func (r *rig) outbox() worker.Outbox {
	return worker.MergedOutbox{Outbox: r.bus.Outbox(), Merges: r.bus}
}

// request makes a request for one of each of the plain offers named by number; equal sellers share an order.
func (r *rig) request(id string, offers ...int) worker.Request {
	q := worker.Request{ID: id, Pool: "default", Flow: "general", Pay: "none", DeliverTo: worker.Address{
		FullName: "张三", Mobile: "13800138000", Province: "上海", City: "上海市", Area: "黄浦区", Address: "陕西南路1号"}}
	for _, n := range offers {
		offer := r.offers[n]
		q.Lines = append(q.Lines, worker.Line{OfferID: offer.OfferID, SpecID: offer.SpecIDs[0], Quantity: 1, Seller: offer.Seller})
	}
	return q
}

// ask publishes a request.
func (r *rig) ask(q worker.Request) {
	r.t.Helper()
	r.askRaw(q.ID, schemas.AppendRequest(nil, q))
}

func (r *rig) askRaw(id string, body []byte) {
	r.t.Helper()
	_, err := r.bus.Submit(r.ctx, "acme", id, body)
	r.must(err)
}

// result waits for the request's result.
func (r *rig) result(id string) worker.Result {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	for message, err := range r.bus.Watch(ctx, bus.WatchOptions{Subjects: []string{"purchase.result.acme." + worker.EncodeRef(id)}, Since: time.Unix(1, 0)}) {
		r.must(err)
		result, err := schemas.DecodeResult(message.Data)
		r.must(err)
		return result
	}
	r.t.Fatalf("no result for %s", id)
	return worker.Result{}
}

// until waits for an event of a worker.
func (r *rig) until(what string, is func(worker.Event) bool) worker.Event {
	r.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case e := <-r.events:
			if is(e) {
				return e
			}
		case <-timer.C:
			r.t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// orders gives what exists at 1688 for a request.
func (r *rig) orders(id string) []sim1688.Order {
	var mine []sim1688.Order
	for _, order := range r.sim.Orders(sim1688.OrderFilter{}) {
		if _, ref, _, ok := worker.ParseReference(order.OutOrderID); ok && ref == worker.EncodeRef(id) {
			mine = append(mine, order)
		}
	}
	return mine
}

// key gives the pool's books about a key.
func (r *rig) key(appKey string) (found keypool.Info) {
	r.t.Helper()
	r.awaits("key "+appKey+" to be in the pool", func() bool {
		infos, err := r.pool.Keys(r.ctx, "default")
		r.must(err)
		i := slices.IndexFunc(infos, func(info keypool.Info) bool { return info.AppKey == appKey })
		if i >= 0 {
			found = infos[i]
		}
		return i >= 0
	})
	return found
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func processes(t *testing.T) workertest.Stack {
	return workertest.Stack{NATS: workertest.NATS(t).URL, Redis: workertest.Redis(t).URL}
}
