package worker

import (
	"context"
	"slices"
	"strings"
)

// plan marks all that are to be bought together, and gives the mark of the first. It leaves out those that would make the order larger
// than what a key can take.
func (b *buyer) plan(ctx context.Context, members []Request) (Mark, error) {
	room, err := b.Stock.Room(ctx, b.request.Pool, b.request.Payer)
	fit := members[:1]
	for _, m := range members[1:] {
		if err == nil && SizeOf(merged("", append(slices.Clip(fit), m)).Lines).Fits(room) {
			fit = append(slices.Clip(fit), m)
		}
	}
	if len(fit) == 1 {
		return b.mark(ctx, *b.request, b.request.alone())
	}
	whole := slices.SortedFunc(slices.Values(fit), func(x, y Request) int { return strings.Compare(x.ID, y.ID) })
	mark := Mark{Into: mergedID(whole)}
	for _, m := range whole {
		mark.Members = append(mark.Members, m.ID)
	}
	for _, m := range fit[1:] {
		mark.Fingerprint = Fingerprint(&m)
		if _, err := b.mark(ctx, m, mark); err != nil {
			return mark, err
		}
	}
	mark.Fingerprint = b.fingerprint
	return b.mark(ctx, *b.request, mark)
}

// markOf gives the mark of a request of the same tenant.
func (b *buyer) markOf(ctx context.Context, id string) (mark Mark, found bool, err error) {
	err = b.persist(ctx, func() error {
		mark, found, err = b.Merges.Marked(ctx, b.request.Tenant, id)
		return err
	})
	return mark, found, err
}

func (b *buyer) mark(ctx context.Context, r Request, mark Mark) (stands Mark, err error) {
	err = b.persist(ctx, func() error {
		stands, err = b.Merges.Mark(ctx, r.Tenant, r.ID, mark)
		return err
	})
	return stands, err
}

// compose says who is bought with the request that the mark names, and writes it down. Who was to be and is not marked yet is marked
// now; who is marked otherwise, or whose order has ended otherwise, is left out.
func (b *buyer) compose(ctx context.Context, mark Mark) ([]string, error) {
	whole, found, err := b.markOf(ctx, mark.Into)
	if err != nil || found {
		return whole.Members, err
	}
	for _, id := range mark.Members {
		asked, found, err := b.Merges.Asked(ctx, b.request.Tenant, id)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		in, err := b.joins(ctx, asked, mark)
		if err != nil {
			return nil, err
		}
		if in {
			whole.Members = append(whole.Members, id)
		}
	}
	stands, err := b.mark(ctx, Request{Tenant: b.request.Tenant, ID: mark.Into}, whole)
	return stands.Members, err
}

// joins marks a request as one of those, and ends its order in the ledger, so that it is bought neither alone nor in another company
// as long as the broker or the ledger knows of it.
func (b *buyer) joins(ctx context.Context, asked Asked, mark Mark) (bool, error) {
	mark.Fingerprint = Fingerprint(&asked.Request)
	stands, err := b.mark(ctx, asked.Request, mark)
	if err != nil || stands.Into != mark.Into || stands.Fingerprint != mark.Fingerprint {
		return false, err
	}
	order := Split(&asked.Request)[0].Order
	var claim Claim
	err = b.persist(ctx, func() (err error) {
		claim, err = b.Undrawn.Refuse(ctx, Draw{
			Pool: asked.Pool, Payer: asked.Payer, Seller: sellerOf(&order), Reference: order.Reference, Fingerprint: mark.Fingerprint,
			Size: SizeOf(order.Lines), Owner: b.owner, Attempt: b.delivery.Attempt, Published: asked.Published,
		}, Part{State: ClaimCancelled, Code: CodeCancelled, Reason: partOf + mark.Into})
		return err
	})
	if otherwise(err) {
		return false, nil
	}
	return claim.partOfOther() && claim.Part.Reason == partOf+mark.Into, err
}

// otherwise says whether the ledger has an order in somebody else's hands, or another request's under its reference.
func otherwise(err error) bool {
	return err != nil && slices.Contains([]Code{CodeConflict, CodeFenced}, AsTrouble(err).Code)
}

// askMerged asks for what buys them.
func (b *buyer) askMerged(ctx context.Context, id string, members []string) error {
	requests, err := membersOf(ctx, b.Merges, b.request.Tenant, id, members)
	if err != nil {
		return err
	}
	return b.persist(ctx, func() error { return b.Merges.AskMerged(ctx, merged(id, requests)) })
}

// membersOf gives the requests that are bought together, as they were asked for.
func membersOf(ctx context.Context, merges Merges, tenant, into string, ids []string) (members []Request, err error) {
	for _, id := range ids {
		asked, found, err := merges.Asked(ctx, tenant, id)
		if err != nil {
			return nil, err
		}
		mark, _, err := merges.Marked(ctx, tenant, id)
		if err != nil {
			return nil, err
		}
		if !found || mark.Into != into || mark.Fingerprint != Fingerprint(&asked.Request) {
			return nil, &Trouble{Code: CodeInternal, Reason: "request " + id + ", which " + partOf + into + ", is not on record any more"}
		}
		members = append(members, asked.Request)
	}
	return members, nil
}
