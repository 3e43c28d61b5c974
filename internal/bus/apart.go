package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Apart names a place beside the queue, with streams and subjects of its own: nothing that is published there reaches a worker of
// the queue, and nothing of the queue reaches who works there. "" is the queue itself. It is for measurements, which take requests
// that nobody is to buy from the stream to the acknowledgement: Provision, SubmitAll, Submit, Inbox, Outbox and Depth go by it. All
// else that a Bus does is done in the queue.
type Apart string

const (
	apartStream  = "APART_" // what its streams begin with; its name follows
	apartSubject = "apart."
)

// Stream is what a stream of the queue is called there.
func (a Apart) Stream(name string) string {
	if a == "" {
		return name
	}
	return apartStream + string(a) + "_" + name
}

// Subject is what a subject of the queue is called there.
func (a Apart) Subject(subject string) string {
	if a == "" {
		return subject
	}
	return apartSubject + string(a) + "." + subject
}

// inQueue is what a subject there is called in the queue.
func (a Apart) inQueue(subject string) string {
	if a == "" {
		return subject
	}
	return subject[min(len(subject), len(apartSubject)+len(a)+1):]
}

// check refuses a name that could be read in more than one way.
func (a Apart) check() error {
	for _, c := range a {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return fmt.Errorf("apart %q: must be of the letters a to z and digits", string(a))
		}
	}
	return nil
}

// written are the streams that the purchase of a request writes to.
var written = map[string]bool{StreamRequests: true, StreamResults: true, StreamParked: true, StreamDead: true}

// moved is what the streams must be like there.
func (a Apart) moved(specs []jetstream.StreamConfig) []jetstream.StreamConfig {
	if a == "" {
		return specs
	}
	var mine []jetstream.StreamConfig
	for _, spec := range specs {
		if !written[spec.Name] {
			continue
		}
		spec.Name, spec.Description = a.Stream(spec.Name), "Of a measurement that is under way, or was killed. The next one removes it then."
		for i, subject := range spec.Subjects {
			spec.Subjects[i] = a.Subject(subject)
		}
		mine = append(mine, spec)
	}
	return mine
}

// Occupy tells everybody who asks that somebody works in this bus's place, until the bus is closed.
func (b *Bus) Occupy() error {
	_, err := b.conn.Subscribe(b.config.Apart.Subject("occupied"), func(msg *nats.Msg) { _ = msg.Respond(nil) })
	if err != nil {
		return err
	}
	return b.conn.Flush()
}

// Deserted says whether nobody works in a place any more. It returns an error when the broker does not tell.
func (b *Bus) Deserted(ctx context.Context, a Apart) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	_, err := b.conn.RequestWithContext(ctx, a.Subject("occupied"), nil)
	if errors.Is(err, nats.ErrNoResponders) {
		return true, nil
	}
	return false, err
}

// Aparts lists the places that have streams.
func (b *Bus) Aparts(ctx context.Context) ([]Apart, error) {
	var places []Apart
	names := b.js.StreamNames(ctx, jetstream.WithStreamListSubject(apartSubject+">"))
	for name := range names.Name() {
		place, _, _ := strings.Cut(strings.TrimPrefix(name, apartStream), "_")
		if a := Apart(place); strings.HasPrefix(name, apartStream+place+"_") && a != "" && a.check() == nil {
			places = append(places, a)
		}
	}
	return places, names.Err()
}

// Remove removes the streams of a place, with all that is in them. It returns an error for the queue itself.
func (b *Bus) Remove(ctx context.Context, a Apart) error {
	if a == "" || a.check() != nil {
		return fmt.Errorf("apart %q: is no place beside the queue", string(a))
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second+attemptTimeout)
	defer cancel()
	var problems []error
	for name := range written {
		if err := b.js.DeleteStream(ctx, a.Stream(name)); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			problems = append(problems, fmt.Errorf("stream %s: %w", a.Stream(name), err))
		}
	}
	return errors.Join(problems...)
}
