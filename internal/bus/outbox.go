package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// Outbox publishes what requests ended in. It is safe for concurrent use, also by several processes: the broker itself
// compares what is on record with what the publisher expects there.
type Outbox struct {
	bus *Bus
}

// Outbox gives the outbox.
func (b *Bus) Outbox() *Outbox { return &Outbox{bus: b} }

// Publish stores a result; see worker.Outbox. What is on record decides:
//
//	nothing                         ours is stored
//	the same decision               ours was stored before and its acknowledgement lost: done
//	any, and ours is by hand        ours is stored behind it: a person bound an order of 1688, or took that back
//	provisional, ours is a replay's ours is stored behind it
//	invalid, and ours has orders    the same: another message of this id, in another lane, was not read
//	unknown, and ours is decided    ours is stored behind it if it resolves that, else worker.CodeFenced
//	unknown, with more orders open  the same
//	decided, and ours is unknown    done: it is decided
//	another decision                the first stands, and if there are orders an alarm is raised: two may exist
//
// A result that is Aside has a place of its own beside the request's. An unknown one is put on the list of parked requests
// first, see Bus.Parked.
func (o *Outbox) Publish(ctx context.Context, result worker.Result) error {
	subject, err := placeOf(result)
	if err != nil {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "result cannot be published", Err: err}
	}
	return persist(ctx, "publish a result", func(ctx context.Context) error { return o.store(ctx, subject, result) })
}

func placeOf(result worker.Result) (string, error) {
	ref := worker.EncodeRef(result.RequestID)
	if err := worker.CheckName(result.Tenant); err != nil {
		return "", fmt.Errorf("tenant: %w", err)
	}
	if err := worker.CheckID(result.RequestID); err != nil {
		return "", fmt.Errorf("request_id: %w", err)
	}
	if result.Aside {
		return asideSubject(result.Tenant, ref, result.Code), nil
	}
	return resultSubject(result.Tenant, ref), nil
}

// store publishes the result as the first one; if the broker has one already, that one says how to go on.
func (o *Outbox) store(ctx context.Context, subject string, result worker.Result) error {
	if result.Outcome == worker.OutcomeUnknown && result.MergedInto == "" { // a person decides about what it is part of
		if err := o.park(ctx, result); err != nil {
			return err
		}
	}
	err := o.publish(ctx, subject, result, 0)
	if !wrongLast(err) {
		return err
	}
	return o.behind(ctx, subject, result)
}

// behind compares the result with the one on record.
func (o *Outbox) behind(ctx context.Context, subject string, result worker.Result) error {
	msg, err := o.bus.last(ctx, o.bus.stored(StreamResults), o.bus.at(subject))
	if err != nil {
		return err
	}
	if msg == nil { // and the result aged away in this moment
		return errFaster
	}
	stored, err := schemas.DecodeResult(msg.Data)
	switch {
	case err != nil:
		o.bus.alarm(fmt.Sprintf("the result on record at %s, sequence %d, cannot be read: %v; it stands", subject, msg.Sequence, err))
	case result.ByHand != "" && (!sameDecision(stored, result) || len(stored.Unknown) != len(result.Unknown)):
		return o.replace(ctx, subject, result, msg.Sequence)
	case stored.Provisional() && result.Replay > 0 && (!sameDecision(stored, result) || len(result.Unknown) > 0):
		return o.replace(ctx, subject, result, msg.Sequence)
	case stored.Code == worker.CodeInvalid && len(result.Orders) > 0:
		return o.replace(ctx, subject, result, msg.Sequence)
	case moreIsKnown(stored, result) && !result.Resolves:
		return &worker.Trouble{Code: worker.CodeFenced, Reason: "a later delivery has parked the request"}
	case moreIsKnown(stored, result):
		return o.replace(ctx, subject, result, msg.Sequence)
	case result.Outcome == worker.OutcomeUnknown && stored.Outcome != worker.OutcomeUnknown:
		return o.unpark(ctx, result)
	case result.Outcome != worker.OutcomeUnknown && !sameDecision(stored, result) && len(orderIDs(stored))+len(orderIDs(result)) > 0:
		o.bus.alarm(fmt.Sprintf("%s: decided as %s (%s), and again as %s (%s): the first stands; see whether two orders exist",
			subject, stored.Outcome, stored.Code, result.Outcome, result.Code))
	}
	return nil
}

