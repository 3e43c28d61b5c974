package keypool

import (
	"context"
	"iter"

	"autopurchase/worker"
)

// History is what the broker has on record about a pool.
type History interface {
	// Events yields the pool's journal in order.
	Events(ctx context.Context, pool string) iter.Seq2[worker.PoolEvent, error]
	// Results yields the stored results in order; those of other pools may be among them. One that replaces an earlier result
	// of the same request comes after it.
	Results(ctx context.Context, pool string) iter.Seq2[worker.Result, error]
}

// past is a pool as its history tells it.
type past struct {
	pool     string
	settings Settings
	last     int64      // sequence of the last event
	keys     []*pastKey // in the order in which they came
	byName   map[string]*pastKey
	open     []openOrder
}

type pastKey struct {
	appKey, account, alipay            string
	limit, floor, used, held, versions int64
	benched                            bool
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
}

// recall reads a pool's history.
func recall(ctx context.Context, pool string, history History) (*past, error) {
	p := &past{pool: pool, settings: DefaultSettings, byName: map[string]*pastKey{}}
	for event, err := range history.Events(ctx, pool) {
		if err != nil {
			return nil, err
		}
		p.apply(event)
	}
	shares := map[string]share{}
	for result, err := range history.Results(ctx, pool) {
		if err != nil {
			return nil, err
		}
		p.remember(shares, result)
	}
	for _, s := range shares {
		p.book(s)
	}
	return p, nil
}

// apply takes one event of the journal into the picture. Every event of a key carries all about it, so that a journal whose
// beginning has aged away still tells what counts.
func (p *past) apply(event worker.PoolEvent) {
	p.last = max(p.last, event.Sequence)
	if event.Count != "" {
		p.settings = Settings{Count: event.Count, Width: max(1, int(event.Width)), Low: event.Low}
	}
	if event.AppKey == "" {
		return
	}
	k := p.byName[event.AppKey]
	if k == nil {
		k = &pastKey{appKey: event.AppKey, versions: 1}
		p.keys, p.byName[event.AppKey] = append(p.keys, k), k
	}
	k.limit, k.account, k.alipay = event.Limit, event.Account, event.Alipay
	k.floor = max(k.floor, event.Used)
	switch event.Kind {
	case worker.EventChanged:
		k.versions++
	case worker.EventBenched:
		k.benched = true
	case worker.EventRestored:
		k.benched = false
	}
}

// remember keeps what a result says about this pool's keys, in place of what an earlier result of the same request said.
func (p *past) remember(shares map[string]share, result worker.Result) {
	if result.Aside {
		return
	}
	name, s := result.Tenant+"."+result.RequestID, p.share(result)
	if len(s.used)+len(s.open) > 0 {
		shares[name] = s
	} else {
		delete(shares, name)
	}
}

func (p *past) share(result worker.Result) share {
	s := share{}
	for _, order := range result.Orders {
		if k := p.byName[order.AppKey]; k != nil {
			s.used = append(s.used, taken{k, order.Products})
		}
	}
	for _, open := range result.Unknown {
		if p.byName[open.AppKey] != nil {
			s.open = append(s.open, openOrder{open, worker.Part{Code: result.Code, Reason: result.Reason, At: result.DecidedAt}})
		}
	}
	return s
}

func (p *past) book(s share) {
	for _, t := range s.used {
		t.key.used += t.products
	}
	for _, open := range s.open {
		p.byName[open.AppKey].held += open.Products
	}
	p.open = append(p.open, s.open...)
}
