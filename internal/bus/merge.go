package bus

import (
	"context"
	"errors"
	"fmt"

	"autopurchase/schemas"
	"autopurchase/worker"
)

func (b *Bus) marks() once[worker.Mark] { return once[worker.Mark]{b, StreamMerge, "a mark"} }

// Marked gives the mark of a request; see worker.Marks.
func (b *Bus) Marked(ctx context.Context, tenant, id string) (mark worker.Mark, found bool, err error) {
	return b.marks().read(ctx, mergeSubject(tenant, worker.EncodeRef(id)))
}

// Mark puts a mark on a request unless it has one; see worker.Marks.
func (b *Bus) Mark(ctx context.Context, tenant, id string, mark worker.Mark) (stands worker.Mark, err error) {
	return b.marks().write(ctx, mergeSubject(tenant, worker.EncodeRef(id)), mark)
}

// AskMerged stores a request that was made of others; see worker.Merges.
func (b *Bus) AskMerged(ctx context.Context, request worker.Request) error {
	msg, err := b.submission(request.Tenant, request.ID, request.Priority, schemas.AppendRequest(nil, request))
	if err != nil {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "merged request cannot be published", Err: err}
	}
	receipt, err := b.submit(ctx, msg)
	switch {
	case errors.Is(err, ErrForbidden):
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "merged request cannot be published", Err: err}
	case err != nil:
		return natsDown("ask for a merged request", err)
	case receipt.Fate == Conflict:
		return &worker.Trouble{Code: worker.CodeInternal, Reason: fmt.Sprintf("another request is stored as %s, sequence %d", msg.Subject, receipt.Sequence)}
	}
	return nil
}

// joined says whether a request is bought as part of another one: then that is under way, or will be, and it is not.
func (h *History) joined(ctx context.Context, r worker.Request) (bool, error) {
	if !r.Merge {
		return false, nil
	}
	mark, _, err := h.bus.Marked(ctx, r.Tenant, r.ID)
	return mark.Into != "", err
}

var _ worker.Merges = (*Bus)(nil)
