package worker

import (
	"context"
	"slices"
	"time"
)

// open gathers what is known of a request from the ledger, and from the result on record where the ledger has lost a claim.
func (v *Resolver) open(ctx context.Context, tenant, id string) (*file, error) {
	f := &file{}
	var found bool
	var err error
	if f.asked, found, err = v.Record.Asked(ctx, tenant, id); err != nil {
		return nil, err
	}
	if !found {
		return nil, &Invalid{RequestID: id, Field: "request_id", Reason: "names no request that is on record for tenant " + tenant}
	}
	if f.result, f.answered, err = v.Record.Result(ctx, tenant, id); err != nil {
		return nil, err
	}
	if f.into = f.result.MergedInto; !f.answered {
		if f.into, err = apart(ctx, v.Marks, f.asked.Request, true); err != nil {
			return nil, err
		}
	}
	for _, child := range Split(&f.asked.Request) {
		claim, known, err := v.Claims.Claim(ctx, f.asked.Pool, child.Order.Reference)
		if err != nil {
			return nil, err
		}
		if !known {
			claim = f.result.recall(child)
		}
		e := &Ended{Child: &child, Claim: claim}
		if isOpen(e) && claim.Part.State != ClaimUnknown {
			e.Claim.Part = Part{State: ClaimUnknown, Code: f.result.Code, Reason: f.result.Reason, At: f.result.DecidedAt}
		}
		f.ended = append(f.ended, e)
	}
	return f, nil
}

// keepApart sees to it that a request without a result is not bought with others from now on, and gives the one that it is bought with
// already.
func (v *Resolver) keepApart(ctx context.Context, f *file) (into string, err error) {
	if f.answered {
		return f.into, nil
	}
	return apart(ctx, v.Marks, f.asked.Request, false)
}

// recall makes of a result what the claim of one of its orders said. A claim without a state says that the order is open.
func (r Result) recall(child Child) Claim {
	claim := Claim{Reference: child.Order.Reference, AppKey: r.AppKey, Attempt: r.Attempt}
	part := Part{Orders: r.ordersOf(claim.Reference), At: r.DecidedAt}
	r.allot(child, part.Orders)
	for _, order := range r.Orders {
		if order.OutOrderID == claim.Reference {
			claim.AppKey, claim.AlsoOn, claim.Products = order.AppKey, order.AlsoOn, claim.Products+order.Products
		}
	}
	var code Code
	var reason string
	for _, failed := range r.Failed {
		if slices.Contains(child.Lines, failed.Line) {
			code, reason = failed.Code, failed.Reason
			part.Failed = append(part.Failed, FailedOffer{OfferID: failed.OfferID, SpecID: failed.SpecID, Code: code, Reason: reason, Tried: failed.Tried})
		}
	}
	switch {
	case len(part.Orders) > 0 && len(part.Failed) > 0:
		part.State, part.Code = ClaimPartial, CodePartial
	case len(part.Orders) > 0:
		part.State, part.Code = ClaimPlaced, CodePlaced
	case len(part.Failed) > 0:
		part.State, part.Code, part.Reason, part.Failed = ClaimRefused, code, reason, nil
	default:
		claim.AppKey = ""
		for _, open := range r.Unknown {
			if open.OutOrderID == claim.Reference {
				claim.AppKey, claim.AlsoOn, claim.Products = open.AppKey, open.AlsoOn, open.Products
			}
		}
		return claim
	}
	claim.State, claim.Part = part.State, part
	return claim
}

// allot puts back which of the order's lines each of several orders holds, where the result tells them apart.
func (r Result) allot(child Child, orders []PlacedOrder) {
	for i := range orders {
		at := slices.IndexFunc(r.Orders, func(o ResultOrder) bool { return o.OrderID == orders[i].ID })
		if len(orders) == 1 || len(r.Orders[at].Lines) == len(child.Lines) {
			continue
		}
		for n, line := range child.Lines {
			if slices.Contains(r.Orders[at].Lines, line) {
				orders[i].Lines = append(orders[i].Lines, child.Goods[n])
			}
		}
	}
}

// Late takes an answer that names an order and came after nobody waited for it any more. If the order is still open it is
// a fact: the claim is settled by it, and so is a parked request. If the outcome that stands is another one, that stays, and
// a dead letter tells a person that two orders may exist. An order that is not ours is passed over.
//
// Errors are those of the ports; it may be repeated.
func (v *Resolver) Late(ctx context.Context, reference string, answer Answer) error {
	tenant, ref, _, ours := ParseReference(reference)
	if !ours || answer.Verdict != Placed {
		return nil
	}
	id, _ := DecodeRef(ref) // a reference of ours has one
	f, err := v.open(ctx, tenant, id)
	if err != nil {
		return err
	}
	e, err := f.choose(Resolution{RequestID: id, Reference: reference})
	if err != nil {
		return err
	}
	if e.Claim.State == ClaimSent || e.Claim.State == ClaimUnknown {
		part, size := Decide(&e.Child.Order, &answer)
		if err = v.Ledger.Settle(ctx, &e.Claim, &part, size); err != nil {
			return err
		}
	}
	if !sameOrders(e.Claim.Part.Orders, ids(answer.Orders)) {
		return v.contradict(ctx, f, e, answer)
	}
	if f.answered && f.result.Outcome == OutcomeUnknown {
		_, err = v.conclude(ctx, f, "answered late")
	}
	return err
}

// contradict puts an order that the ledger does not know on record for a person.
func (v *Resolver) contradict(ctx context.Context, f *file, e *Ended, answer Answer) error {
	reason := contradiction(e.Claim.Reference, answer.Orders, e.Claim.Part)
	v.Observe(Event{Stage: StageDiffers, Tenant: f.asked.Tenant, RequestID: f.asked.ID, Reference: e.Claim.Reference,
		AppKey: e.Claim.AppKey, Code: CodeNoAnswer, Reason: reason})
	return v.Outbox.Bury(ctx, DeadLetter{Tenant: f.asked.Tenant, Subject: f.asked.Subject, Sequence: f.asked.Sequence,
		RequestID: f.asked.ID, Code: CodeNoAnswer, Reason: reason, At: time.Now()})
}

// contradiction says that an order may exist twice.
func contradiction(reference string, orders []PlacedOrder, stands Part) string {
	late := "is a refusal"
	if len(orders) > 0 {
		late = "names " + idsOf(orders)
	}
	return reference + ": a late answer " + late + ", but the order " + tell(stands) + ": see at 1688 whether two exist"
}
