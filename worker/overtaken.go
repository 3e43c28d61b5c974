package worker

import "context"

// publish ends the request with its result. If others have parked it meanwhile, because the ledger had lost what this delivery
// settled before, the ledger is told again first.
func (b *buyer) publish(ctx context.Context, result *Result) (*Result, error) {
	err := b.Worker.publish(ctx, b.delivery, *result)
	if err == nil || result.Aside || AsTrouble(err).Code != CodeFenced {
		return result, err
	}
	if result, err = b.settleAgain(ctx); err != nil {
		return result, err
	}
	return result, b.Worker.publish(ctx, b.delivery, *result)
}

// settleAgain settles all orders once more and gathers what stands then. A fact takes the place of an unknown outcome, and where
// another fact stands that one is told.
func (b *buyer) settleAgain(ctx context.Context) (*Result, error) {
	for _, e := range b.ended {
		if e.Claim.AppKey == "" {
			continue // no claim was ever made
		}
		o := &deal{buyer: b, Ended: *e}
		if err := o.settle(ctx, &e.Claim.Part, e.Claim.size()); err != nil {
			return &Result{Tenant: b.request.Tenant, RequestID: b.request.ID}, err
		}
		e.Claim = o.Claim
	}
	result := Gather(b.request, b.ended)
	result.Resolves = true
	return &result, nil
}
