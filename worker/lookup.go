package worker

import (
	"context"
	"fmt"
	"time"
)

// lookUp finds out what became of an order that was sent and not answered. It is never sent again: it is looked up by its
// reference with the key that sent it, with growing delays, until it is found or until the look-up still works and finds
// nothing when the window has ended. Then OnAbsent says what happens: as a rule it is parked for a person, and its quota stays
// held. The same goes for an order of which some lines are found: 1688 may have split it, and show the others later.
func (b *buyer) lookUp(ctx context.Context, claim Claim, order Order) (Claim, error) {
	known := b.unanswered.read(sending(claim))
	ended, err := b.lookUpOnce(ctx, claim, order, known)
	if err == nil {
		b.unanswered.stop(sending(claim))
	}
	return ended, err
}

// lookUpOnce looks up an order that this process has known to be unanswered for so long. The window has ended when one of two
// clocks says so, since the ledger's may be set back. But where the order may be sent again only this process's own counts, which
// never jumps.
func (b *buyer) lookUpOnce(ctx context.Context, claim Claim, order Order, known time.Duration) (Claim, error) {
	since, again := max(sinceSent(claim), known), b.config.OnAbsent == Resend && claim.Resent == 0
	if again {
		since = known
	}
	answer, late := b.found(ctx, claim, order), since >= b.config.LookFor
	switch {
	case answer.Verdict == Placed && (late || len(answer.Failed) == 0):
		return b.decide(ctx, claim, order, answer)
	case answer.Verdict == Absent && late && again:
		return b.sendAgain(ctx, claim, order)
	case answer.Verdict == Absent && late:
		return b.settle(ctx, claim, absent(), Size{})
	}
	return Claim{}, unanswered(since)
}

func unanswered(since time.Duration) error {
	return &Trouble{Code: CodeNoAnswer, Reason: "sent, no answer yet: looking it up", After: max(since/2, soon)}
}

// sending names one sending of an order.
func sending(claim Claim) string {
	return fmt.Sprintf("%s@%d", claim.Reference, claim.SentAt.UnixMilli())
}

// found looks an order up with the keys that its claim is on. It is absent if all of them say so.
func (b *buyer) found(ctx context.Context, claim Claim, order Order) Answer {
	s := searched(ctx, b.Market, claim.Keys(), order)
	if len(s.on) == 0 && len(s.mute) > 0 {
		return Answer{Verdict: Unknown}
	}
	return s.answer
}

func absent() Part {
	return Part{State: ClaimUnknown, Code: CodeAbsent, Reason: "sent without an answer, and not found until the look-up window ended"}
}

// sinceSent is how long ago the claim's order was sent, by the ledger's clock.
func sinceSent(claim Claim) time.Duration { return claim.Now.Sub(claim.SentAt) }
