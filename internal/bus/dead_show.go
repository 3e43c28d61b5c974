package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"autopurchase/worker"
)

// ShowDead names a dead letter.
type ShowDead struct {
	Sequence uint64 `json:"sequence"`
}

func (s ShowDead) checked() (ShowDead, *worker.Invalid) {
	if s.Sequence == 0 {
		return s, &worker.Invalid{Field: "sequence", Reason: "must be a dead letter's, from 1"}
	}
	return s, nil
}

// ShownDead is a dead letter and what became of its request. The request's body is not shown: it holds a buyer's data.
type ShownDead struct {
	worker.Dead
	Bytes       int            `json:"bytes,omitempty"`       // of the stored request; left out when it is no longer on record
	PublishedAt time.Time      `json:"published_at,omitzero"` // when it was stored
	Outcome     worker.Outcome `json:"outcome,omitempty"`     // of the request's result on record
	Replay      string         `json:"replay"`                // what a replay would do: "possible", "already_replayed", or why it cannot be
}

// replayPossible is what ShownDead says of a letter that a replay would hand out again.
const replayPossible = "possible"

func (b *Bus) showDead(ctx context.Context, ask ShowDead) (ShownDead, error) {
	letter, err := b.letter(ctx, ask.Sequence)
	shown := ShownDead{Dead: letter, Replay: replayPossible}
	if err != nil {
		return shown, err
	}
	stored, err := b.message(ctx, StreamRequests, letter.Stored)
	if err != nil {
		return shown, natsDown("read a request", err)
	}
	if stored != nil {
		shown.Bytes, shown.PublishedAt = len(stored.Data), stored.Time
	}
	if letter.Tenant != "" && letter.RequestID != "" {
		result, _, err := b.Result(ctx, letter.Tenant, letter.RequestID)
		if err != nil {
			return shown, natsDown("read a result", err)
		}
		shown.Outcome = result.Outcome
	}
	r, err := b.replayOf(ctx, letter)
	invalid, not := errors.AsType[*worker.Invalid](err)
	switch {
	case not:
		shown.Replay = invalid.Reason
	case err != nil:
		return shown, err
	case r.done:
		shown.Replay = string(AlreadyReplayed)
	}
	return shown, nil
}

// DroppedDead says what became of a letter that was to be removed.
type DroppedDead struct {
	Sequence uint64 `json:"sequence"`
	Dropped  bool   `json:"dropped"` // now; false if it was gone before
	Reason   string `json:"reason"`
}

// dropDead removes a letter. Who did it and why is on record before. A letter that is gone is left at that.
func (b *Bus) dropDead(ctx context.Context, ask ChangeDead) (DroppedDead, error) {
	msg, err := b.message(ctx, StreamDead, ask.Sequence)
	switch {
	case err != nil:
		return DroppedDead{}, natsDown("read a dead letter", err)
	case msg == nil:
		return DroppedDead{Sequence: ask.Sequence, Reason: "there is no such letter any more"}, nil
	}
	letter := readDead(*msg)
	answer := DroppedDead{Sequence: ask.Sequence, Dropped: true, Reason: string(letter.Code) + ": " + letter.Reason}
	if ask.DryRun {
		return answer, nil
	}
	text := fmt.Sprintf("dead letter %d was dropped (%s)", letter.Sequence, letter.Code)
	if err := b.Keep(ctx, worker.Deed{What: worker.DeedDropped, Tenant: letter.Tenant, RequestID: letter.RequestID, Letter: letter.Sequence,
		Text: text, By: ask.By, Why: ask.Why, At: time.Now().UTC()}); err != nil {
		return answer, err
	}
	stream, err := b.stream(ctx, StreamDead)
	if err != nil {
		return answer, natsDown("remove a dead letter", err)
	}
	return answer, persist(ctx, "remove a dead letter", func(ctx context.Context) error {
		err := stream.DeleteMsg(ctx, ask.Sequence)
		if still, _ := b.message(ctx, StreamDead, ask.Sequence); still == nil {
			return nil // somebody else was faster
		}
		return err
	})
}
