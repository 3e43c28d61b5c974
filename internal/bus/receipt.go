package bus

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

// What a consumer tells the broker about a delivery.
var (
	ackDone     = []byte("+ACK")
	ackProgress = []byte("+WPI")
)

func nakAfter(delay time.Duration) []byte {
	if delay <= 0 {
		return []byte("-NAK")
	}
	return append(strconv.AppendInt([]byte(`-NAK {"delay":`), int64(delay), 10), '}')
}

func termWith(reason string) []byte { return []byte("+TERM " + reason) }

// receipt settles one delivery. Ack, Nak and Term return once the broker has confirmed, since an acknowledgement that was
// merely sent is lost with the broker's process.
type receipt struct {
	inbox  *Inbox
	lane   *lane
	reply  string
	stored time.Time // when the request was, by the broker's clock
	pulled time.Time // before the broker delivered it; zero if that is not known
	taker  context.Context
}

// delivery reads a message of a lane. The mutex must be held.
func (in *Inbox) delivery(l *lane, msg *nats.Msg) (*worker.Delivery, *receipt, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", msg.Subject, err)
	}
	subject := in.bus.config.Apart.inQueue(msg.Subject)
	was := l.busy()
	r := &receipt{inbox: in, lane: l, reply: msg.Reply, stored: meta.Timestamp, pulled: l.came(msg.Sub, meta)}
	in.give(l, was)
	d := &worker.Delivery{
		Subject:   subject,
		Body:      msg.Data,
		Sequence:  meta.Sequence.Stream,
		Attempt:   in.attempt(l, msg.Sub, meta),
		Published: meta.Timestamp,
		Receipt:   r,
		Sole:      r.sole,
		Context:   traceOf(msg),
	}
	address(subject, msg.Header).onto(d)
	return d, r, nil
}

// unknownAge is when a consumer was made of which nothing is known but that it is new: every request counts as older.
var unknownAge = time.Unix(1<<40, 0)

// attempt says which delivery of a request this is. A consumer knows nothing of what one before it has delivered, so that a
// request which is older than the consumer counts as delivered once before: nobody may take it for untouched. That it was made
// anew shows in its count if somebody else did it while nobody waited here. The mutex must be held.
func (in *Inbox) attempt(l *lane, sub *nats.Subscription, meta *nats.MsgMetadata) int {
	if l.anew(sub, meta.Sequence.Consumer) {
		l.since = unknownAge
		in.breakDown()
	}
	if meta.Timestamp.Before(l.since) {
		return int(meta.NumDelivered) + 1
	}
	return int(meta.NumDelivered)
}

// sole says whether the broker cannot have delivered the request to anybody else since this delivery, its first: AckWait is far
// from over, by this process's clock and without counting on signs of life, and it is the broker that has been there all along. A
// broker that was started again may have forgotten that it delivered a request which was stored before.
func (r *receipt) sole() bool {
	in := r.inbox
	in.mutex.Lock()
	defer in.mutex.Unlock()
	return in.broken.IsZero() && !r.stored.Before(r.lane.known) && time.Since(r.pulled) < r.lane.ackWait/2
}

// Soon has whoever took the request expected, unless what it was taken under has ended.
func (r *receipt) Soon() {
	if r.taker.Err() == nil {
		r.inbox.expect()
	}
}

// Ack ends the request for good.
func (r *receipt) Ack(ctx context.Context) error {
	return r.settle(ctx, "acknowledge", ackDone)
}

// Nak hands it back, to be delivered again after the delay.
func (r *receipt) Nak(ctx context.Context, after time.Duration) error {
	return r.settle(ctx, "hand back", nakAfter(after))
}

// Term ends a request that can never be handled.
func (r *receipt) Term(ctx context.Context, reason string) error {
	return r.settle(ctx, "terminate", termWith(reason))
}

// settle stops the signs of life first: one that came after a Nak would put its delay off.
func (r *receipt) settle(ctx context.Context, what string, body []byte) error {
	r.inbox.forget(r)
	return repeat(ctx, what+" a request", func() error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, err := r.inbox.bus.conn.Request(r.reply, body, attemptTimeout) // ctx would cost more than the question
		return err
	})
}

func (in *Inbox) forget(r *receipt) {
	in.mutex.Lock()
	delete(in.open, r)
	if len(in.open) == 0 && in.deserted() {
		in.poke()
	}
	in.mutex.Unlock()
}
