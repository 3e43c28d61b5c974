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

// receipt settles one delivery. Its three methods return once the broker has confirmed, since an acknowledgement that was
// merely sent is lost with the broker's process.
type receipt struct {
	inbox *Inbox
	reply string
}

func (in *Inbox) delivery(msg *nats.Msg) (worker.Delivery, *receipt, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return worker.Delivery{}, nil, fmt.Errorf("%s: %w", msg.Subject, err)
	}
	r := &receipt{inbox: in, reply: msg.Reply}
	tenant, ref := parseRequest(msg.Subject)
	return worker.Delivery{
		Subject:   msg.Subject,
		Tenant:    tenant,
		Ref:       ref,
		Body:      msg.Data,
		Sequence:  meta.Sequence.Stream,
		Attempt:   int(meta.NumDelivered),
		Published: meta.Timestamp,
		Receipt:   r,
	}, r, nil
}

// Ack ends the request for good.
func (r *receipt) Ack(ctx context.Context) error { return r.settle(ctx, "acknowledge", ackDone) }

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
	return persist(ctx, what+" a request", func(ctx context.Context) error {
		_, err := r.inbox.bus.conn.RequestWithContext(ctx, r.reply, body)
		return err
	})
}

func (in *Inbox) forget(r *receipt) {
	in.mutex.Lock()
	delete(in.open, r)
	in.mutex.Unlock()
}
