package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// once is a stream of words of which the first on a subject stands: the broker itself takes no second one. It is safe for concurrent
// use, also by several processes.
type once[T any] struct {
	bus    *Bus
	stream string
	what   string // for errors: "a mark"
}

// read gives the word that stands on a subject; false if there is none yet. The stream's leader is asked: whoever takes one for not
// written may write another.
func (o once[T]) read(ctx context.Context, subject string) (word T, found bool, err error) {
	err = persist(ctx, "read "+o.what, func(ctx context.Context) error {
		word, found, err = o.stands(ctx, subject)
		return err
	})
	return word, found, err
}

func (o once[T]) stands(ctx context.Context, subject string) (word T, found bool, err error) {
	msg, err := o.bus.latest(ctx, o.stream, subject)
	if err != nil || msg == nil {
		return word, false, err
	}
	if err := json.Unmarshal(msg.Data, &word); err != nil {
		return word, false, &worker.Trouble{Code: worker.CodeInternal, Err: err,
			Reason: fmt.Sprintf("%s at %s, sequence %d, cannot be read", o.what, msg.Subject, msg.Sequence)}
	}
	return word, true, nil
}

// write puts a word on a subject unless there is one, and gives the one that stands then.
func (o once[T]) write(ctx context.Context, subject string, word T) (stands T, err error) {
	body, err := json.Marshal(word)
	if err != nil {
		return word, err
	}
	err = persist(ctx, "put "+o.what+" on record", func(ctx context.Context) error {
		_, err := o.bus.js.PublishMsg(ctx, traced(ctx, message(subject, body)), jetstream.WithExpectStream(o.stream),
			jetstream.WithExpectLastSequencePerSubject(0))
		stands = word
		if !wrongLast(err) && !isCode(err, codeStreamFull) {
			return err
		}
		var found bool
		if stands, found, err = o.stands(ctx, subject); err == nil && !found {
			err = errFaster // it aged away in this moment, or the stream is full
		}
		return err
	})
	return stands, err
}
