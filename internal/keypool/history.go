package keypool

import (
	"context"
	"iter"
	"slices"

	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// History is what the broker has on record.
type History interface {
	// Events yields the pool's journal in order.
	Events(ctx context.Context, pool string) iter.Seq2[worker.PoolEvent, error]
	// Results yields the stored results in order; those of other pools may be among them. One that replaces an earlier result
	// of the same request comes after it.
	Results(ctx context.Context, pool string) iter.Seq2[worker.Result, error]
	// Delivered yields the requests that were handed to a worker and are not all acknowledged: at least every one that is not.
	// Those of other pools may be among them.
	Delivered(ctx context.Context) iter.Seq2[worker.Request, error]
	// Waiting yields the requests that come after those. A broker that was killed may have forgotten that it delivered some.
	Waiting(ctx context.Context) iter.Seq2[worker.Request, error]
	// Stored is how many results are on record, those of other pools included: what Results yields, more or less.
	Stored(ctx context.Context) (int64, error)
	// Result gives the result on record of a request, and false if there is none yet.
	Result(ctx context.Context, tenant, id string) (worker.Result, bool, error)
}

// past is a pool as its history tells it. Of the results it keeps sums and what is undecided, however many there are.
type past struct {
	pool     string
	settings Settings
	last     int64      // sequence of the last event
	keys     []*pastKey // in the order in which they came
	byName   map[string]*pastKey
	active   []*pastKey // as they are drawn from
	ready    []*pastKey
	changes  []string           // ids of the latest changes
	sellers  map[string]string  // the kind of Alipay that they ask for, "" if they do no more
	open     map[string]share   // by request: results that leave something open, or unbought
	flights  map[string]*flight // by request: what may not be finished
	results  int64              // how many were read
}

type pastKey struct {
	appKey, account, alipay, source string
	limit, floor, used, version     int64 // version is 0 for a key that the journal does not know
	certain                         int64 // of used, what no other key can have taken
	cleared                         int64 // of what was ever counted, what counts no longer
	state                           State
	onboard                         bool // a step of its onboarding is missing
	steps                           map[string]worker.Done
	print                           string
	sealed                          map[string]string // by the names of their fields in Redis
}

// flight is a request that is not finished, as far as the broker's consumer knows.
type flight struct {
	account   string
	orders    []part
	delivered bool         // it was handed to a worker
	answered  bool         // its result is on record
	cancelled *worker.Part // how all its orders ended, if that is cancelled
}

// part is one order of a flight.
type part struct {
	reference string
	size      worker.Size
}

func newFlight(r worker.Request, delivered bool) *flight {
	f := &flight{account: r.Account, delivered: delivered}
	for _, child := range worker.Split(&r) {
		f.orders = append(f.orders, part{child.Order.Reference, worker.SizeOf(child.Order.Lines)})
	}
	return f
}

type openOrder struct {
	worker.OpenOrder
	part worker.Part
}

// share is what one request took from the pool.
type share struct {
	used []taken
	open []openOrder
}

type taken struct {
	key      *pastKey
	products int64
	certain  bool
}

// recall reads a pool's history. known are the keys that Redis knows, whether they are in the journal or not. What was
// delivered is read first: whatever ends after that is either among the results or still taken for under way.
func recall(ctx context.Context, log zerolog.Logger, pool string, known []string, history History) (*past, error) {
	p := &past{pool: pool, settings: DefaultSettings, byName: map[string]*pastKey{}, sellers: map[string]string{}, open: map[string]share{}, flights: map[string]*flight{}}
	if err := p.take(history.Waiting(ctx), false); err != nil {
		return nil, err
	}
	if err := p.take(history.Delivered(ctx), true); err != nil {
		return nil, err
	}
	for event, err := range history.Events(ctx, pool) {
		if err != nil {
			return nil, err
		}
		p.apply(event)
	}
	for _, appKey := range known {
		p.key(appKey)
	}
	if len(p.keys) == 0 {
		return p, nil
	}
	p.join()
	return p, p.count(ctx, log, history)
}

// count reads what was bought.
func (p *past) count(ctx context.Context, log zerolog.Logger, history History) error {
	stored, err := history.Stored(ctx)
	if err != nil {
		return err
	}
	tell := newProgress(log, stored)
	for result, err := range history.Results(ctx, p.pool) {
		if err != nil {
			return err
		}
		p.remember(result)
		p.results++
		tell.step()
	}
	return nil
}

// take notes what is not finished. What was waiting and is delivered meanwhile comes twice: the second time counts.
func (p *past) take(requests iter.Seq2[worker.Request, error], delivered bool) error {
	for request, err := range requests {
		if err != nil {
			return err
		}
		if request.Pool == p.pool {
			p.flights[nameOf(request.Tenant, request.ID)] = newFlight(request, delivered)
		}
	}
	return nil
}

func nameOf(tenant, id string) string { return tenant + "." + id }

func (p *past) key(appKey string) *pastKey {
	k := p.byName[appKey]
	if k == nil {
		k = &pastKey{appKey: appKey}
		p.keys, p.byName[appKey] = append(p.keys, k), k
	}
	return k
}

// remember counts what a result says about this pool's keys. An unknown one may be replaced by a later one, and so may one of which
// something was not bought, by an order that a person bound to it. One that takes a binding back changes no count.
func (p *past) remember(result worker.Result) {
	if result.Aside {
		return
	}
	name, s := nameOf(result.Tenant, result.RequestID), p.share(result)
	if f := p.flights[name]; f != nil {
		f.answer(result)
	}
	before, replaced := p.open[name]
	delete(p.open, name)
	if replaced && !result.Unbound {
		before.book(-1)
	}
	if !result.Unbound {
		s.book(1)
	}
	if len(s.open) > 0 || len(s.used) > 0 && len(result.Failed) > 0 {
		p.open[name] = s
	}
}

// answer notes that the result of a flight is on record. One that a replay may still decide is none yet.
func (f *flight) answer(result worker.Result) {
	f.answered, f.cancelled = !result.Provisional(), nil
	if result.Outcome == worker.OutcomeCancelled {
		f.cancelled = &worker.Part{State: worker.ClaimCancelled, Code: result.Code, Reason: result.Reason, At: result.DecidedAt}
	}
}

func (p *past) share(result worker.Result) share {
	s := share{}
	for _, order := range result.Orders {
		for _, appKey := range append([]string{order.AppKey}, order.AlsoOn...) {
			if k := p.byName[appKey]; k != nil {
				s.used = append(s.used, taken{k, order.Products, len(order.AlsoOn) == 0})
			}
		}
	}
	for _, open := range result.Unknown {
		if ours := func(appKey string) bool { return p.byName[appKey] != nil }; ours(open.AppKey) || slices.ContainsFunc(open.AlsoOn, ours) {
			s.open = append(s.open, openOrder{open, worker.Part{Code: result.Code, Reason: result.Reason, At: result.DecidedAt}})
		}
	}
	return s
}

func (s share) book(sign int64) {
	for _, t := range s.used {
		t.key.used += sign * t.products
		if t.certain {
			t.key.certain += sign * t.products
		}
	}
}
