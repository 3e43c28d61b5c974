package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// submitPatience is how long a submission is repeated while the broker does not answer: a fail-over takes up to 10 s.
const submitPatience = 15 * time.Second

// Fate is what the broker made of a submission.
type Fate string

// The fates.
const (
	Accepted Fate = "accepted" // stored now
	Replay   Fate = "replay"   // the same request is stored already; it has, or will have, one result
	Conflict Fate = "conflict" // another request is stored under the same id; this one is not bought
)

// Receipt is the broker's word on a submission.
type Receipt struct {
	Fate     Fate
	Sequence uint64 // of the request that is stored under the id
}

// ErrNotStored is wrapped in the error of a submission that the broker has not confirmed; it may be stored all the same, and
// may be submitted again.
var ErrNotStored = errors.New("the broker has not confirmed the request")

// Submission is a request on its way to the broker.
type Submission struct {
	ID   string      // the body's request_id
	Lane worker.Lane // the body's priority; "" is normal
	Body []byte
	// Context is part of the trace that the request is to be part of; nil for that of SubmitAll's.
	Context context.Context
}

// Submit publishes a request in the lane that its priority names and waits for the broker's word. The broker keeps one request per
// id, whichever lane it is in; a second one is compared with the stored one by what they mean, not by their bytes. The body is not
// checked: what breaks a rule gets a refused result from a worker.
//
// Errors: a tenant or id that breaks the rules; no stream takes requests; ErrForbidden if this user may not publish in the
// tenant's name; ErrNotStored. If ctx is part of a trace, so is the request.
func (b *Bus) Submit(ctx context.Context, tenant, id string, body []byte) (Receipt, error) {
	msg, err := b.submission(tenant, id, priorityOf(body), body)
	if err != nil {
		return Receipt{}, err
	}
	return b.submit(ctx, traced(ctx, msg))
}

// priorityOf reads the lane out of a body; one that cannot be read waits in the normal one for its refusal.
func priorityOf(body []byte) worker.Lane {
	request, err := schemas.DecodeRequest(body)
	if err != nil {
		return ""
	}
	return request.Priority
}

// submission is the message of a request. The broker takes it if it has none of that id in any lane.
func (b *Bus) submission(tenant, id string, lane worker.Lane, body []byte) (*nats.Msg, error) {
	if err := worker.CheckName(tenant); err != nil {
		return nil, fmt.Errorf("tenant %q: %w", tenant, err)
	}
	if err := worker.CheckID(id); err != nil {
		return nil, fmt.Errorf("request_id: %w", err)
	}
	ref := worker.EncodeRef(id)
	msg := message(b.at(requestSubject(lane, tenant, ref)), body)
	msg.Header = alone(b.at(requestSubjects(tenant, ref)))
	msg.Header.Set(jetstream.MsgIDHeader, submissionID(tenant, ref, nuid.Next()))
	return msg, nil
}

// submit repeats a submission until the broker answers. Its message id is its own: a repeat of it is known by that, whether
// the broker still remembers the id or not.
func (b *Bus) submit(ctx context.Context, msg *nats.Msg) (receipt Receipt, err error) {
	for start := time.Now(); ; {
		err = persist(ctx, "submit a request", func(ctx context.Context) error {
			return b.forbidden.permitted(ctx, msg.Subject, func(ctx context.Context) error {
				ack, err := b.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(b.stored(StreamRequests)))
				receipt, err = b.judge(ctx, msg, ack, err)
				return err
			})
		})
		switch {
		case err == nil:
			return receipt, nil
		case refused(errors.Unwrap(err)):
			return Receipt{}, errors.Unwrap(err)
		case time.Since(start) > submitPatience || !wait(ctx, repairEvery):
			return Receipt{}, fmt.Errorf("%s: %w: %w", msg.Subject, ErrNotStored, errors.Unwrap(err))
		}
	}
}

// alone has the broker take a message only if there is none on these subjects.
func alone(subjects string) nats.Header {
	return nats.Header{jetstream.ExpectedLastSubjSeqHeader: {"0"}, jetstream.ExpectedLastSubjSeqSubjHeader: {subjects}}
}

// judge reads the broker's word on a submission. "maximum messages per subject exceeded" has the code that a full stream has
// too, and one that is just being stored is not there yet, so the stored request decides.
func (b *Bus) judge(ctx context.Context, msg *nats.Msg, ack *jetstream.PubAck, err error) (Receipt, error) {
	if err == nil {
		return Receipt{Fate: Accepted, Sequence: ack.Sequence}, nil // a duplicate of the same message id is our own repeat
	}
	if !isCode(err, codeStreamFull) && !wrongLast(err) {
		return Receipt{}, err
	}
	stored, found := b.last(ctx, b.stored(StreamRequests), msg.Header.Get(jetstream.ExpectedLastSubjSeqSubjHeader))
	switch {
	case found != nil:
		return Receipt{}, found
	case stored == nil && wrongLast(err):
		return Receipt{}, errFaster
	case stored == nil:
		return Receipt{}, fmt.Errorf("stream %s is full: %w", b.stored(StreamRequests), err)
	}
	return Receipt{Fate: compare(stored, msg), Sequence: stored.Sequence}, nil
}

// codeStreamFull is the server's "stream store failed": a limit of the stream, or of the subject, is reached.
const codeStreamFull jetstream.ErrorCode = 10077

func compare(stored *jetstream.RawStreamMsg, mine *nats.Msg) Fate {
	switch {
	case stored.Header.Get(jetstream.MsgIDHeader) == mine.Header.Get(jetstream.MsgIDHeader):
		return Accepted
	case sameRequest(stored.Data, mine.Data):
		return Replay
	}
	return Conflict
}

// sameRequest says whether two bodies ask for the same purchase. What cannot be read is the same only byte for byte.
func sameRequest(stored, mine []byte) bool {
	if bytes.Equal(stored, mine) {
		return true
	}
	a, errA := schemas.DecodeRequest(stored)
	b, errB := schemas.DecodeRequest(mine)
	return errA == nil && errB == nil && worker.Fingerprint(a) == worker.Fingerprint(b)
}
