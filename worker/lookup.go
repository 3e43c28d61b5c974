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
func (o *deal) lookUp(ctx context.Context) error {
	sending := o.sending()
	err := o.lookUpOnce(ctx, o.unanswered.read(sending))
	if err == nil {
		o.unanswered.stop(sending)
	}
	return err
}

// lookUpOnce looks up an order that this process has known to be unanswered for so long. The window has ended when one of two
// clocks says so, since the ledger's may be set back. But where the order may be sent again only this process's own counts, which
// never jumps.
func (o *deal) lookUpOnce(ctx context.Context, known time.Duration) error {
	since, again := max(o.sinceSent(), known), o.config.OnAbsent == Resend && o.Claim.Resent == 0
	if again {
		since = known
	}
	answer, late := o.found(ctx), since >= o.config.LookFor
	switch {
	case answer.Verdict == Placed && (late || len(answer.Failed) == 0):
		return o.decide(ctx, answer)
	case answer.Verdict == Absent && late && again:
		return o.sendAgain(ctx)
	case answer.Verdict == Absent && late:
		return o.settle(ctx, new(absent()), Size{})
	}
	return unanswered(since)
}

func unanswered(since time.Duration) error {
	return &Trouble{Code: CodeNoAnswer, Reason: "sent, no answer yet: looking it up", After: max(since/2, soon)}
}

// sending names this sending of the order.
func (o *deal) sending() string {
	return fmt.Sprintf("%s@%d", o.Claim.Reference, o.Claim.SentAt.UnixMilli())
}

// found looks the order up with the keys that its claim is on. It is absent if all of them say so.
func (o *deal) found(ctx context.Context) *Answer {
	s := searched(ctx, o.Market, o.Claim.Keys(), o.order())
	if len(s.on) == 0 && len(s.mute) > 0 {
		return &Answer{Verdict: Unknown}
	}
	return &s.answer
}

func absent() Part {
	return Part{State: ClaimUnknown, Code: CodeAbsent, Reason: "sent without an answer, and not found until the look-up window ended"}
}

// sinceSent is how long ago the order was sent, by the ledger's clock.
func (o *deal) sinceSent() time.Duration { return o.Claim.Now.Sub(o.Claim.SentAt) }
