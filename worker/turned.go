package worker

import "context"

// turnedDown ends an order that every account turned down which may pay for it: a claim without a key says so.
func (b *buyer) turnedDown(ctx context.Context, order Order, t *Trouble) (claim Claim, err error) {
	part := Part{State: ClaimRefused, Code: t.Code, Reason: t.Reason}
	switch {
	case b.request.Payer.Account != "":
		part.Reason += "; the request names its account"
	case b.request.DeliverTo.AddressID != "":
		part.Reason += "; its address_id is of that account's address book"
	}
	err = b.persist(ctx, func() error {
		claim, err = b.Undrawn.Refuse(ctx, b.drawing(order), part)
		return err
	})
	return claim, err
}
