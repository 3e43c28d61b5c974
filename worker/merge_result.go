package worker

import (
	"context"
	"slices"
	"strings"
)

// MergedOutbox is an outbox that tells the members of a merged request what became of them, whoever publishes its result: a worker, a
// person who resolves or binds it, an answer that came late. Their results are made of the merged one's as it is on record, so that a
// repeat publishes the same.
type MergedOutbox struct {
	Outbox
	Merges Merges
}

// Publish stores the result, and then those of its members; see Outbox.
func (o MergedOutbox) Publish(ctx context.Context, result Result) error {
	if err := o.Outbox.Publish(ctx, result); err != nil || result.Aside {
		return err
	}
	return o.tell(ctx, result)
}

// Decided says whether a result is stored for the request, and for each of its members; see Outbox.
func (o MergedOutbox) Decided(ctx context.Context, tenant, ref string) (bool, error) {
	decided, err := o.Outbox.Decided(ctx, tenant, ref)
	if id, _ := DecodeRef(ref); err == nil && decided {
		err = o.tell(ctx, Result{Tenant: tenant, RequestID: id})
	}
	return decided, err
}

// tell publishes the members' results, if the request has members.
func (o MergedOutbox) tell(ctx context.Context, published Result) error {
	if !strings.HasPrefix(published.RequestID, mergedPrefix) {
		return nil
	}
	mark, err := o.whole(ctx, published)
	if err != nil || len(mark.Members) == 0 {
		return err
	}
	whole, found, err := o.Merges.Result(ctx, published.Tenant, published.RequestID)
	if err == nil && (!found || published.replaces(whole)) {
		err = &Trouble{Code: CodeNATSDown, Reason: "the result of " + published.RequestID + " cannot be read yet"}
	}
	if err != nil {
		return err
	}
	members, err := membersOf(ctx, o.Merges, published.Tenant, published.RequestID, mark.Members)
	if err != nil {
		return err
	}
	for _, result := range divide(whole, members) {
		result.Resolves, result.ByHand, result.Replay = true, published.ByHand, published.Replay
		if err := o.Outbox.Publish(ctx, result); err != nil {
			return err
		}
	}
	return nil
}

// whole gives the request's own mark. Where none can be read it writes one that says nothing, which the broker refuses if there is one:
// a server that answers may be behind the others.
func (o MergedOutbox) whole(ctx context.Context, r Result) (Mark, error) {
	mark, found, err := o.Merges.Marked(ctx, r.Tenant, r.RequestID)
	if err != nil || found {
		return mark, err
	}
	return o.Merges.Mark(ctx, r.Tenant, r.RequestID, Mark{})
}

// replaces says whether what can be read is older than what was just stored behind it.
func (r Result) replaces(read Result) bool {
	return (r.Resolves || r.ByHand != "") && (read.Outcome != r.Outcome || !slices.Equal(r.orderIDs(), read.orderIDs()))
}

func (r Result) orderIDs() (ids []string) {
	for _, order := range r.Orders {
		ids = append(ids, order.OrderID)
	}
	return ids
}

// divide makes of a merged request's result the results of its members, in their order. What the orders cost and count is divided
// among them without rest, and stays the merged request's: no member's result counts anything.
func divide(whole Result, members []Request) []Result {
	results := make([]Result, len(members))
	first, products := 0, whole.productsOf(members)
	for i, member := range members {
		results[i] = whole.of(member, first, products[first:first+len(member.Lines)])
		first += len(member.Lines)
	}
	return results
}

// of is a member's result. Its lines are those of the whole from first on, which count so many products.
func (r Result) of(member Request, first int, products []int64) Result {
	mine := Result{Tenant: r.Tenant, RequestID: member.ID, MergedInto: r.RequestID, Outcome: r.Outcome, Code: r.Code, Reason: joined(partOf+r.RequestID, r.Reason),
		Attempt: r.Attempt, DecidedAt: r.DecidedAt, Unbound: r.Unbound}
	last := first + len(member.Lines)
	for _, failed := range r.Failed {
		if failed.Line >= first && failed.Line < last {
			failed.Line -= first
			mine.Failed = append(mine.Failed, failed)
		}
	}
	for _, order := range r.Orders {
		if part, has := order.of(first, last); has {
			mine.MergedOrders = append(mine.MergedOrders, part)
		}
	}
	mine.countLines(products)
	if r.Outcome == OutcomePartial {
		mine.concludeMember(len(member.Lines))
	}
	return mine
}

// of is what some lines of the whole have of an order; false if none of them is in it.
func (o ResultOrder) of(first, last int) (ResultOrder, bool) {
	mine := ResultOrder{OrderID: o.OrderID, OutOrderID: o.OutOrderID, AppKey: o.AppKey, AlsoOn: o.AlsoOn}
	for _, line := range o.Lines {
		if line >= first && line < last {
			mine.Lines = append(mine.Lines, line-first)
		}
	}
	for _, s := range o.Shares {
		if s.Line >= first && s.Line < last {
			s.Line -= first
			mine.Shares = append(mine.Shares, s)
			mine.Total, mine.Postage, mine.Discount = mine.Total+s.Goods+s.Postage, mine.Postage+s.Postage, mine.Discount+s.Discount
		}
	}
	return mine, len(mine.Lines) > 0
}

// countLines puts what the lines count on the first order, as ResultOrder.Products has it.
func (r *Result) countLines(products []int64) {
	for _, n := range products {
		if len(r.MergedOrders) > 0 {
			r.MergedOrders[0].Products += n
		}
	}
}

// concludeMember says how a member ended of which not every line needs to have ended like the whole.
func (r *Result) concludeMember(lines int) {
	switch {
	case len(r.Failed) == 0:
		r.Outcome, r.Code, r.Reason = OutcomePlaced, CodePlaced, partOf+r.MergedInto
	case len(r.Failed) == lines:
		r.Outcome, r.Code, r.Reason = Dispose(r.Failed[0].Code).Outcome, r.Failed[0].Code, joined(partOf+r.MergedInto, r.Failed[0].Reason)
		r.MergedOrders = nil
	}
}

// productsOf divides what was counted among the lines that were bought: by their quantities if that is what the pool counts; else each
// line of the order is the first's that it was made of, if that is; else as even as can be.
func (r Result) productsOf(members []Request) []int64 {
	var units, firsts []Fen
	seen := map[goods]bool{}
	for _, member := range members {
		for _, line := range member.Lines {
			n, name := len(units), goods{line.Seller, line.OfferID, line.SpecID}
			units, firsts = append(units, 0), append(firsts, 0)
			if slices.ContainsFunc(r.Failed, func(f FailedLine) bool { return f.Line == n }) {
				continue
			}
			units[n] = Fen(line.Quantity)
			if !seen[name] {
				firsts[n], seen[name] = 1, true
			}
		}
	}
	if sum(firsts) == Fen(r.Products) {
		units = firsts
	}
	products := make([]int64, len(units))
	if sum(units) > 0 {
		for i, part := range apportion(Fen(r.Products), units) {
			products[i] = int64(part)
		}
	}
	return products
}

func sum(list []Fen) (all Fen) {
	for _, n := range list {
		all += n
	}
	return all
}
