package worker

import (
	"context"
	"errors"
	"time"
)

// Shelf keeps requests whose time has not come.
type Shelf interface {
	// Hold has the request of a delivery delivered again once its time has come, as Delivery.Due, and returns once that is on record:
	// then the delivery may be acknowledged. Holding it again changes nothing but the time. Errors: an *Invalid that names the field if
	// that is later than requests are kept for; a *Trouble with CodeNATSDown, after which it may be repeated.
	Hold(ctx context.Context, d Delivery, until time.Time) error
}

// DueFrom is when a request that was published then may be bought: not before not_before, and not within hold_for, in which it may be
// taken back. The zero time stands for at once.
func (r *Request) DueFrom(published time.Time) time.Time {
	due := r.NotBefore
	if grace := published.Add(r.HoldFor); r.HoldFor > 0 && grace.After(due) {
		due = grace
	}
	return due
}

// untimely says what keeps a request from ever being bought: its time ends before it has come.
func (r *Request) untimely(published time.Time) *Invalid {
	if r.Deadline.IsZero() || r.DueFrom(published).Before(r.Deadline) {
		return nil
	}
	if !r.NotBefore.Before(r.Deadline) {
		return &Invalid{RequestID: r.ID, Field: "deadline", Reason: "must be after not_before"}
	}
	return &Invalid{RequestID: r.ID, Field: "hold_for", Reason: "must end before the deadline"}
}

// early says until when a delivery has to wait; false if its time has come. One that was held is not asked for the time again: the
// broker's clock has decided.
func (r *Request) early(d *Delivery, now time.Time) (until time.Time, early bool) {
	until = r.DueFrom(d.Published)
	return until, !d.Due && now.Before(until)
}

// hold has a request kept that came before its time, and ends this delivery of it: it is neither in flight nor in anybody's way until
// then. A crash in between has it held once more, or handled here, while the one that was held comes too; the claims keep these from
// being two orders. A replay waits at the broker, since its request may be held already.
func (w *Worker) hold(ctx context.Context, d *Delivery, r *Request, until time.Time) {
	if w.Shelf == nil || d.Replay > 0 {
		_ = d.Receipt.Nak(ctx, min(max(time.Until(until), soon), maxDelay)) // if that is lost, it comes again after a while all the same
		return
	}
	err := w.persist(ctx, func() error { return w.Shelf.Hold(ctx, *d, until) })
	if invalid, never := errors.AsType[*Invalid](err); never {
		w.reject(ctx, d, invalid)
		return
	}
	if err == nil {
		err = d.Receipt.Ack(ctx)
	}
	if err != nil {
		w.postpone(ctx, d, AsTrouble(err))
		return
	}
	w.failures.forget(d.Subject)
	w.observe(Event{Stage: StageHeld, Tenant: d.Tenant, RequestID: r.ID, Attempt: d.Attempt, Reason: "until " + until.UTC().Format(time.RFC3339), Context: d.Context})
}
