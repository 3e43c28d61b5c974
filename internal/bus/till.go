package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// What an account pays in a day is the messages on one subject: each changes the sum, under the condition that the one before it
// is the last, so that two who see the same room cannot both take it. An intent is entered in the same stream before it is counted:
// whether it is counted is found by reading from its place on.

// counting is one change of a day's sum.
type counting struct {
	Intent uint64     `json:"intent"` // place of the payment's entry
	Order  string     `json:"order_id"`
	Amount worker.Fen `json:"amount_fen"`
	Back   bool       `json:"back,omitempty"` // it is counted no longer
	Sum    worker.Fen `json:"sum_fen"`
}

// Take counts a payment; see worker.Till.
func (b *Bus) Take(ctx context.Context, p worker.Payment, ceiling worker.Fen) (counted bool, err error) {
	err = persist(ctx, "count a payment", func(ctx context.Context) error {
		counted, err = b.count(ctx, p, p.Amount, ceiling)
		return err
	})
	return counted, err
}

// GiveBack counts it no longer; see worker.Till.
func (b *Bus) GiveBack(ctx context.Context, p worker.Payment) error {
	if p.Intent == 0 || p.Day == "" {
		return nil
	}
	return persist(ctx, "count a payment no longer", func(ctx context.Context) error {
		_, err := b.count(ctx, p, 0, 0)
		return err
	})
}

// count makes a payment's share of its day's sum what it is to be; false if that would pass the ceiling, 0 for none.
func (b *Bus) count(ctx context.Context, p worker.Payment, want, ceiling worker.Fen) (counted bool, err error) {
	for err = errFaster; ctx.Err() == nil; {
		if counted, err = b.countOnce(ctx, p, want, ceiling); !errors.Is(err, errFaster) {
			break
		}
	}
	return counted, err
}

func (b *Bus) countOnce(ctx context.Context, p worker.Payment, want, ceiling worker.Fen) (bool, error) {
	subject := tillSubject(p.Account, p.Day)
	last, place, err := b.sum(ctx, subject)
	if err != nil {
		return false, err
	}
	share, err := b.share(ctx, subject, p.Intent, place)
	change := want - share
	switch {
	case err != nil:
		return false, err
	case change == 0:
		return true, nil
	case change > 0 && ceiling > 0 && last.Sum+change > ceiling:
		return false, nil
	}
	body, err := json.Marshal(counting{Intent: p.Intent, Order: p.OrderID, Amount: max(change, -change), Back: change < 0, Sum: last.Sum + change})
	if err != nil {
		return false, err
	}
	_, err = b.js.PublishMsg(ctx, message(subject, body), jetstream.WithExpectStream(StreamPayments), jetstream.WithExpectLastSequencePerSubject(place))
	if wrongLast(err) {
		return false, errFaster
	}
	return err == nil, err
}

// Counted is what is counted for an account on a day of China, such as 20261128: paid, or about to be.
func (b *Bus) Counted(ctx context.Context, account, day string) (worker.Fen, error) {
	c, _, err := b.sum(ctx, tillSubject(account, day))
	return c.Sum, err
}

func (b *Bus) sum(ctx context.Context, subject string) (c counting, place uint64, err error) {
	msg, err := b.last(ctx, StreamPayments, subject)
	if err != nil || msg == nil {
		return c, 0, err
	}
	if err := json.Unmarshal(msg.Data, &c); err != nil {
		return c, 0, &worker.Trouble{Code: worker.CodeInternal, Reason: "what was paid on " + subject + " cannot be read", Err: err}
	}
	return c, msg.Sequence, nil
}

// tillBatch is how many changes are read at once. There are few between an intent and what follows it.
const tillBatch = 256

// share is how much an intent has in the sum, by the changes between it and the last one.
func (b *Bus) share(ctx context.Context, subject string, intent, last uint64) (share worker.Fen, err error) {
	for from := intent + 1; from <= last; {
		changes, err := b.batch(ctx, StreamPayments, directGet{Sequence: from, Next: subject, Batch: tillBatch})
		if err != nil {
			return 0, err
		}
		for _, msg := range changes {
			var c counting
			if err := json.Unmarshal(msg.Data, &c); err != nil {
				return 0, fmt.Errorf("%s, sequence %d: %w", subject, msg.Sequence, err)
			}
			switch {
			case c.Intent != intent:
			case c.Back:
				share -= c.Amount
			default:
				share += c.Amount
			}
			from = msg.Sequence + 1
		}
		if len(changes) < tillBatch {
			break
		}
	}
	return share, nil
}

// Stopped says whether a person stopped all payments.
func (b *Bus) Stopped(ctx context.Context) (now worker.Switch, err error) {
	err = persist(ctx, "see whether payments are stopped", func(ctx context.Context) error {
		now, err = b.turned(ctx)
		return err
	})
	return now, err
}

func (b *Bus) turned(ctx context.Context) (now worker.Switch, err error) {
	msg, err := b.last(ctx, StreamPayments, SubjectSwitch)
	if err != nil || msg == nil {
		return now, err
	}
	err = json.Unmarshal(msg.Data, &now)
	return now, err
}

// Turn stops all payments, or lets them go on.
func (b *Bus) Turn(ctx context.Context, to worker.Switch) error {
	body, err := json.Marshal(to)
	if err != nil {
		return err
	}
	return persist(ctx, "stop or start payments", func(ctx context.Context) error {
		_, err := b.js.PublishMsg(ctx, message(SubjectSwitch, body), jetstream.WithExpectStream(StreamPayments))
		return err
	})
}
