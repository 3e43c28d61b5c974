package worker

import "context"

// turnedDown ends an order that every account turned down which may pay for it: a claim without a key says so.
func (o *deal) turnedDown(ctx context.Context, t *Trouble) error {
	part := Part{State: ClaimRefused, Code: t.Code, Reason: t.Reason}
	switch {
	case o.request.Payer.Account != "":
		part.Reason += "; the request names its account"
	case o.request.DeliverTo.AddressID != "":
		part.Reason += "; its address_id is of that account's address book"
	}
	return o.persist(ctx, func() (err error) {
		o.Claim, err = o.Undrawn.Refuse(ctx, o.drawing(o.order()), part)
		return err
	})
}
