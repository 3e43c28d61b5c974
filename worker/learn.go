package worker

import (
	"context"
	"slices"
	"strings"
)

// understood reads out of the words of a definite no what 1688 or the seller has against the account, as far as the settings know
// such words. An answer that leaves it open whether an order exists stays as it is.
func (b *buyer) understood(ctx context.Context, order *Order, answer *Answer) {
	if answer.Verdict != Refused && answer.Verdict != NotAttempted {
		return
	}
	says := func(text string) bool { return strings.Contains(answer.Reason, text) }
	switch {
	case slices.ContainsFunc(b.config.RiskRefusals, says):
		answer.Code = CodeRiskControl
	case slices.ContainsFunc(b.config.BusinessRefusals, says):
		answer.Code = CodeBusinessOnly
	}
	if answer.next() == RouteBusiness {
		b.learn(ctx, order, answer)
	}
}

// learn remembers a seller that turned an order away because the account is no business: those that come for its goods go to a
// business key at once.
func (b *buyer) learn(ctx context.Context, order *Order, answer *Answer) {
	if b.Rules == nil {
		return
	}
	err := b.persist(ctx, func() error { return b.Rules.Learn(ctx, b.request.Pool, sellerOf(order), answer.Reason) })
	if err != nil {
		b.observe(Event{Stage: StageFailed, Tenant: b.request.Tenant, RequestID: b.request.ID, Reference: order.Reference,
			Code: AsTrouble(err).Code, Reason: "what the seller asks for could not be remembered", Err: err})
	}
}
