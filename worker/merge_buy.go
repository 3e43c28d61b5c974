package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// errMerged ends the handling of a request that is bought with others, by another request.
var errMerged = errors.New("it is bought as part of another request")

// together sees to a request that may be bought together with others: errMerged once the request that buys it is on record, nil if it
// is to be bought alone. Whoever handles it, and however often, comes to the same: each step writes once what was not written yet.
//
//	mark each of them ─► end each in the ledger ─► mark the merged request with who is in it ─► ask for that ─► acknowledge
//
// Until it is marked nothing is decided; from then on everybody who is handed one of them takes the same steps.
func (b *buyer) together(ctx context.Context) error {
	if !b.request.Merge {
		return nil
	}
	mark, found, err := b.markOf(ctx, b.request.ID)
	if err != nil {
		return err
	}
	if found {
		return b.again(ctx, mark)
	}
	batch, first := b.basket.enter(b.request)
	if batch == nil {
		mark, err = b.mark(ctx, b.request, b.request.alone())
		if err == nil {
			_, err = b.follow(ctx, mark)
		}
		return err
	}
	if err := b.gather(ctx, batch, first); err != nil {
		return err
	}
	if first {
		return b.lead(ctx, batch)
	}
	return b.trail(ctx, batch)
}

// again handles a request that has its mark already. One that has its result too is not asked for any more, whatever has become of the
// records of the others.
func (b *buyer) again(ctx context.Context, mark Mark) error {
	if mark.Into != "" && mark.Fingerprint == b.fingerprint {
		if err := b.undecided(ctx); err != nil {
			return err
		}
	}
	_, err := b.follow(ctx, mark)
	return err
}

// lead takes the steps for the whole batch.
func (b *buyer) lead(ctx context.Context, batch *batch) error {
	defer close(batch.settled)
	mark, err := b.plan(ctx, batch.members)
	if err != nil {
		return err
	}
	members, err := b.follow(ctx, mark)
	if errors.Is(err, errMerged) {
		batch.into, batch.asked = mark.Into, members
	}
	return err
}

// trail is for those behind the first of a batch, which is through with it: they take the steps themselves if it did not come to their end.
func (b *buyer) trail(ctx context.Context, batch *batch) error {
	mark, err := b.mark(ctx, b.request, b.request.alone()) // unless it has one
	if err == nil && mark.Into != "" && mark.Into == batch.into && mark.Fingerprint == b.fingerprint && slices.Contains(batch.asked, b.request.ID) {
		return errMerged
	}
	if err == nil {
		_, err = b.follow(ctx, mark)
	}
	return err
}

// follow does what the request's mark says, and gives who it is bought with.
func (b *buyer) follow(ctx context.Context, mark Mark) ([]string, error) {
	switch {
	case mark.Fingerprint != b.fingerprint:
		return nil, &Trouble{Code: CodeConflict, Reason: "its id is marked for another request"}
	case mark.Into == "":
		return nil, nil
	}
	members, err := b.compose(ctx, mark)
	if err != nil || !slices.Contains(members, b.request.ID) {
		return nil, err
	}
	if err := b.askMerged(ctx, mark.Into, members); err != nil {
		return nil, err
	}
	return members, errMerged
}

// joined ends a request at the broker that is bought with others.
func (w *Worker) joined(ctx context.Context, d Delivery) {
	if err := d.Receipt.Ack(ctx); err != nil {
		w.postpone(ctx, d, AsTrouble(err))
		return
	}
	w.failures.forget(d.Subject)
	w.finished.Add(1)
	id, _ := DecodeRef(d.Ref) // it was admitted
	w.observe(Event{Stage: StageMerged, Tenant: d.Tenant, RequestID: id, Attempt: d.Attempt, Context: d.Context})
}

// strayed is the result of a request that is to be bought alone, while the ledger has it as bought with others: the broker has lost
// what was on record about that, and so nobody knows whether it was.
func (b *buyer) strayed() Result {
	part := b.ended[0].Claim.Part
	return Result{Tenant: b.request.Tenant, RequestID: b.request.ID, Outcome: OutcomeUnknown, Code: CodeLost, Attempt: b.delivery.Attempt, DecidedAt: part.At,
		Reason: "the ledger says that it " + part.Reason + ", of which the broker has lost the record: see at 1688 whether that order exists"}
}

// markOf gives the mark of a request of the same tenant.
func (b *buyer) markOf(ctx context.Context, id string) (mark Mark, found bool, err error) {
	err = b.persist(ctx, func() error {
		mark, found, err = b.Merges.Marked(ctx, b.request.Tenant, id)
		return err
	})
	return mark, found, err
}

// gather waits until nobody joins the batch any more: the window is over, it is full, or the worker was told to stop. Those behind the
// first wait until that one is through with it, and take no place at work meanwhile: it needs one.
func (b *buyer) gather(ctx context.Context, batch *batch, first bool) error {
	defer b.basket.leave()
	b.stepAside()
	select {
	case <-batch.closed:
	case <-b.lobby.over:
		b.basket.close(batch)
	case <-ctx.Done():
		b.basket.close(batch)
	}
	if !first {
		select {
		case <-batch.settled:
		case <-ctx.Done():
		}
	}
	if b.comeBack(ctx) {
		return nil
	}
	if first {
		close(batch.settled) // each for itself
	}
	return &Trouble{Code: CodeFenced, Reason: "told to stop", Err: context.Cause(ctx)}
}

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
		return b.mark(ctx, b.request, b.request.alone())
	}
	whole := slices.SortedFunc(slices.Values(fit), func(x, y Request) int { return strings.Compare(x.ID, y.ID) })
	mark := Mark{Into: mergedID(whole)}
	for _, m := range whole {
		mark.Members = append(mark.Members, m.ID)
	}
	for _, m := range fit[1:] {
		mark.Fingerprint = Fingerprint(m)
		if _, err := b.mark(ctx, m, mark); err != nil {
			return mark, err
		}
	}
	mark.Fingerprint = b.fingerprint
	return b.mark(ctx, b.request, mark)
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
	mark.Fingerprint = Fingerprint(asked.Request)
	stands, err := b.mark(ctx, asked.Request, mark)
	if err != nil || stands.Into != mark.Into || stands.Fingerprint != mark.Fingerprint {
		return false, err
	}
	order := Split(asked.Request)[0].Order
	var claim Claim
	err = b.persist(ctx, func() (err error) {
		claim, err = b.Undrawn.Refuse(ctx, Draw{
			Pool: asked.Pool, Payer: asked.Payer, Seller: sellerOf(order), Reference: order.Reference, Fingerprint: mark.Fingerprint,
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
		if !found || mark.Into != into || mark.Fingerprint != Fingerprint(asked.Request) {
			return nil, &Trouble{Code: CodeInternal, Reason: "request " + id + ", which " + partOf + into + ", is not on record any more"}
		}
		members = append(members, asked.Request)
	}
	return members, nil
}
