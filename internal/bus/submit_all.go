package bus

import (
	"context"
	"iter"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxInFlight is how many submissions of one SubmitAll wait for the broker's word at the same time.
const maxInFlight = 256

// Outcome is what became of one submission: a receipt or an error.
type Outcome struct {
	Submission
	Receipt Receipt
	Err     error // as Submit returns it
}

// SubmitAll publishes many requests, a bounded number of them in flight, and tells what became of each, in order and one at a
// time, as soon as it is known. It returns ctx's cause if it ended before all were told, else nil: what went wrong with a
// single request is in its outcome.
func (b *Bus) SubmitAll(ctx context.Context, tenant string, requests iter.Seq[Submission], tell func(Outcome)) error {
	waiting := make(chan flight, maxInFlight)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for f := range waiting {
			tell(b.land(ctx, f))
		}
	}()
	for request := range requests {
		if ctx.Err() != nil {
			break
		}
		waiting <- b.launch(ctx, tenant, request)
	}
	close(waiting)
	<-done
	return context.Cause(ctx)
}

// flight is a submission that was sent, or failed to be.
type flight struct {
	submission Submission
	msg        *nats.Msg
	ack        jetstream.PubAckFuture
	err        error // the submission breaks a rule
}

func (b *Bus) launch(ctx context.Context, tenant string, request Submission) flight {
	f := flight{submission: request}
	if f.msg, f.err = b.submission(tenant, request.ID, request.Lane, request.Body); f.err != nil {
		return f
	}
	if request.Context != nil {
		ctx = request.Context
	}
	f.ack, _ = b.js.PublishMsgAsync(traced(ctx, f.msg), jetstream.WithExpectStream(b.stored(StreamRequests))) // a failure is repeated when it lands
	return f
}

// land waits for the broker's word; where that does not come, the submission is repeated.
func (b *Bus) land(ctx context.Context, f flight) Outcome {
	outcome := Outcome{Submission: f.submission, Err: f.err}
	if f.err != nil {
		return outcome
	}
	ack, err := arrival(ctx, f.ack)
	if outcome.Receipt, outcome.Err = b.judge(ctx, f.msg, ack, err); outcome.Err != nil {
		outcome.Receipt, outcome.Err = b.submit(ctx, f.msg)
	}
	return outcome
}

func arrival(ctx context.Context, future jetstream.PubAckFuture) (*jetstream.PubAck, error) {
	if future == nil {
		return nil, nats.ErrDisconnected
	}
	select {
	case ack := <-future.Ok():
		return ack, nil
	case err := <-future.Err():
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
