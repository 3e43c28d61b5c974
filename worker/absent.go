package worker

import (
	"context"
	"time"
)

// OnAbsent says what becomes of an order that was sent without an answer and is surely absent: the look-up worked until its
// window had ended and found nothing.
type OnAbsent string

// The policies.
const (
	// Park ends it as unknown, keeps its quota and leaves the decision to a person.
	Park OnAbsent = "park"
	// Resend sends it again, once, with the same claim and reference, after a second look-up behind the window found nothing
	// either. The first order cannot be under way any more, since it had to leave within the first half of the window; but
	// how late the platform may list a new order is not known. If it can be later than the window, two orders exist then.
	Resend OnAbsent = "resend"
)

// sendAgain makes an order that is surely absent be sent again, once at most: what gets lost twice is no accident.
func (o *deal) sendAgain(ctx context.Context) error {
	if !wait(ctx, o.config.RetryEvery) {
		return context.Cause(ctx)
	}
	answer := o.found(ctx)
	switch answer.Verdict {
	case Placed:
		return o.decide(ctx, answer)
	case Absent:
		return o.release(ctx)
	}
	return unanswered(0)
}

// release makes the claim drawn again, if this delivery still owns it. The next delivery draws it and sends the order: both
// steps are fenced by their own owner, so that a repeat of this one that comes late cannot undo that one.
func (o *deal) release(ctx context.Context) error {
	if err := o.persist(ctx, func() error { return o.Ledger.Unsend(ctx, &o.Claim, CodeAbsent) }); err != nil {
		return err
	}
	return &Trouble{Code: CodeNoAnswer, Reason: "sent without an answer, and surely absent: it is sent again", After: soon}
}

// placing bounds how late an order may leave: it ends where others may have taken the order for absent meanwhile, so that a
// worker that was frozen since the draw does not send what a person has decided about. Where it may be sent again, it ends
// with the first half of the look-up window, and a relay that was frozen does not send it any more either.
func (b *buyer) placing(ctx context.Context, drawing time.Time) (context.Context, context.CancelFunc) {
	if b.config.OnAbsent == Resend {
		return context.WithDeadline(ctx, drawing.Add(b.config.LookFor/2))
	}
	if time.Since(drawing) < b.config.LookFor {
		return ctx, func() {}
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	return over, cancel
}
