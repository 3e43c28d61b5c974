package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// ConsumerOrders is the durable consumer that all workers share on StreamStatus and on StreamStray: what follows from what 1688
// told is done once for all of them.
const ConsumerOrders = "orders"

const (
	// ordersAtOnce is how many of them a process has in work.
	ordersAtOnce = 4
	// ordersPause is the pause after the first attempt; it doubles up to maxOrdersPause.
	ordersPause    = time.Second
	maxOrdersPause = 15 * time.Minute
	// statusAttempts are about a day. A stray that is not seen for as long as strayAttempts, about two hours, is left where it is.
	statusAttempts = 105
	strayAttempts  = 17
)

// FollowStatuses hands each status that was stored to take, until it has returned nil; it is given up after about a day.
func (b *Bus) FollowStatuses(ctx context.Context, take func(context.Context, worker.Status) error) error {
	return b.handOut(ctx, handout{
		stream: StreamStatus, config: durable(ConsumerOrders, "What happened to orders, to find out what pushes do not tell."),
		atOnce: ordersAtOnce, pause: ordersPause, maxPause: maxOrdersPause, attempts: statusAttempts, common: true,
		undone: "what was sent for an order is not known yet",
		do: func(ctx context.Context, msg jetstream.Msg) error {
			if e := entryOf(StreamStatus, msg); e.Status != nil {
				return take(ctx, *e.Status)
			}
			return garbled{errors.New("it is no status")}
		},
	})
}

// FollowStrays hands each push that was kept apart to take, until it has returned nil; it is given up, and stays apart, after about
// two hours.
func (b *Bus) FollowStrays(ctx context.Context, take func(context.Context, worker.Stray) error) error {
	return b.handOut(ctx, handout{
		stream: StreamStray, config: durable(ConsumerOrders, "Pushes that were kept apart, to look once more whose they are."),
		atOnce: ordersAtOnce, pause: ordersPause, maxPause: maxOrdersPause, attempts: strayAttempts, common: true,
		undone: "whose order a push is about is not known yet",
		do: func(ctx context.Context, msg jetstream.Msg) error {
			var stray worker.Stray
			if err := json.Unmarshal(msg.Data(), &stray); err != nil {
				return garbled{err}
			}
			return take(ctx, stray)
		},
	})
}

func entryOf(stream string, msg jetstream.Msg) worker.Entry {
	return Message{Stream: stream, Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data()}.Entry()
}

// Replace writes down anew why a push is kept apart. Errors are *worker.Trouble.
func (o *Outbox) Replace(ctx context.Context, stray worker.Stray) error {
	body, err := json.Marshal(stray)
	if err != nil {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "a push cannot be written", Err: err}
	}
	subject := straySubject(stray.AppKey, stray.EventID)
	return persist(ctx, "keep a push apart", func(ctx context.Context) error {
		_, err := o.bus.js.PublishMsg(ctx, traced(ctx, message(subject, body)), jetstream.WithExpectStream(StreamStray))
		return err
	})
}

// Settle removes a push that has found its request: it is on record there. Errors are *worker.Trouble.
func (o *Outbox) Settle(ctx context.Context, stray worker.Stray) error {
	return persist(ctx, "remove a push", func(ctx context.Context) error {
		stream, err := o.bus.stream(ctx, StreamStray)
		if err == nil {
			err = stream.Purge(ctx, jetstream.WithPurgeSubject(straySubject(stray.AppKey, stray.EventID)))
		}
		if err != nil {
			return fmt.Errorf("stream %s: %w", StreamStray, err)
		}
		return nil
	})
}

// Strays lists what is kept apart, the oldest first.
func (b *Bus) Strays(ctx context.Context) (all []worker.Stray, err error) {
	for stray, err := range read(ctx, b.History(), StreamStray, SubjectStray, func(msg jetstream.Msg) (stray worker.Stray, err error) {
		return stray, json.Unmarshal(msg.Data(), &stray)
	}) {
		if err != nil {
			return nil, err
		}
		all = append(all, stray)
	}
	return all, nil
}
