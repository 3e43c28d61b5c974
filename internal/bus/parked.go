package bus

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// The list of parked requests is a stream with one message for each of them, its latest unknown result. It is written before
// the result and taken back after the decision, so that whoever dies in between leaves an entry too many and never one too
// few; who reads the list compares each entry with the result on record. It takes as much room as there are parked requests,
// does not depend on Redis, and knows also those that never had a claim.

// park puts a request on the list.
func (o *Outbox) park(ctx context.Context, result worker.Result) error {
	subject := parkedSubject(result.Tenant, worker.EncodeRef(result.RequestID))
	_, err := o.bus.js.PublishMsg(ctx, message(o.bus.at(subject), schemas.AppendResult(nil, result)), jetstream.WithExpectStream(o.bus.stored(StreamParked)))
	return err
}

// unpark takes it off.
func (o *Outbox) unpark(ctx context.Context, result worker.Result) error {
	return o.bus.unpark(ctx, parkedSubject(result.Tenant, worker.EncodeRef(result.RequestID)))
}

func (b *Bus) unpark(ctx context.Context, subject string) error {
	stream, err := b.stream(ctx, b.stored(StreamParked))
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(b.at(subject)))
}

// MaxParked is how many parked requests are listed at once, the oldest first.
const MaxParked = 1000

// Parked lists the requests that are parked for a person: their unknown results, at most MaxParked. Of a request whose
// handling was given up it may not be known which orders are open.
func (b *Bus) Parked(ctx context.Context) ([]worker.Result, error) {
	var parked []worker.Result
	var done []string
	for entry, err := range read(ctx, b.History(), StreamParked, SubjectParked, parkedEntry) {
		if err != nil {
			return nil, err
		}
		decided, err := b.decided(ctx, entry)
		switch {
		case err != nil:
			return nil, err
		case decided:
			done = append(done, parkedSubject(entry.Tenant, worker.EncodeRef(entry.RequestID)))
		default:
			parked = append(parked, entry)
		}
		if len(parked) == MaxParked {
			break
		}
	}
	for _, subject := range done {
		if err := b.unpark(ctx, subject); err != nil {
			return nil, err
		}
	}
	return parked, nil
}

func (b *Bus) decided(ctx context.Context, entry worker.Result) (bool, error) {
	result, found, err := b.Result(ctx, entry.Tenant, entry.RequestID)
	return found && result.Outcome != worker.OutcomeUnknown, err
}

func parkedEntry(msg jetstream.Msg) (worker.Result, error) {
	result, err := schemas.DecodeResult(msg.Data())
	if err != nil {
		return result, fmt.Errorf("%s: %w", msg.Subject(), err)
	}
	result.Tenant, _ = parseTokens(msg.Subject()[len(parkedPrefix):])
	return result, nil
}

// Asked gives the request on record, with what was chosen of its alternatives; see worker.Record. One that cannot be read is an error: no worker ever took it.
func (b *Bus) Asked(ctx context.Context, tenant, id string) (worker.Asked, bool, error) {
	msg, err := b.last(ctx, StreamRequests, requestSubjects(tenant, worker.EncodeRef(id)))
	if err != nil {
		return worker.Asked{}, false, natsDown("read a request", err)
	}
	if msg == nil {
		return worker.Asked{}, false, nil
	}
	var request worker.Request
	read, err := schemas.DecodeRequest(msg.Data)
	if err == nil {
		read.Tenant = tenant
		request, err = b.withChoice(ctx, *read)
	}
	request.Priority, _ = laneOf(msg.Subject)
	return worker.Asked{Request: request, Subject: msg.Subject, Sequence: msg.Sequence, Published: msg.Time,
		Origin: retryOf(msg.Header)}, err == nil, err
}
