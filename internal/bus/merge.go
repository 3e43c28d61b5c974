package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// Marked gives the mark of a request; see worker.Marks.
func (b *Bus) Marked(ctx context.Context, tenant, id string) (mark worker.Mark, found bool, err error) {
	err = persist(ctx, "read a mark", func(ctx context.Context) error {
		mark, found, err = b.readMark(ctx, mergeSubject(tenant, worker.EncodeRef(id)))
		return err
	})
	return mark, found, err
}

func (b *Bus) readMark(ctx context.Context, subject string) (mark worker.Mark, found bool, err error) {
	msg, err := b.last(ctx, StreamMerge, subject)
	if msg == nil || err != nil {
		return mark, false, err
	}
	if err := json.Unmarshal(msg.Data, &mark); err != nil {
		return mark, false, &worker.Trouble{Code: worker.CodeInternal, Reason: "the mark at " + subject + " cannot be read", Err: err}
	}
	return mark, true, nil
}

// Mark puts a mark on a request unless it has one; see worker.Marks. The broker itself refuses a second one.
func (b *Bus) Mark(ctx context.Context, tenant, id string, mark worker.Mark) (stands worker.Mark, err error) {
	subject := mergeSubject(tenant, worker.EncodeRef(id))
	body, err := json.Marshal(mark)
	if err != nil {
		return stands, err
	}
	err = persist(ctx, "mark a request", func(ctx context.Context) error {
		_, err := b.js.PublishMsg(ctx, message(subject, body), jetstream.WithExpectStream(StreamMerge), jetstream.WithExpectLastSequencePerSubject(0))
		if err == nil {
			stands = mark
			return nil
		}
		if !wrongLast(err) && !isCode(err, codeStreamFull) {
			return err
		}
		var found bool
		if stands, found, err = b.readMark(ctx, subject); err == nil && !found {
			err = errFaster // it aged away in this moment, or the stream is full
		}
		return err
	})
	return stands, err
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