// replace stores the result behind the one on record, which has that sequence.
func (o *Outbox) replace(ctx context.Context, subject string, result worker.Result, sequence uint64) error {
	err := o.publish(ctx, subject, result, sequence)
	switch {
	case wrongLast(err):
		return errFaster
	case err != nil || result.Outcome == worker.OutcomeUnknown:
		return err
	}
	return o.unpark(ctx, result)
}

// usualResult is room for the result of a small purchase, in bytes.
const usualResult = 512

// publish stores the result if expected is the sequence of the last message on the subject, 0 for none.
func (o *Outbox) publish(ctx context.Context, subject string, result worker.Result, expected uint64) error {
	_, err := o.bus.js.PublishMsg(ctx, traced(ctx, message(o.bus.at(subject), schemas.AppendResult(make([]byte, 0, usualResult), result))),
		jetstream.WithMsgID(resultID(subject, result)),
		jetstream.WithExpectStream(o.bus.stored(StreamResults)),
		jetstream.WithExpectLastSequencePerSubject(expected))
	return err
}

// moreIsKnown says whether a result may stand behind an unknown one: it is decided, or fewer orders are open in it.
func moreIsKnown(stored, result worker.Result) bool {
	return stored.Outcome == worker.OutcomeUnknown &&
		(result.Outcome != worker.OutcomeUnknown || len(result.Unknown) > 0 && len(result.Unknown) < len(stored.Unknown))
}

// errFaster makes a step be repeated: what another worker has just stored must be looked at.
var errFaster = errors.New("another worker was faster")

func message(subject string, body []byte) *nats.Msg {
	return &nats.Msg{Subject: subject, Data: body}
}

// wrongLast says whether the broker refused since something else is on record.
func wrongLast(err error) bool {
	return isCode(err, jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// sameDecision compares what counts: how it ended and which orders exist.
func sameDecision(a, b worker.Result) bool {
	return a.Outcome == b.Outcome && a.Code == b.Code && slices.Equal(orderIDs(a), orderIDs(b))
}

func orderIDs(r worker.Result) []string {
	ids := make([]string, 0, len(r.Orders))
	for _, order := range slices.Concat(r.Orders, r.MergedOrders) {
		ids = append(ids, order.OrderID)
	}
	slices.Sort(ids)
	return ids
}

// Bury stores a dead letter; see worker.Outbox. One letter is stored per request message, however often it is buried within a
// day.
func (o *Outbox) Bury(ctx context.Context, letter worker.DeadLetter) error {
	if worker.CheckName(letter.Tenant) != nil {
		letter.Tenant = ""
	}
	msg := message(o.bus.at(deadSubject(letter.Tenant)), schemas.AppendDeadLetter(nil, letter))
	return o.record(ctx, "bury a dead letter", StreamDead, msg, deadID(letter))
}

func (o *Outbox) record(ctx context.Context, what, stream string, msg *nats.Msg, id string) error {
	return persist(ctx, what, func(ctx context.Context) error {
		_, err := o.bus.js.PublishMsg(ctx, traced(ctx, msg), jetstream.WithMsgID(id), jetstream.WithExpectStream(o.bus.stored(stream)))
		return err
	})
}

// Decided says whether a result is on record for the request that no replay may replace; see worker.Outbox.
func (o *Outbox) Decided(ctx context.Context, tenant, ref string) (bool, error) {
	var found bool
	err := persist(ctx, "look for a result", func(ctx context.Context) error {
		msg, err := o.bus.last(ctx, o.bus.stored(StreamResults), o.bus.at(resultSubject(tenant, ref)))
		if found = msg != nil; found && err == nil {
			result, unreadable := schemas.DecodeResult(msg.Data)
			found = unreadable != nil || !result.Provisional() // what cannot be read stands
		}
		return err
	})
	return found, err
}

// Result gives the result on record of a request, and false if there is none yet.
func (b *Bus) Result(ctx context.Context, tenant, id string) (worker.Result, bool, error) {
	msg, err := b.last(ctx, StreamResults, resultSubject(tenant, worker.EncodeRef(id)))
	if err != nil || msg == nil {
		return worker.Result{}, false, err
	}
	result, err := readResult(msg.Subject, msg.Data)
	return result, err == nil, err
}

// readResult reads a result together with what its subject says.
func readResult(subject string, body []byte) (worker.Result, error) {
	result, err := schemas.DecodeResult(body)
	if err != nil {
		return result, fmt.Errorf("%s: %w", subject, err)
	}
	result.Tenant, _, result.Aside = parseResult(subject)
	return result, nil
}
