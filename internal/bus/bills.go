package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// Bills hands out results to cashiers, all of them those of one durable consumer. It is safe for concurrent use.
type Bills struct {
	bus *Bus

	mu       sync.Mutex
	consumer jetstream.Consumer // nil: to be made, or found, again
}

// Bills opens the results for cashiers. It returns an error when the streams were not provisioned.
func (b *Bus) Bills(ctx context.Context) (*Bills, error) {
	bills := &Bills{bus: b}
	_, err := bills.open(ctx)
	return bills, err
}

// open gives the consumer. One that was removed begins anew with all results that are kept, which is harmless: the record of each
// payment says how far it got.
func (b *Bills) open(ctx context.Context) (jetstream.Consumer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.consumer != nil {
		return b.consumer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	consumer, err := b.bus.js.CreateOrUpdateConsumer(ctx, StreamResults, jetstream.ConsumerConfig{
		Durable: ConsumerCashier, Description: "Results whose orders may have to be paid for; all cashiers share it.",
		FilterSubject: resultPrefix + "*.*", DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: cmp.Or(b.bus.config.AckWait, newAckWait), MaxDeliver: -1, MaxAckPending: maxAckPending, MaxWaiting: maxPulls,
	})
	if err != nil {
		return nil, fmt.Errorf("consumer %s of stream %s: %w", ConsumerCashier, StreamResults, err)
	}
	b.consumer = consumer
	return consumer, nil
}

// Next waits for a result; see worker.Bills. One that cannot be read is passed over, with an alarm.
func (b *Bills) Next(ctx context.Context) (worker.Bill, error) {
	for ctx.Err() == nil {
		consumer, err := b.open(ctx)
		if err != nil {
			return worker.Bill{}, natsDown("wait for a result", err)
		}
		msg, err := consumer.Next(jetstream.FetchContext(ctx))
		if err != nil {
			if ctx.Err() == nil && b.bus.closing.Err() == nil && errors.Is(err, nats.ErrTimeout) {
				continue
			}
			b.forget()
			return worker.Bill{}, natsDown("wait for a result", err)
		}
		bill, err := asBill(msg, consumer.CachedInfo().Config.AckWait/3)
		if err == nil {
			return bill, nil
		}
		b.bus.alarm("a result cannot be read, and its orders are not paid for: " + err.Error())
		_ = msg.TermWithReason("cannot be read")
	}
	return worker.Bill{}, context.Cause(ctx)
}

func (b *Bills) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.consumer = nil
}

func asBill(msg jetstream.Msg, every time.Duration) (worker.Bill, error) {
	result, err := readResult(msg.Subject(), msg.Data())
	if err != nil {
		return worker.Bill{}, err
	}
	bill := worker.Bill{Result: result, Attempt: 1,
		Alive: func() { _ = msg.InProgress() }, Every: every,
		Done:  msg.DoubleAck,
		Again: func(_ context.Context, after time.Duration) error { return msg.NakWithDelay(after) },
	}
	if result.Pay != worker.PayAuto { // nothing was done about it that must not be forgotten
		bill.Done = func(context.Context) error { return msg.Ack() }
	}
	if meta, err := msg.Metadata(); err == nil {
		bill.Attempt = int(meta.NumDelivered)
	}
	return bill, nil
}
