package main

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// orderAdmin answers those who decide about parked requests.
type orderAdmin struct {
	*stores
	resolver  *worker.Resolver
	canceller *worker.Canceller
	retrier   *worker.Retrier
	binder    *worker.Binder
	log       zerolog.Logger
}

// bazaar is 1688 as whoever decides about orders needs it.
type bazaar interface {
	worker.Market
	worker.Bookshop
	worker.Closer
}

// newOrderAdmin wires it; the market is where orders are looked up, and closed.
func newOrderAdmin(s *stores, market bazaar, see witness) *orderAdmin {
	a := &orderAdmin{stores: s, log: see.log}
	outbox := worker.MergedOutbox{Outbox: s.bus.Outbox(), Merges: s.bus}
	a.resolver = &worker.Resolver{
		Record: s.bus, Claims: a, Ledger: s.pool, Stock: s, Market: market, Outbox: outbox, Marks: s.bus,
		Bonds: s.bus.Register(), Observe: see.observe,
	}
	a.canceller = &worker.Canceller{Record: s.bus, Claims: a, Ledger: a, Outbox: outbox, Market: market, Marks: s.bus, Observe: see.observe}
	a.binder = &worker.Binder{Resolver: *a.resolver, Books: market, Holders: s.pool, Bindings: a, Register: s.bus.Register()}
	a.retrier = &worker.Retrier{Record: s.bus, Again: s.bus, Marks: s.bus}
	return a
}

// endpoints answer what persons ask about requests beside that.
func (a *orderAdmin) endpoints() []bus.Endpoint {
	return []bus.Endpoint{bus.OrdersCancel.Answer(a.cancel), bus.OrdersRetry.Answer(a.retry), bus.OrdersBind.Answer(a.bind), bus.OrdersUnbind.Answer(a.unbind),
		bus.OrdersImport.Answer(a.imports)}
}

func (a *orderAdmin) bind(ctx context.Context, ask bus.BindOrder) (bus.BoundOrder, error) {
	bound, err := a.binder.Bind(ctx, ask.Binding())
	return bus.Bound(bound), err
}

func (a *orderAdmin) unbind(ctx context.Context, ask bus.UnbindOrder) (bus.UnboundOrder, error) {
	u, err := a.binder.Unbind(ctx, worker.Unbinding{OrderID: ask.OrderID, By: ask.By, Why: ask.Why})
	return bus.UnboundOrder{Tenant: u.Tenant, RequestID: u.RequestID, OutOrderID: u.Reference, OrderID: u.OrderID, Outcome: u.Outcome}, err
}

func (a *orderAdmin) imports(ctx context.Context, ask bus.ImportOrders) (bus.ImportedOrders, error) {
	if err := a.verify(ctx, ask.Pool); err != nil {
		return bus.ImportedOrders{}, err
	}
	imported, err := (&worker.Importer{Binder: *a.binder}).Import(ctx, ask.Importing())
	return bus.Imported(imported), err
}

// Bind is the pool's, which is verified first if it is not.
func (a *orderAdmin) Bind(ctx context.Context, b worker.Bonding) (worker.Claim, error) {
	if err := a.verify(ctx, b.Pool); err != nil {
		return worker.Claim{}, err
	}
	return a.pool.Bind(ctx, b)
}

// Unbind is the pool's.
func (a *orderAdmin) Unbind(ctx context.Context, seen worker.Claim, part worker.Part) (worker.Claim, error) {
	return a.pool.Unbind(ctx, seen, part)
}

func (a *orderAdmin) cancel(ctx context.Context, ask bus.CancelOrder) (bus.CancelledRequest, error) {
	cancelled, err := a.canceller.Cancel(ctx, ask.Cancellation())
	answer := bus.Cancelled(cancelled)
	if err != nil || ask.DryRun {
		return answer, err
	}
	if answer.Outcome != "" {
		_ = a.bus.Forget(ctx, ask.Tenant, ask.RequestID) // else it comes when its time does, and ends as it did
	}
	keep := func(what worker.DeedKind, text string, which []string) error {
		if len(which) == 0 {
			return nil
		}
		return a.bus.Keep(ctx, worker.Deed{What: what, Tenant: ask.Tenant, RequestID: ask.RequestID, OutOrderID: ask.OutOrderID,
			Text: text + strings.Join(which, ", "), By: ask.By, Why: ask.Why, At: time.Now().UTC()})
	}
	return answer, cmp.Or(keep(worker.DeedCancelled, "never sent: ", answer.Taken()), keep(worker.DeedClosed, "closed at 1688: ", answer.Shut()))
}

func (a *orderAdmin) retry(ctx context.Context, ask bus.RetryOrder) (bus.RetriedOrder, error) {
	r, err := a.retrier.Retry(ctx, ask.Retry())
	return bus.RetriedOrder{Tenant: r.Tenant, RequestID: r.RequestID, RetryID: r.RetryID, New: r.New, Lines: r.Lines, Outcome: r.Outcome}, err
}

// Withdraw is the pool's, which is verified first if it is not: that of a request may be one that nobody has added a key to.
func (a *orderAdmin) Withdraw(ctx context.Context, w worker.Withdrawal) (worker.Claim, error) {
	if err := a.verify(ctx, w.Pool); err != nil {
		return worker.Claim{}, err
	}
	return a.pool.Withdraw(ctx, w)
}

// Parked lists the parked requests.
func (a *orderAdmin) Parked(ctx context.Context) ([]worker.Result, error) { return a.bus.Parked(ctx) }

// Resolve takes a person's word.
func (a *orderAdmin) Resolve(ctx context.Context, r worker.Resolution) (worker.Result, error) {
	result, err := a.resolver.Resolve(ctx, r)
	if err != nil || r.DryRun {
		return result, err
	}
	return result, a.bus.Keep(ctx, r.Deed(time.Now()))
}

// Claim is the pool's; a pool that Redis has lost is rebuilt first, since a claim that seems to be missing may be there.
func (a *orderAdmin) Claim(ctx context.Context, pool, reference string) (worker.Claim, bool, error) {
	claim, found, err := a.pool.Claim(ctx, pool, reference)
	if err == nil || worker.AsTrouble(err).Code != worker.CodeNoPool {
		return claim, found, err
	}
	if err := a.pool.Rebuild(ctx, pool, a.bus.History()); err != nil {
		return claim, false, err
	}
	return a.pool.Claim(ctx, pool, reference)
}

const (
	latePatience = 5 * time.Minute // how long it is tried to put a late answer on record
	lateRetry    = time.Second
)

// late puts an answer on record that came after nobody waited for it any more.
func (a *orderAdmin) late(ctx context.Context, reference string, answer worker.Answer) {
	ctx, cancel := context.WithTimeout(ctx, latePatience)
	defer cancel()
	for {
		err := a.resolver.Late(ctx, reference, answer)
		if err == nil {
			return
		}
		select {
		case <-time.After(lateRetry):
		case <-ctx.Done():
			a.log.Error().Err(err).Str("claim", reference).Msg("a late answer that names an order could not be put on record")
			return
		}
	}
}

var _ bus.OrderAdmin = (*orderAdmin)(nil)
