package bus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// What may be asked about dead letters. A letter is named by its sequence in its stream.
var (
	DeadList   = Verb[ListDead, DeadLetters]{subject: SubjectDeadList, request: "dead-list", reply: "dead-letters"}
	DeadShow   = Verb[ShowDead, ShownDead]{subject: SubjectDeadShow, request: "dead-show", reply: "dead-shown"}
	DeadReplay = Verb[ChangeDead, ReplayedDead]{subject: SubjectDeadReplay, request: "dead-change", reply: "dead-replayed"}
	DeadDrop   = Verb[ChangeDead, DroppedDead]{subject: SubjectDeadDrop, request: "dead-change", reply: "dead-dropped"}
)

// deadEndpoints answer them. Only the broker is needed for that.
func deadEndpoints(b *Bus) []Endpoint {
	return []Endpoint{DeadList.Answer(b.listDead), DeadShow.Answer(b.showDead), DeadReplay.Answer(b.replayDead), DeadDrop.Answer(b.dropDead)}
}

const (
	// MaxDead is how many letters are listed at once.
	MaxDead = 500
	// maxDeadRead is how many are read for that: who asks for more of a rare kind goes on from there.
	maxDeadRead = 20_000
	deadBatch   = 256
)

// ListDead picks dead letters, the oldest first. What is left out does not restrict.
type ListDead struct {
	Tenant string        `json:"tenant,omitempty"`
	Codes  []worker.Code `json:"codes,omitempty"`
	Text   string        `json:"text,omitempty"`  // part of the request id, the subject, the field or the reason
	From   time.Time     `json:"from,omitzero"`   // came then or later
	To     time.Time     `json:"to,omitzero"`     // came before
	After  uint64        `json:"after,omitempty"` // only those behind this sequence
	Limit  int           `json:"limit,omitempty"` // how many at most; 0 is MaxDead
}

// DeadLetters are dead letters that were asked for. Next is where to go on, as After, for there may be more; 0 if there are none.
type DeadLetters struct {
	Letters []worker.Dead `json:"letters"`
	Next    uint64        `json:"next,omitempty"`
}

func (l ListDead) checked() (ListDead, *worker.Invalid) {
	for _, code := range l.Codes {
		if !slices.Contains(worker.Codes(), code) {
			return l, &worker.Invalid{Field: "codes", Reason: "must be codes of the vocabulary"}
		}
	}
	switch {
	case l.Tenant != "" && worker.CheckName(l.Tenant) != nil:
		return l, &worker.Invalid{Field: "tenant", Reason: worker.CheckName(l.Tenant).Error()}
	case !visible(l.Text, maxWhy):
		return l, &worker.Invalid{Field: "text", Reason: fmt.Sprintf("must have at most %d visible characters", maxWhy)}
	case l.Limit < 0 || l.Limit > MaxDead:
		return l, &worker.Invalid{Field: "limit", Reason: fmt.Sprintf("must be 1 to %d", MaxDead)}
	case l.Limit == 0:
		l.Limit = MaxDead
	}
	return l, nil
}

func (l ListDead) wants(d worker.Dead) bool {
	text := strings.Join([]string{d.RequestID, d.Subject, d.Field, d.Reason}, "\n")
	return (len(l.Codes) == 0 || slices.Contains(l.Codes, d.Code)) && strings.Contains(strings.ToLower(text), strings.ToLower(l.Text)) &&
		(l.From.IsZero() || !d.At.Before(l.From)) && (l.To.IsZero() || d.At.Before(l.To))
}

// listDead reads the stream in batches until it has enough, or has read much.
func (b *Bus) listDead(ctx context.Context, ask ListDead) (DeadLetters, error) {
	answer, next, subject := DeadLetters{Letters: []worker.Dead{}}, ask.After+1, SubjectDead
	if ask.Tenant != "" {
		subject = deadSubject(ask.Tenant)
	}
	for read := 0; read < maxDeadRead; {
		messages, err := b.batch(ctx, StreamDead, directGet{Sequence: next, Next: subject, Batch: deadBatch, MaxBytes: tailBytes})
		if err != nil {
			return answer, natsDown("read dead letters", err)
		}
		for _, msg := range messages {
			next = msg.Sequence + 1
			if letter := readDead(msg); ask.wants(letter) {
				answer.Letters = append(answer.Letters, letter)
			}
			if len(answer.Letters) == ask.Limit {
				answer.Next = msg.Sequence
				return answer, nil
			}
		}
		if len(messages) == 0 {
			return answer, nil
		}
		read += len(messages)
	}
	answer.Next = next - 1
	return answer, nil
}

// readDead reads a stored letter. At is when it came. One that cannot be read is shown with what is known of it.
func readDead(msg Message) worker.Dead {
	letter, err := schemas.DecodeDeadLetter(msg.Data)
	if err != nil {
		return worker.Dead{Sequence: msg.Sequence, Subject: msg.Subject, Code: worker.CodeInternal, Reason: "the letter itself cannot be read", At: msg.Time}
	}
	return worker.Dead{Sequence: msg.Sequence, Tenant: letter.Tenant, RequestID: letter.RequestID, Subject: letter.Subject, Stored: letter.Sequence,
		Code: letter.Code, Field: letter.Field, Reason: letter.Reason, Attempt: letter.Attempt, Replays: letter.Replays, Origin: letter.Origin, At: msg.Time}
}

// message gives the message with that sequence, nil if there is none any more.
func (b *Bus) message(ctx context.Context, stream string, sequence uint64) (*Message, error) {
	messages, err := b.batch(ctx, stream, directGet{Sequence: max(sequence, 1), Batch: 1})
	if err != nil || len(messages) == 0 || messages[0].Sequence != sequence {
		return nil, err
	}
	return &messages[0], nil
}

// letter gives a dead letter.
func (b *Bus) letter(ctx context.Context, sequence uint64) (worker.Dead, error) {
	msg, err := b.message(ctx, StreamDead, sequence)
	switch {
	case err != nil:
		return worker.Dead{}, natsDown("read a dead letter", err)
	case msg == nil:
		return worker.Dead{}, &worker.Invalid{Field: "sequence", Reason: "names no dead letter: it was dropped, has aged away or never was"}
	}
	return readDead(*msg), nil
}
