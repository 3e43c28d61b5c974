package worker

import "context"

// decide ends the claim with a definite answer.
func (o *deal) decide(ctx context.Context, answer *Answer) error {
	part, size := Decide(o.order(), answer)
	return o.settle(ctx, &part, size)
}

// settle ends the claim, which is then as it stands.
func (o *deal) settle(ctx context.Context, part *Part, size Size) error {
	err := o.persist(ctx, func() error { return o.Ledger.Settle(ctx, &o.Claim, part, size) })
	if err != nil && AsTrouble(err).Code == CodeLost {
		err = o.settleLost(ctx, part, size)
	}
	switch {
	case err == nil && part.State != ClaimUnknown && differs(&o.Claim.Part, part):
		o.contradict(ctx, part, &o.Claim.Part)
	case err != nil && AsTrouble(err).Code == CodeFenced && len(part.Orders) > 0:
		o.contradict(ctx, part, &Part{}) // a later delivery is about to send it again
	}
	return err
}

// contradict tells people that an answer contradicts the outcome that stands, and puts it on record.
func (o *deal) contradict(ctx context.Context, late, stands *Part) {
	reason := contradiction(o.Claim.Reference, late.Orders, *stands)
	o.observe(Event{Stage: StageDiffers, Tenant: o.request.Tenant, RequestID: o.request.ID, Reference: o.Claim.Reference,
		AppKey: o.Claim.AppKey, Attempt: o.delivery.Attempt, Code: late.Code, Reason: reason, Context: o.delivery.Context})
	letter := o.delivery.letter(o.request.ID, CodeNoAnswer, reason)
	if err := o.persist(ctx, func() error { return o.Outbox.Bury(ctx, letter) }); err != nil {
		o.observe(Event{Stage: StageFailed, Tenant: o.request.Tenant, RequestID: o.request.ID, Reference: o.Claim.Reference,
			Code: AsTrouble(err).Code, Reason: "its dead letter could not be stored", Err: err, Context: o.delivery.Context})
	}
}

// differs says whether the outcome that stands contradicts the one that came later.
func differs(stands, late *Part) bool {
	if stands.State != late.State || len(stands.Orders) != len(late.Orders) {
		return true
	}
	for i := range stands.Orders {
		if stands.Orders[i].ID != late.Orders[i].ID {
			return true
		}
	}
	return false
}
