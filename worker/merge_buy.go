package worker

import (
	"context"
	"errors"
	"slices"
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
	batch, first := b.basket.enter(*b.request)
	if batch == nil {
		mark, err = b.mark(ctx, *b.request, b.request.alone())
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
	mark, err := b.mark(ctx, *b.request, b.request.alone()) // unless it has one
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
func (w *Worker) joined(ctx context.Context, d *Delivery) {
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
