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
func (b *buyer) sendAgain(ctx context.Context, claim Claim, order Order) (Claim, error) {
	if !wait(ctx, b.config.RetryEvery) {
		return Claim{}, context.Cause(ctx)
	}
	answer := b.found(ctx, claim, order)
	switch answer.Verdict {
	case Placed:
		return b.decide(ctx, claim, order, answer)
	case Absent:
		return Claim{}, b.release(ctx, claim)
	}
	return Claim{}, unanswered(0)
}

// release makes the claim drawn again, if this delivery still owns it. The next delivery draws it and sends the order: both
// steps are fenced by their own owner, so that a repeat of this one that comes late cannot undo that one.
func (b *buyer) release(ctx context.Context, claim Claim) error {
	if err := b.persist(ctx, func() error { return b.Ledger.Unsend(ctx, claim, CodeAbsent) }); err != nil {
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
	placing, cancel := context.WithCancel(ctx)
	if time.Since(drawing) >= b.config.LookFor {
		cancel()
	}
	return placing, cancel
}
