package worker

import (
	"context"
	"slices"
	"strings"
)

// learn remembers a seller that turned the order away because the account is no business: this order is refused, and the next one
// for its goods goes to a business key.
func (b *buyer) learn(ctx context.Context, order Order, answer Answer) {
	says := func(text string) bool { return strings.Contains(answer.Reason, text) }
	if answer.Verdict != Refused || b.Rules == nil || !slices.ContainsFunc(b.config.BusinessRefusals, says) {
		return
	}
	err := b.persist(ctx, func() error { return b.Rules.Learn(ctx, b.request.Pool, sellerOf(order), answer.Reason) })
	if err != nil {
		b.observe(Event{Stage: StageFailed, Tenant: b.request.Tenant, RequestID: b.request.ID, Reference: order.Reference,
			Code: AsTrouble(err).Code, Reason: "what the seller asks for could not be remembered", Err: err})
	}
}
