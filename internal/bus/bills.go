package bus

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// billsAhead is how many results are asked for ahead of the cashiers: most are not to be paid for, and only passed by.
const billsAhead = 32

// Bills hands out results to cashiers, all of them those of one durable consumer. It is safe for concurrent use.
type Bills struct {
	bus *Bus

	mu       sync.Mutex
	messages jetstream.MessagesContext // nil: to be opened, or opened again
	every    time.Duration             // how often the broker must hear of one that is worked on
	closed   bool
}

// Bills opens the results for cashiers; Close must be called in the end. It returns an error when the streams were not provisioned.
func (b *Bus) Bills(ctx context.Context) (*Bills, error) {
	bills := &Bills{bus: b}
	_, err := bills.open(ctx)
	return bills, err
}

// open begins to read. A consumer that was removed begins anew with all results that are kept, which is harmless: the record of each
// payment says how far it got.
func (b *Bills) open(ctx context.Context) (jetstream.MessagesContext, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.messages != nil || b.closed {
		return b.messages, nil
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
	b.every = consumer.CachedInfo().Config.AckWait / 3
	b.messages, err = consumer.Messages(jetstream.PullMaxMessages(billsAhead), jetstream.PullHeartbeat(pullHeartbeat),
		jetstream.PullExpiry(pullExpires), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	return b.messages, err
}

// Next waits for a result whose orders are to be paid for; see worker.Bills. One that cannot be read is passed over, with an alarm.
func (b *Bills) Next(ctx context.Context) (worker.Bill, error) {
	for ctx.Err() == nil {
		messages, err := b.open(ctx)
		if err != nil {
			return worker.Bill{}, natsDown("wait for a result", err)
		}
		if messages == nil {
			return worker.Bill{}, natsDown("wait for a result", errClosed)
		}
		msg, err := messages.Next(jetstream.NextContext(ctx))
		switch {
		case ctx.Err() != nil && err != nil:
		case err != nil:
			b.renew(messages)
			return worker.Bill{}, natsDown("wait for a result", err)
		case !bytes.Contains(msg.Data(), toBePaid):
			_ = msg.Ack() // one that gets lost comes again
		default:
			bill, err := asBill(msg, b.every)
			if err == nil {
				return bill, nil
			}
			b.bus.alarm("a result cannot be read, and its orders are not paid for: " + err.Error())
			_ = msg.TermWithReason("cannot be read")
		}
	}
	return worker.Bill{}, context.Cause(ctx)
}

// toBePaid stands in every result that is to be paid for: Outbox writes it so. Most results are told apart by it without being read.
var toBePaid = []byte(`"pay":"auto"`)

// renew has the consumer looked for again, unless somebody else did so meanwhile.
func (b *Bills) renew(messages jetstream.MessagesContext) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.messages == messages {
		b.messages = nil
	}
	messages.Stop()
}

// Close hands back what nobody took, so that another cashier has it at once. Nobody may wait for a result any more.
func (b *Bills) Close() {
	b.mu.Lock()
	messages := b.messages
	b.messages, b.closed = nil, true
	b.mu.Unlock()
	if messages == nil {
		return
	}
	messages.Drain()
	for {
		msg, err := messages.Next()
		if err != nil {
			return
		}
		_ = msg.Nak()
	}
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
	if meta, err := msg.Metadata(); err == nil {
		bill.Attempt = int(meta.NumDelivered)
	}
	return bill, nil
}
