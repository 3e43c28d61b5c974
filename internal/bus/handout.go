package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// handoutWait is after how long the broker takes who was handed a message for dead. Longer than do may take.
const handoutWait = 30 * time.Second

// handout hands the messages of a stream to whoever asks for them, each until it is done: what one process was given and did not
// end goes to another, and a broker that restarts loses none. The consumer is made when it is asked for first.
type handout struct {
	stream   string
	config   jetstream.ConsumerConfig
	atOnce   int           // messages in work in this process
	pause    time.Duration // after the first attempt; it doubles up to maxPause
	maxPause time.Duration
	attempts uint64 // then it is given up
	undone   string // what the log says of an attempt in vain
	common   bool   // that is daily business, until it is given up
	do       func(context.Context, jetstream.Msg) error
}

// durable is what all handouts' consumers have in common.
func durable(name, description string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: name, Description: description, AckPolicy: jetstream.AckExplicitPolicy, AckWait: handoutWait, MaxDeliver: -1,
	}
}

// garbled marks a message that cannot be read however often it is tried.
type garbled struct{ error }

// handOut begins to hand out until ctx ends or the bus is closed. Its error says that the consumer could not be made.
func (b *Bus) handOut(ctx context.Context, h handout) error {
	consumer, err := b.handoutConsumer(ctx, h)
	if err != nil {
		return err
	}
	b.running.Go(func() {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(b.closing, cancel)()
		for {
			if err == nil {
				b.handAll(ctx, h, consumer)
			}
			if !wait(ctx, repairEvery) {
				return
			}
			consumer, err = b.handoutConsumer(ctx, h) // if somebody has removed it, what is recorded from now on is handed out
		}
	})
	return nil
}

// handoutConsumer makes the consumer, or gives the one that is there.
func (b *Bus) handoutConsumer(ctx context.Context, h handout) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	consumer, err := b.js.CreateOrUpdateConsumer(ctx, h.stream, h.config)
	if err != nil {
		return nil, fmt.Errorf("consumer %s of stream %s: %w", h.config.Durable, h.stream, err)
	}
	return consumer, nil
}

// handAll asks for one message after the other, so many at once, until ctx ends or the broker is out of reach.
func (b *Bus) handAll(ctx context.Context, h handout, consumer jetstream.Consumer) {
	done := make(chan struct{})
	for range h.atOnce {
		go func() {
			defer func() { done <- struct{}{} }()
			b.hand(ctx, h, consumer)
		}()
	}
	for range h.atOnce {
		<-done
	}
}

func (b *Bus) hand(ctx context.Context, h handout, consumer jetstream.Consumer) {
	for {
		msg, err := consumer.Next(jetstream.FetchContext(ctx))
		switch {
		case err == nil:
			b.try(ctx, h, msg)
		case !errors.Is(err, nats.ErrTimeout): // that there is none is no failure
			return
		}
	}
}

func (b *Bus) try(ctx context.Context, h handout, msg jetstream.Msg) {
	err := h.do(ctx, msg)
	if bad, ok := errors.AsType[garbled](err); ok {
		b.alarm("a message on " + msg.Subject() + " cannot be read: " + bad.Error())
		_ = msg.TermWithReason("cannot be read")
		return
	}
	if err == nil {
		_ = msg.DoubleAck(ctx) // if it is lost, it is handed out once more
		return
	}
	attempt, sequence := uint64(1), uint64(0)
	if meta, err := msg.Metadata(); err == nil {
		attempt, sequence = meta.NumDelivered, meta.Sequence.Stream
	}
	line := b.config.Log.Warn()
	if h.common && attempt < h.attempts {
		line = b.config.Log.Debug()
	}
	if attempt >= h.attempts {
		line = b.config.Log.Error()
		if h.common {
			line = b.config.Log.Warn()
		}
		_ = msg.TermWithReason("tried in vain")
	} else {
		_ = msg.NakWithDelay(min(h.pause<<min(attempt-1, 30), h.maxPause))
	}
	line.Err(err).Str("subject", msg.Subject()).Uint64("sequence", sequence).Uint64("attempt", attempt).
		Bool("given_up", attempt >= h.attempts).Msg(h.undone)
}
