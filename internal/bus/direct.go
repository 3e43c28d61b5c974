package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// A stream is read by asking for its messages (direct get), wherever a consumer is not needed: nothing is left behind at the
// broker, and nobody needs the right to make consumers. Whoever has that may have any message delivered to any subject.

const directPrefix = apiPrefix + "DIRECT.GET."

// directGet asks for the messages from a sequence or a time on, those on the subjects of a pattern if there is one.
type directGet struct {
	Sequence uint64     `json:"seq,omitempty"`
	Since    *time.Time `json:"start_time,omitempty"`
	Next     string     `json:"next_by_subj,omitempty"`
	Last     []string   `json:"multi_last,omitempty"` // instead: the last message on each subject of these patterns
	Batch    int        `json:"batch"`
	MaxBytes int        `json:"max_bytes,omitempty"`
}

// batch gives the next messages, in order; none if there are none now. It returns nats.ErrNoResponders if no such stream can be
// read.
func (b *Bus) batch(ctx context.Context, stream string, ask directGet) ([]Message, error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	var messages []Message
	err = b.get(ctx, directPrefix+stream, body, ask.Batch+1, func(msg Message) bool {
		messages = append(messages, msg)
		return true
	})
	return messages, err
}

// first gives the first of the messages that are asked for, or nil if there is none. Errors as batch.
func (b *Bus) first(ctx context.Context, stream string, ask directGet) (*Message, error) {
	ask.Batch = 1
	messages, err := b.batch(ctx, stream, ask)
	if len(messages) == 0 || err != nil {
		return nil, err
	}
	return &messages[0], nil
}

// lastOf gives the last message on a subject, which may have wildcards, or nil if there is none. Errors as batch.
func (b *Bus) lastOf(ctx context.Context, stream, subject string) (*Message, error) {
	var last *Message
	err := b.get(ctx, directPrefix+stream+"."+subject, nil, 1, func(msg Message) bool {
		last = &msg
		return false
	})
	return last, err
}

// get asks and hands the messages of the answer on, until there are no more or one is enough. What says that is told from a
// stored message by the header that the server puts behind the message's own: whoever stored it may have written anything.
func (b *Bus) get(ctx context.Context, subject string, body []byte, most int, take func(Message) bool) error {
	return b.forbidden.permitted(ctx, subject, func(ctx context.Context) error { return b.fetch(ctx, subject, body, most, take) })
}

// silence is for how long nothing of an answer may come. A broker that dies takes what it was asked with it: whoever has set itself no
// time would wait for ever.
const silence = 5 * time.Second

func (b *Bus) fetch(ctx context.Context, subject string, body []byte, most int, take func(Message) bool) error {
	answers, inbox := make(chan *nats.Msg, most), b.conn.NewInbox()
	sub, err := b.conn.ChanSubscribe(inbox, answers)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := b.conn.PublishRequest(subject, inbox, body); err != nil {
		return err
	}
	silent := time.NewTimer(silence)
	defer silent.Stop()
	for {
		select {
		case msg := <-answers:
			silent.Reset(silence)
			if appended(msg, "Nats-Sequence") == "" {
				return verdict(msg)
			}
			message, err := answered(msg)
			if err != nil || !take(message) {
				return err
			}
		case <-silent.C:
			return fmt.Errorf("no answer on %s for %v: %w", subject, silence, nats.ErrTimeout)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// What a server says instead of a message.
const (
	statusEndOfBatch   = "204"
	statusNoResponders = "503"
)

func verdict(msg *nats.Msg) error {
	switch status := msg.Header.Get("Status"); status {
	case statusEndOfBatch, statusNoMessages:
		return nil
	case statusNoResponders:
		return nats.ErrNoResponders
	default:
		return fmt.Errorf("the stream cannot be read: status %s %s", status, msg.Header.Get("Description"))
	}
}

// answered reads a message out of an answer.
func answered(msg *nats.Msg) (Message, error) {
	sequence, errSequence := strconv.ParseUint(appended(msg, "Nats-Sequence"), 10, 64)
	at, errTime := time.Parse(time.RFC3339Nano, appended(msg, "Nats-Time-Stamp"))
	if err := errors.Join(errSequence, errTime); err != nil {
		return Message{}, fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	return Message{
		Subject: appended(msg, "Nats-Subject"), Stream: appended(msg, "Nats-Stream"), Sequence: sequence, Time: at,
		Header: msg.Header, Data: msg.Data,
	}, nil
}

// appended is what the server put behind the headers of the message.
func appended(msg *nats.Msg, name string) string {
	values := msg.Header[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
