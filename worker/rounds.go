package worker

import (
	"context"
	"time"
)

// PlacedOrders gives what requests ended in. Errors are *Trouble with CodeNATSDown.
type PlacedOrders interface {
	// ResultsAfter gives some of the results that are stored behind a sequence, the oldest first, and not before a time; none if
	// there are no more.
	ResultsAfter(ctx context.Context, sequence uint64, since time.Time) ([]Entry, error)
}

// Rounds goes round the orders that were placed and have not come to their end: it asks 1688 for those of which nothing was heard
// for long, in case a push was missed, and says which stand still for too long. It remembers the orders that are open, and nothing of
// the others; it is for one goroutine. Several processes may go round at once: nothing is done twice but asking.
type Rounds struct {
	Results PlacedOrders
	Record  OrderRecord
	Tracker *Tracker
	Rules   WatchRules
	// Silent is how long nothing may be heard of an order before 1688 is asked for it, and again after as long; 0 never asks.
	Silent time.Duration
	// Window is how long ago an order may have been decided: those that are older are left alone.
	Window time.Duration
	// Looks is how many orders 1688 is asked for in one round at most. The others come next.
	Looks int

	read uint64
	open map[string]*openOrder // by order id
}

// openOrder is an order that has not come to its end.
type openOrder struct {
	tenant, id string // of its request
	reference  string
	appKey     string
	placed     time.Time
	asked      time.Time // when 1688 was asked for it last
	due        time.Time // when it is to be looked at next
}

// Go goes one round and gives what it found of each rule that is set. Findings of a round with an error leave out what could not be
// looked at, and do not say that anything is over.
func (r *Rounds) Go(ctx context.Context, now time.Time) ([]Finding, error) {
	if err := r.take(ctx, now); err != nil {
		return nil, err
	}
	still, looks := map[AlarmKind]*stillness{}, r.Looks
	var failed error
	for orderID, o := range r.open {
		if o.placed.Before(now.Add(-r.Window)) {
			delete(r.open, orderID)
			continue
		}
		if now.Before(o.due) {
			continue
		}
		late, err := r.visit(ctx, orderID, o, now, &looks)
		if err != nil {
			failed = err
		}
		for kind, since := range late {
			if still[kind] == nil {
				still[kind] = &stillness{}
			}
			still[kind].add(o.reference, since)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return r.findings(still, failed, now), failed
}

// take takes in the orders that were placed since the last round.
func (r *Rounds) take(ctx context.Context, now time.Time) error {
	if r.open == nil {
		r.open = map[string]*openOrder{}
	}
	for {
		entries, err := r.Results.ResultsAfter(ctx, r.read, now.Add(-r.Window))
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			r.read = e.Sequence
			if e.Result == nil || e.Result.Aside {
				continue
			}
			for _, order := range e.Result.Orders {
				if r.open[order.OrderID] == nil {
					r.open[order.OrderID] = &openOrder{tenant: e.Tenant, id: e.RequestID, reference: order.OutOrderID, appKey: order.AppKey, placed: e.At}
				}
			}
		}
	}
}

// visit looks at one order, and says by which rules it stands still for too long.
func (r *Rounds) visit(ctx context.Context, orderID string, o *openOrder, now time.Time, looks *int) (map[AlarmKind]time.Time, error) {
	course, err := r.Record.Course(ctx, o.tenant, o.id)
	if err != nil {
		return nil, err
	}
	order, _ := course.Order(orderID)
	order.OutOrderID, order.AppKey = orElse(order.OutOrderID, o.reference), orElse(order.AppKey, o.appKey)
	if r.silent(o, order, now) && *looks > 0 {
		*looks--
		if seen, err := r.Tracker.Look(ctx, o.tenant, o.id, order); err == nil { // else it is asked again in the next round
			o.asked, order = now, seen
		}
	}
	if order.State.Final() {
		delete(r.open, orderID)
		return nil, nil
	}
	late, next := r.Rules.Late(order, o.placed, now)
	o.due = now.Add(r.revisit())
	if !next.IsZero() {
		o.due = firstOf(o.due, next)
	}
	if len(late) > 0 || r.silent(o, order, now) {
		o.due = now // until it moves, or could be asked for
	}
	return late, nil
}

// silent says whether nothing was heard of an order for long.
func (r *Rounds) silent(o *openOrder, order OrderCourse, now time.Time) bool {
	heard := laterOf(laterOf(o.placed, order.HeardAt), o.asked)
	return r.Silent > 0 && !order.State.Final() && !heard.Add(r.Silent).After(now)
}

// revisit is after how long an order is looked at again on record, at the latest: what starts a rule may happen at any time.
func (r *Rounds) revisit() time.Duration {
	again := time.Hour
	for _, span := range []time.Duration{r.Silent, r.Rules.Unshipped, r.Rules.Untraced, r.Rules.Unmoved} {
		if span > 0 {
			again = min(again, span/4)
		}
	}
	return again
}

// findings says of each rule that is set how it is.
func (r *Rounds) findings(still map[AlarmKind]*stillness, failed error, now time.Time) (all []Finding) {
	for _, kind := range Watched() {
		limit := r.Rules.limit(kind)
		if limit == 0 {
			continue
		}
		f := Finding{Kind: kind, What: Everything, State: AlarmOver, Waiting: limit}
		if failed != nil {
			f.State = ""
		}
		if s := still[kind]; s != nil {
			f.State, f.Count, f.Named, f.Mark = AlarmRaised, s.count, s.named, uint64(max(s.newest.UnixMilli(), 1)) //nolint:gosec // it is positive
		}
		all = append(all, f)
	}
	return all
}
