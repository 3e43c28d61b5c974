package bus

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// The record of an order's payment is the messages on one subject. Each is stored under the condition that the one before it is
// the last (a compare-and-set), so that of two who know the same only one writes what follows. Payments that want a person are on a
// list too, a stream with one message for each: put there before the entry that says so, taken off after the one that ends it. Who
// reads the list compares it with the record.

// Payment gives the last entry about an order; see worker.PaymentBook.
func (b *Bus) Payment(ctx context.Context, tenant, requestID, orderID string) (p worker.Payment, place uint64, err error) {
	subject := paymentSubject(tenant, worker.EncodeRef(requestID), orderID)
	err = persist(ctx, "read a payment", func(ctx context.Context) error {
		p, place, err = b.payment(ctx, subject)
		return err
	})
	return p, place, err
}

func (b *Bus) payment(ctx context.Context, subject string) (p worker.Payment, place uint64, err error) {
	msg, err := b.last(ctx, StreamPayments, subject)
	if err != nil || msg == nil {
		return p, 0, err
	}
	p, err = readPayment(msg.Subject, msg.Data)
	return p, msg.Sequence, err
}

// PaymentSteps gives the whole record of an order's payment, the oldest entry first.
func (b *Bus) PaymentSteps(ctx context.Context, tenant, requestID, orderID string) (steps []worker.Payment, err error) {
	subject := paymentSubject(tenant, worker.EncodeRef(requestID), orderID)
	for p, err := range read(ctx, b.History(), StreamPayments, subject, func(msg jetstream.Msg) (worker.Payment, error) {
		return readPayment(msg.Subject(), msg.Data())
	}) {
		if err != nil {
			return nil, err
		}
		steps = append(steps, p)
	}
	return steps, nil
}

// readPayment reads an entry. One that cannot be read stops the payment: nobody knows how far it got.
func readPayment(subject string, body []byte) (p worker.Payment, err error) {
	if err := json.Unmarshal(body, &p); err != nil {
		return p, &worker.Trouble{Code: worker.CodeInternal, Reason: "the last entry on " + subject + " cannot be read", Err: err}
	}
	p.Tenant, _ = parseTokens(subject[len(paymentPrefix):])
	return p, nil
}

// Enter stores an entry behind the one at that place; see worker.PaymentBook.
func (b *Bus) Enter(ctx context.Context, p worker.Payment, behind uint64) (place uint64, err error) {
	body, err := json.Marshal(p)
	if err != nil {
		return 0, &worker.Trouble{Code: worker.CodeInternal, Reason: "a payment cannot be written", Err: err}
	}
	ref := worker.EncodeRef(p.RequestID)
	err = persist(ctx, "enter a payment", func(ctx context.Context) error {
		if p.Wants() {
			msg := message(unpaidSubject(p.Tenant, ref, p.OrderID), body)
			if _, err := b.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(StreamUnpaid)); err != nil {
				return err
			}
		}
		place, err = b.enter(ctx, paymentSubject(p.Tenant, ref, p.OrderID), body, p.Entry, behind)
		return err
	})
	if err == nil && p.Listed && p.Step.Ended() {
		_ = b.unlist(ctx, unpaidSubject(p.Tenant, ref, p.OrderID)) // else who reads the list does
	}
	return place, err
}

// enter stores the entry, or finds it stored by a try whose answer was lost.
func (b *Bus) enter(ctx context.Context, subject string, body []byte, entry string, behind uint64) (uint64, error) {
	ack, err := b.js.PublishMsg(ctx, message(subject, body), jetstream.WithExpectStream(StreamPayments), jetstream.WithExpectLastSequencePerSubject(behind))
	if err == nil {
		return ack.Sequence, nil
	}
	if !wrongLast(err) {
		return 0, err
	}
	last, place, err := b.payment(ctx, subject)
	if err == nil && last.Entry != entry {
		err = &worker.Trouble{Code: worker.CodeFenced, Reason: "somebody else has gone on with the payment of order " + last.OrderID}
	}
	return place, err
}

func (b *Bus) unlist(ctx context.Context, subject string) error {
	stream, err := b.stream(ctx, StreamUnpaid)
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
}

// MaxUnpaid is how many payments that want a person are listed at once, the oldest first.
const MaxUnpaid = 1000

// Unpaid lists the payments that want a person, at most MaxUnpaid.
func (b *Bus) Unpaid(ctx context.Context) ([]worker.Payment, error) {
	unpaid := []worker.Payment{} // not null
	var done []string
	for entry, err := range read(ctx, b.History(), StreamUnpaid, SubjectUnpaid, unpaidEntry) {
		if err != nil {
			return nil, err
		}
		now, _, err := b.Payment(ctx, entry.Tenant, entry.RequestID, entry.OrderID)
		switch {
		case err != nil:
			return nil, err
		case now.Wants():
			unpaid = append(unpaid, now)
		case now.Step.Ended():
			done = append(done, unpaidSubject(entry.Tenant, worker.EncodeRef(entry.RequestID), entry.OrderID))
		}
		if len(unpaid) == MaxUnpaid {
			break
		}
	}
	for _, subject := range done {
		if err := b.unlist(ctx, subject); err != nil {
			return nil, err
		}
	}
	return unpaid, nil
}

func unpaidEntry(msg jetstream.Msg) (p worker.Payment, err error) {
	if err := json.Unmarshal(msg.Data(), &p); err != nil {
		return p, fmt.Errorf("%s: %w", msg.Subject(), err)
	}
	p.Tenant, _ = parseTokens(msg.Subject()[len(unpaidPrefix):])
	return p, nil
}
