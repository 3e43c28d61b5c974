package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// waitingFor says in one sentence what a request waits for.
func (b *Biographer) waitingFor(ctx context.Context, bio *biography) string {
	switch {
	case bio.result != nil && bio.result.Outcome == OutcomeUnknown && bio.result.MergedInto != "":
		return "a person, who decides about " + bio.result.MergedInto + ", which it is part of"
	case bio.result != nil && bio.result.Outcome == OutcomeUnknown:
		return "a person: it is parked, since nobody knows whether its order exists"
	case bio.result != nil && len(bio.unpaid) > 0:
		return "a person: the " + bio.unpaid[0].told()
	case bio.result != nil:
		return "nobody: it ended"
	case bio.request == nil:
		return "nobody: the request itself is not on record any more"
	case bio.fault != nil:
		return "a worker, which will refuse it: " + bio.fault.Error()
	case bio.redis != nil:
		return "Redis, which does not say how far its orders are"
	}
	if claim, sent := bio.sent(); sent {
		if bio.now.Sub(claim.SentAt) < b.CallTimeout {
			return "the answer to order " + claim.Reference + ", which was sent"
		}
		return "the look-up of an unanswered order: " + claim.Reference
	}
	if at := slices.IndexFunc(bio.claims, Claim.partOfOther); at >= 0 {
		return "the result of a request that it is bought with: it " + bio.claims[at].Part.Reason
	}
	next := slices.IndexFunc(bio.claims, func(c Claim) bool { return c.State == "" || c.State == ClaimDrawn })
	if next < 0 {
		return "its result, which is being published"
	}
	if due := bio.request.DueFrom(bio.AskedAt); bio.now.Before(due) {
		return "its time: it is held until " + due.UTC().Format(time.RFC3339) + ", and can be taken back until then"
	}
	return b.obstacle(ctx, *bio.request, next)
}

// sent gives an order of which an answer is due.
func (bio *biography) sent() (Claim, bool) {
	for _, claim := range bio.claims {
		if claim.State == ClaimSent {
			return claim, true
		}
	}
	return Claim{}, false
}

// obstacle says why the request's next order was not sent yet.
func (b *Biographer) obstacle(ctx context.Context, r Request, next int) string {
	if _, err := b.Stock.Left(ctx, r.Pool); err != nil && AsTrouble(err).Code == CodeNoPool {
		return "a key: pool " + r.Pool + " has none"
	}
	size := SizeOf(Split(&r)[next].Order.Lines)
	if room, err := b.Stock.Room(ctx, r.Pool, r.Payer); err == nil && !size.Fits(room) {
		return fmt.Sprintf("room: no key has room in pool %s for %s", r.Pool, count(size.Lines, "line", "lines"))
	}
	var reasons []string
	for _, pause := range b.Vitals().Pauses {
		if pause.Pool == "" || pause.Pool == r.Pool {
			reasons = append(reasons, pause.Reason)
		}
	}
	if len(reasons) > 0 {
		return "the workers, which stand still: " + strings.Join(reasons, "; ")
	}
	if r.Merge {
		return "a worker to take it, others that it may be bought with, or its next try"
	}
	return "a worker to take it, or its next try"
}
