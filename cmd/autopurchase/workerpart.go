package main

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// workerPart is a worker with everything it is wired to. What runs lasts until run has returned, or what undo holds is undone, whatever
// becomes of the context that it was made in.
type workerPart struct {
	*stores
	set     workerSettings
	see     witness
	log     zerolog.Logger
	inbox   *bus.Inbox
	outbox  *bus.Outbox
	channel *channel.Client
	orders  *orderAdmin
	books   *keyBooks
	worker  *worker.Worker
	reviver *worker.Reviver
	cashier *worker.Cashier
	bills   *bus.Bills
	tracker *worker.Tracker
	guard   *watchman
	patrol  *patrol
	outlook *outlook
	stopped atomic.Bool // it was told to
}

// newWorkerPart wires a worker: what buys first, then what pays and follows, then what administrators ask it.
func newWorkerPart(ctx context.Context, s *stores, set workerSettings, see witness, undo *cleanup) (*workerPart, error) {
	set.Instance, set.Observe = strings.ToLower(rand.Text())[:12], see.observe
	s.metrics = see.metrics
	p := &workerPart{stores: s, set: set, see: see, log: see.log, outbox: s.bus.Outbox(), books: &keyBooks{stores: s}}
	p.dial(ctx, undo)
	for _, wire := range []func(context.Context, *cleanup) error{p.buys, p.pays, p.follows, p.watches, p.answersAboutKeys, p.answersAboutOrders} {
		if err := wire(ctx, undo); err != nil {
			return nil, err
		}
	}
	says := &reporter{part: p, name: set.Instance, atOnce: set.Concurrent, started: time.Now().UTC(), outlook: p.outlook}
	return p, says.serve(ctx)
}

// dial opens the channel to the relay. Nothing is asked of it, and so nothing comes late, before orders is there.
func (p *workerPart) dial(ctx context.Context, undo *cleanup) {
	door := p.set.channel
	p.channel = channel.Dial(context.WithoutCancel(ctx), channel.ClientConfig{
		URL: door.url, Token: door.token.text, TLS: door.config, CallTimeout: p.set.callTimeout, MaxInFlight: p.set.Concurrent, Log: p.log,
		OnState: p.see.channelState(),
		OnPush:  p.outbox.TakePush,
		OnLate: func(ctx context.Context, reference string, answer worker.Answer) {
			p.orders.late(ctx, reference, answer)
		},
		Alarm: func(text string) { p.log.Error().Msg("channel: " + text) },
	})
	undo.add("channel", func(context.Context) error { return p.channel.Close() })
	p.orders = newOrderAdmin(p.stores, p.channel, p.see)
}

// buys makes the worker itself, and what brings benched keys back to it.
func (p *workerPart) buys(ctx context.Context, _ *cleanup) (err error) {
	if p.inbox, err = p.bus.Inbox(ctx); err != nil {
		return err
	}
	p.worker, err = worker.New(p.set.Config, p.see.ports(worker.Ports{
		Inbox: p.inbox, Decode: schemas.DecodeRequest, Ledger: p.pool, Stock: p.stores, Market: p.channel, Rules: p.pool,
		Outbox: worker.MergedOutbox{Outbox: p.outbox, Merges: p.bus}, Previewer: p.channel, Undrawn: p.pool, Choices: p.bus.Choices(), Shelf: p.bus, Merges: p.bus,
	}))
	if err != nil {
		return err
	}
	p.reviver = &worker.Reviver{Infirmary: infirmary{p.stores}, Prover: p.channel, First: p.set.reviveAfter, Observe: p.set.Observe}
	p.see.metrics.Vitals(p.worker.Vitals, func() bool { return p.channel.Ready(ctx) == nil })
	p.see.metrics.Survey(p.survey)
	return p.bus.HandOutDue(context.WithoutCancel(ctx))
}

// pays makes the cashier, who goes through the bills.
func (p *workerPart) pays(ctx context.Context, undo *cleanup) (err error) {
	if p.cashier, err = newCashier(p.stores, p.channel, p.set.pay, p.see); err != nil {
		return err
	}
	if p.bills, err = p.bus.Bills(ctx); err != nil {
		return err
	}
	undo.add("cashier", func(context.Context) error { p.bills.Close(); return nil })
	return nil
}

// follows has pushes become statuses.
func (p *workerPart) follows(ctx context.Context, _ *cleanup) error {
	p.tracker = &worker.Tracker{Orders: p.channel, Record: p.outbox, Apart: p.outbox, CallTimeout: min(p.set.callTimeout, lookAtMost)}
	return followOrders(context.WithoutCancel(ctx), p.bus, p.tracker)
}

// watches makes what looks after pools, queue and silent orders, and tells people.
func (p *workerPart) watches(ctx context.Context, _ *cleanup) error {
	p.guard = &watchman{stores: p.stores, channel: p.channel, set: p.set.alarms, log: p.log}
	p.patrol = newPatrol(p.set.patrol, p.bus, p.tracker, p.guard, p.set.Instance, p.log)
	p.outlook = newOutlook(p.books)
	return p.set.alarms.tell(context.WithoutCancel(ctx), p.stores)
}

func (p *workerPart) answersAboutKeys(ctx context.Context, _ *cleanup) error {
	_, err := p.bus.AdminKeys(context.WithoutCancel(ctx), slices.Concat(keyAdmin{p.stores, p.channel}.endpoints(), p.books.endpoints())...)
	return err
}

func (p *workerPart) answersAboutOrders(ctx context.Context, _ *cleanup) error {
	decisions := slices.Concat(p.orders.endpoints(), payAdmin{p.stores, p.cashier, p.channel}.endpoints())
	if _, err := p.bus.AdminOrders(context.WithoutCancel(ctx), p.orders, decisions...); err != nil {
		return err
	}
	lives := &worker.Biographer{Chronicle: p.bus, Claims: p.orders, Stock: p.stores, Vitals: p.worker.Vitals, CallTimeout: p.set.callTimeout}
	_, err := p.bus.AdminRequests(context.WithoutCancel(ctx), bus.OrdersShow.Answer(func(ctx context.Context, q bus.ShowOrder) (worker.Life, error) {
		return lives.Life(ctx, q.Tenant, q.RequestID)
	}))
	return err
}
