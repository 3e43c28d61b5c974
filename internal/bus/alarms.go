package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

const (
	// alarmWait is after how long the broker takes who was given an alarm for dead. Longer than an attempt may take.
	alarmWait = 30 * time.Second
	// alarmAttempts is how often an alarm is told in vain before it is given up, after about a day.
	alarmAttempts = 150
	// alarmPause is the pause after the first attempt; it doubles up to maxAlarmPause.
	alarmPause    = time.Second
	maxAlarmPause = 10 * time.Minute
)

// alarmKinds are what persons are told of, as far as whoever tells them does not leave an event out.
var alarmKinds = []worker.EventKind{worker.EventLow, worker.EventExhausted, worker.EventBenched, worker.EventSpent, worker.EventEnding}

// Alarms hands the pools' alarms to tell until ctx ends or the bus is closed: what is recorded after the first process has asked for
// them, in the order of their pools' journals but for repeats. Of all processes that ask, one is handed each alarm. When tell has
// returned nil it is over; else it is handed out again after a growing pause, and given up with a line in the log after about a
// day. A process that ends in between, and a broker that restarts, lose none: such an alarm is handed out once more.
//
// tell must return within 15 s. The error of Alarms says that the consumer could not be made.
func (b *Bus) Alarms(ctx context.Context, tell func(context.Context, worker.PoolEvent) error) error {
	config := alarmConfig("What a person must know of the key pools; each alarm is told once.")
	config.DeliverPolicy = jetstream.DeliverNewPolicy
	for _, kind := range alarmKinds {
		config.FilterSubjects = append(config.FilterSubjects, eventSubject("*", kind))
	}
	return b.tellOnce(ctx, StreamKeyPool, config, func(ctx context.Context, msg jetstream.Msg) error {
		event, err := schemas.DecodePoolEvent(msg.Data())
		if err != nil {
			return garbled{err}
		}
		return tell(ctx, event)
	})
}

// QueueAlarms does the same with what Report stores, beginning with what is wrong, or over, when the first process asks for it.
func (b *Bus) QueueAlarms(ctx context.Context, tell func(context.Context, worker.Alarm) error) error {
	config := alarmConfig("What a person must know of the queue; each alarm is told once.")
	config.DeliverPolicy, config.FilterSubjects = jetstream.DeliverLastPerSubjectPolicy, []string{SubjectAlarms}
	return b.tellOnce(ctx, StreamAlarms, config, func(ctx context.Context, msg jetstream.Msg) error {
		var alarm worker.Alarm
		if err := json.Unmarshal(msg.Data(), &alarm); err != nil {
			return garbled{err}
		}
		return tell(ctx, alarm)
	})
}

func alarmConfig(description string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: ConsumerAlarms, Description: description, AckPolicy: jetstream.AckExplicitPolicy, AckWait: alarmWait, MaxDeliver: -1,
	}
}

// garbled marks a message that will not be told however often it is tried.
type garbled struct{ error }

// tellOnce hands a stream's messages to tell, one after the other, each until it returns nil.
func (b *Bus) tellOnce(ctx context.Context, stream string, config jetstream.ConsumerConfig, tell func(context.Context, jetstream.Msg) error) error {
	consumer, err := b.alarmConsumer(ctx, stream, config)
	if err != nil {
		return err
	}
	b.running.Go(func() {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(b.closing, cancel)()
		for {
			if err == nil {
				b.tellAlarms(ctx, consumer, tell)
			}
			if !wait(ctx, repairEvery) {
				return
			}
			consumer, err = b.alarmConsumer(ctx, stream, config) // if somebody has removed it, what is recorded from now on is told
		}
	})
	return nil
}

// alarmConsumer makes the consumer, or gives the one that is there.
func (b *Bus) alarmConsumer(ctx context.Context, stream string, config jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	consumer, err := b.js.CreateOrUpdateConsumer(ctx, stream, config)
	if err != nil {
		return nil, fmt.Errorf("consumer %s of stream %s: %w", ConsumerAlarms, stream, err)
	}
	return consumer, nil
}

// tellAlarms asks for one alarm after the other until ctx ends or the broker is out of reach.
func (b *Bus) tellAlarms(ctx context.Context, consumer jetstream.Consumer, tell func(context.Context, jetstream.Msg) error) {
	for {
		msg, err := consumer.Next(jetstream.FetchContext(ctx))
		switch {
		case err == nil:
			b.tellAlarm(ctx, msg, tell)
		case !errors.Is(err, nats.ErrTimeout): // that there is none is no failure
			return
		}
	}
}

func (b *Bus) tellAlarm(ctx context.Context, msg jetstream.Msg, tell func(context.Context, jetstream.Msg) error) {
	err := tell(ctx, msg)
	if bad, ok := errors.AsType[garbled](err); ok {
		b.alarm("an alarm on " + msg.Subject() + " cannot be read: " + bad.Error())
		_ = msg.TermWithReason("cannot be read")
		return
	}
	if err == nil {
		_ = msg.DoubleAck(ctx) // if it is lost, it is told once more
		return
	}
	attempt, sequence := uint64(1), uint64(0)
	if meta, err := msg.Metadata(); err == nil {
		attempt, sequence = meta.NumDelivered, meta.Sequence.Stream
	}
	line := b.config.Log.Warn()
	if attempt >= alarmAttempts {
		line = b.config.Log.Error()
		_ = msg.TermWithReason("told in vain")
	} else {
		_ = msg.NakWithDelay(min(alarmPause<<min(attempt-1, 30), maxAlarmPause))
	}
	line.Err(err).Str("subject", msg.Subject()).Uint64("sequence", sequence).Uint64("attempt", attempt).
		Bool("given_up", attempt >= alarmAttempts).Msg("an alarm was not told")
}
