package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	stdlog "log"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/relay"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// workerSettings are what a worker is told from outside.
type workerSettings struct {
	worker.Config
	channel     channelSettings
	alarms      alarmSettings
	patrol      patrolSettings
	pay         paySettings
	callTimeout time.Duration
	ackWait     time.Duration
	reviveAfter time.Duration
	replicas    int
	lanes       worker.LaneShares
}

func (s *workerSettings) bind(set *settings) {
	s.alarms.bind(set)
	s.patrol.bind(set)
	s.pay.bind(set)
	set.number(&s.Concurrent, "workers", 16, 1, 16384, "requests handled at the same time")
	set.duration(&s.LookFor, "look-for", 2*time.Minute, time.Second, "how long an order without an answer is looked up before it is parked as unknown")
	set.text((*string)(&s.OnAbsent), "on-absent", string(worker.Park), "park | resend: what becomes of an order without an answer that is not found until look-for ends; resend sends it once more, and buys twice if 1688 lists orders later than that", oneOf(string(worker.Park), string(worker.Resend)))
	set.duration(&s.MergeWindow, "merge-window", 0, 0, "how long a request with merge: true waits for others to the same seller that are alike, to be bought as one order; 0 buys each alone; at most 10m")
	set.check(func(terminal) error {
		if s.MergeWindow > worker.MaxMergeWindow {
			return fmt.Errorf("--merge-window %v: must be at most %v", s.MergeWindow, worker.MaxMergeWindow)
		}
		return nil
	})
	set.list(&s.RiskRefusals, "risk-refusals", "texts in 1688's refusals, with commas between them, by which it says that the buyer account is under risk control: all its keys are stopped until a person restores them, and the order goes to another account; which texts these are is not known, so there is no default")
	set.list(&s.BusinessRefusals, "business-refusals", "texts in 1688's refusals, with commas between them, by which a seller turns away accounts that are no business: the order, and the seller's next ones, go to business keys; which texts these are is not known, so there is no default")
	set.duration(&s.Grace, "grace", 20*time.Second, 0, "how long running requests may take to finish on SIGTERM; a second SIGTERM ends the process at once")
	set.duration(&s.callTimeout, "call-timeout", 60*time.Second, time.Second, "how long one order may take at the relay before its outcome counts as unknown")
	set.duration(&s.reviveAfter, "revive-after", time.Minute, 100*time.Millisecond, "how long after a key was benched 1688 is asked whether it takes it again; then after twice as long each time, up to 1h")
	set.lanes(&s.lanes)
	bindQueue(set, &s.replicas, &s.ackWait)
}

// lanes takes how requests of different priority share workers.
func (s *settings) lanes(target *worker.LaneShares) {
	*target = worker.DefaultLaneShares()
	bind(s, &value[worker.LaneShares]{name: "lanes", target: target, parse: worker.ParseLaneShares, show: worker.LaneShares.String, kind: "shares"},
		"how many requests of each priority are taken, in proportion, while all of them wait; what a lane does not need goes to the others")
}

// workerPart is a worker with everything it is wired to.
type workerPart struct {
	*stores
	inbox   *bus.Inbox
	channel *channel.Client
	worker  *worker.Worker
	reviver *worker.Reviver
	cashier *worker.Cashier
	bills   *bus.Bills
	guard   *watchman
	patrol  *patrol
	outlook *outlook
	stopped atomic.Bool // it was told to
	log     zerolog.Logger
}

