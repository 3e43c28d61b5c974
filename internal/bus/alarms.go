package bus

import (
	"context"
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
	consumer, err := b.alarmConsumer(ctx)
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
			consumer, err = b.alarmConsumer(ctx) // if somebody has removed it, what is recorded from now on is told
		}
	})
	return nil
}

// alarmConsumer makes the consumer, or gives the one that is there.
func (b *Bus) alarmConsumer(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	consumer, err := b.js.CreateOrUpdateConsumer(ctx, StreamKeyPool, alarmConfig())
	if err != nil {
		return nil, fmt.Errorf("consumer %s of stream %s: %w", ConsumerAlarms, StreamKeyPool, err)
	}
	return consumer, nil
}

func alarmConfig() jetstream.ConsumerConfig {
	config := jetstream.ConsumerConfig{
		Durable:       ConsumerAlarms,
		Description:   "What a person must know of the key pools; each alarm is told once.",
		DeliverPolicy: jetstream.DeliverNewPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       alarmWait,
		MaxDeliver:    -1,
	}
	for _, kind := range alarmKinds {
		config.FilterSubjects = append(config.FilterSubjects, eventSubject("*", kind))
	}
	return config
}

// tellAlarms asks for one alarm after the other until ctx ends or the broker is out of reach.
func (b *Bus) tellAlarms(ctx context.Context, consumer jetstream.Consumer, tell func(context.Context, worker.PoolEvent) error) {
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

func (b *Bus) tellAlarm(ctx context.Context, msg jetstream.Msg, tell func(context.Context, worker.PoolEvent) error) {
	event, err := schemas.DecodePoolEvent(msg.Data())
	if err != nil {
		b.alarm("an alarm on " + msg.Subject() + " cannot be read: " + err.Error())
		_ = msg.TermWithReason("cannot be read")
		return
	}
	if err = tell(ctx, event); err == nil {
		_ = msg.DoubleAck(ctx) // if it is lost, it is told once more
		return
	}
	attempt := uint64(1)
	if meta, err := msg.Metadata(); err == nil {
		attempt = meta.NumDelivered
	}
	line := b.config.Log.Warn()
	if attempt >= alarmAttempts {
		line = b.config.Log.Error()
		_ = msg.TermWithReason("told in vain")
	} else {
		_ = msg.NakWithDelay(min(alarmPause<<min(attempt-1, 30), maxAlarmPause))
	}
	line.Err(err).Str("pool", event.Pool).Str("kind", string(event.Kind)).Int64("sequence", event.Sequence).Uint64("attempt", attempt).
		Bool("given_up", attempt >= alarmAttempts).Msg("an alarm was not told")
}
