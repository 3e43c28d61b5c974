package worker

import (
	"context"
	"time"
)

// Unbinding is a person's word that a binding was wrong.
type Unbinding struct {
	OrderID string // at 1688
	By      string
	Why     string
}

// Unbound says what became of it.
type Unbound struct {
	Tenant    string
	RequestID string
	Reference string
	OrderID   string
	Outcome   Outcome // of the request's result on record; "" while there is none
}

// Unbind takes a binding back. The order is then nobody's, and it is not known what became of the request's: it is parked, however it
// stood before it was bound, since nobody can tell what was done meanwhile because it was placed. A person resolves it, or binds
// another. What was counted stays counted. Only what a person bound can be unbound; what 1688 itself said stays.
//
// Errors: an *Invalid that names the field; a *Trouble of the ledger or the broker, after which it may be repeated.
func (b *Binder) Unbind(ctx context.Context, w Unbinding) (Unbound, error) {
	bond, entry, err := b.Register.Bond(ctx, w.OrderID)
	if err != nil {
		return Unbound{}, err
	}
	switch {
	case entry == 0:
		return Unbound{}, &Invalid{Field: "order_id", Reason: "is bound to nothing by hand"}
	case bond.What != DeedBound:
		return Unbound{}, &Invalid{Field: "order_id", Reason: "was not bound: " + bond.By + " said that " + bond.OutOrderID + " is placed so, and that stands"}
	}
	f, err := b.open(ctx, bond.Tenant, bond.RequestID)
	if err != nil {
		return Unbound{}, err
	}
	e, err := f.choose(Resolution{RequestID: bond.RequestID, Reference: bond.OutOrderID})
	if err != nil {
		return Unbound{}, err
	}
	deed := Deed{What: DeedUnbound, Tenant: bond.Tenant, RequestID: bond.RequestID, OutOrderID: bond.OutOrderID, OrderID: w.OrderID,
		Entry: entry, Text: "order " + w.OrderID + " of 1688 is not " + bond.OutOrderID, By: w.By, Why: w.Why, At: time.Now().UTC()}
	answer := Unbound{Tenant: bond.Tenant, RequestID: bond.RequestID, Reference: bond.OutOrderID, OrderID: w.OrderID}
	answer.Outcome, err = b.unbind(ctx, f, e, w, deed)
	return answer, err
}

// unbind leaves the claim open, then publishes that, and sets the order free at last: until then nobody else's may be bound to it.
func (b *Binder) unbind(ctx context.Context, f *file, e *Ended, w Unbinding, deed Deed) (outcome Outcome, err error) {
	if outcome = f.result.Outcome; sameOrders(e.Claim.Part.Orders, []string{deed.OrderID}) {
		part := Part{State: ClaimUnknown, Code: CodeAbsent, Reason: w.note(), At: e.Claim.Part.At}
		seen := e.Claim
		if e.Claim, err = b.Bindings.Unbind(ctx, seen, part); err != nil && AsTrouble(err).Code != CodeLost {
			return outcome, err
		}
		if err != nil { // the ledger has forgotten it, and the result says all
			seen.State, seen.Part, seen.Products = ClaimUnknown, part, 0
			e.Claim = seen
		}
		b.Observe(Event{Stage: StageBound, Tenant: deed.Tenant, RequestID: deed.RequestID, Reference: deed.OutOrderID, Pool: f.asked.Pool,
			AppKey: e.Claim.AppKey, Code: CodeAbsent, Reason: w.note()})
	}
	if e.Claim.State == ClaimUnknown || e.Claim.State == "" && f.answered {
		if outcome, err = b.tell(ctx, f, deed, w.note()); err != nil {
			return outcome, err
		}
	}
	if err := b.Register.Keep(ctx, deed); err != nil {
		return outcome, err
	}
	_, err = b.Register.Enter(ctx, deed)
	return outcome, err
}

// note is what the result's reason and the log say of it.
func (w Unbinding) note() string { return "un" + Binding{By: w.By, Why: w.Why}.note() }