func newWorkerPart(ctx context.Context, s *stores, set workerSettings, see witness, undo *cleanup) (*workerPart, error) {
	log := see.log
	s.metrics = see.metrics
	inbox, err := s.bus.Inbox(ctx)
	if err != nil {
		return nil, err
	}
	outbox := s.bus.Outbox()
	var orders *orderAdmin // nothing is asked, and so nothing late, before it is there
	client := channel.Dial(context.WithoutCancel(ctx), channel.ClientConfig{
		URL: set.channel.url, Token: set.channel.token.text, TLS: set.channel.config, CallTimeout: set.callTimeout, MaxInFlight: set.Concurrent, Log: log,
		OnState: see.channelState(),
		OnPush:  outbox.TakePush,
		OnLate:  func(ctx context.Context, reference string, answer worker.Answer) { orders.late(ctx, reference, answer) },
		Alarm:   func(text string) { log.Error().Msg("channel: " + text) },
	})
	undo.add("channel", func(context.Context) error { return client.Close() })
	orders = newOrderAdmin(s, client, see)
	set.Instance = strings.ToLower(rand.Text())[:12]
	set.Observe = see.observe
	books := &keyBooks{stores: s}
	endpoints := slices.Concat(keyAdmin{s, client}.endpoints(), books.endpoints())
	if _, err := s.bus.AdminKeys(context.WithoutCancel(ctx), endpoints...); err != nil {
		return nil, err
	}
	cashier, err := newCashier(s, client, set.pay, see)
	if err != nil {
		return nil, err
	}
	bills, err := s.bus.Bills(ctx)
	if err != nil {
		return nil, err
	}
	undo.add("cashier", func(context.Context) error { bills.Close(); return nil })
	decisions := slices.Concat(orders.endpoints(), payAdmin{s, cashier, client}.endpoints())
	if _, err := s.bus.AdminOrders(context.WithoutCancel(ctx), orders, decisions...); err != nil {
		return nil, err
	}
	if err := set.alarms.tell(context.WithoutCancel(ctx), s); err != nil {
		return nil, err
	}
	tracker := &worker.Tracker{Orders: client, Record: outbox, Apart: outbox, CallTimeout: min(set.callTimeout, lookAtMost)}
	if err := followOrders(context.WithoutCancel(ctx), s.bus, tracker); err != nil {
		return nil, err
	}
	w, err := worker.New(set.Config, see.ports(worker.Ports{
		Inbox: inbox, Decode: schemas.DecodeRequest, Ledger: s.pool, Stock: s, Market: client, Rules: s.pool,
		Outbox: worker.MergedOutbox{Outbox: outbox, Merges: s.bus}, Previewer: client, Undrawn: s.pool, Choices: s.bus.Choices(), Shelf: s.bus, Merges: s.bus,
	}))
	if err != nil {
		return nil, err
	}
	if err := s.bus.HandOutDue(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	see.metrics.Vitals(w.Vitals, func() bool { return client.Ready(ctx) == nil })
	see.metrics.Survey(s.survey)
	lives := &worker.Biographer{Chronicle: s.bus, Claims: orders, Stock: s, Vitals: w.Vitals, CallTimeout: set.callTimeout}
	if _, err := s.bus.AdminRequests(context.WithoutCancel(ctx), bus.OrdersShow.Answer(func(ctx context.Context, q bus.ShowOrder) (worker.Life, error) {
		return lives.Life(ctx, q.Tenant, q.RequestID)
	})); err != nil {
		return nil, err
	}
	reviver := &worker.Reviver{Infirmary: infirmary{s}, Prover: client, First: set.reviveAfter, Observe: set.Observe}
	p := &workerPart{stores: s, inbox: inbox, channel: client, worker: w, reviver: reviver, cashier: cashier, bills: bills, outlook: newOutlook(books), log: log}
	p.guard = &watchman{stores: s, channel: client, set: set.alarms, log: log}
	p.patrol = newPatrol(set.patrol, s.bus, tracker, p.guard, set.Instance, log)
	says := &reporter{part: p, name: set.Instance, atOnce: set.Concurrent, started: time.Now().UTC(), outlook: p.outlook}
	return p, says.serve(ctx)
}

// run works until ctx ends and everything that was running has finished.
func (p *workerPart) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { p.stopped.Store(true) })()
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { p.pool.RunFlusher(beside, p.journal()) })
	running.Go(func() { p.reviver.Run(beside) })
	running.Go(func() { p.guard.run(beside) })
	running.Go(func() { p.patrol.run(beside) })
	running.Go(func() { p.outlook.run(beside) })
	running.Go(func() { p.cashier.Run(ctx, p.bills) })
	p.worker.Run(ctx)
	stop()
	running.Wait()
	p.flush() // what the last requests did to the pool is journaled too
}

// flush journals what waits. What cannot be journaled now waits in Redis for the next worker.
func (p *workerPart) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.pool.Flush(ctx, p.journal()); err != nil {
		p.log.Warn().Err(err).Msg("events of the key pool wait in Redis")
	}
}

// readiness says what a worker needs in order to work now.
func (p *workerPart) readiness() readiness {
	return readiness{
		"nats":    func(ctx context.Context) error { return cmp.Or(p.bus.Ready(ctx), p.inbox.Ready(ctx)) },
		"redis":   p.pool.Ping,
		"channel": p.channel.Ready,
		"worker":  p.working,
	}
}

func (p *workerPart) working(context.Context) error {
	if p.stopped.Load() {
		return errors.New("it was told to stop: it takes no more requests")
	}
	return nil
}

// organs are what must live in the process of a worker. What they work on may be away: they go on once it is back.
func (p *workerPart) organs() readiness {
	return readiness{"nats": p.bus.Alive, "inbox": p.inbox.Alive}
}

// relayPart is a relay and the channel's server in front of it.
type relayPart struct {
	relay  *relay.Relay
	server *channel.Server
	url    string
}

// readiness says what a relay needs in order to work now: its channel, 1688, and the pools in Redis if it has keys from there.
func (p *relayPart) readiness(keys relay.Vault) readiness {
	needs := readiness{"channel": p.server.Ready, "1688": p.relay.Reach}
	if v, shared := keys.(vault); shared {
		needs["redis"] = v.pool.Ping
	}
	return needs
}

// newRelayPart starts a relay that listens for workers at the door. Without a token everybody may order: see
// doorSettings. grace is how long it waits, when it stops, for 1688's answers to the orders under way.
func newRelayPart(config relay.Config, door doorSettings, grace time.Duration, see witness, undo *cleanup) (*relayPart, error) {
	var server *channel.Server
	config.OnPush = func(ctx context.Context, push worker.Push) error { return server.Push(ctx, push) }
	r, err := relay.New(see.relay(config))
	if err != nil {
		return nil, err
	}
	server = channel.NewServer(see.channel(channel.ServerConfig{Token: door.token.text, Open: door.token.text == "", Desk: r, Log: config.Log}))
	see.metrics.Tokens(grants(r))
	mux := http.NewServeMux()
	mux.Handle("/channel", server)
	at, stop, err := listen("listen", door.address, mux, func(s *http.Server) {
		s.TLSConfig, s.ErrorLog = door.config, stdlog.New(config.Log, "", 0) // it tells of handshakes that fail
	})
	if err != nil {
		return nil, err
	}
	undo.add("channel's listener", stop)
	undo.add("channel's server", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			config.Log.Warn().Err(err).Msg("orders under way were left behind: workers look them up")
		}
		return nil
	})
	return &relayPart{relay: r, server: server, url: door.scheme() + at.String() + "/channel"}, nil
}
