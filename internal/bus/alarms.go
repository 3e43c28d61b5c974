package bus

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

const (
	// alarmAttempts is how often an alarm is told in vain before it is given up, after about a day.
	alarmAttempts = 150
	// alarmPause is the pause after the first attempt; it doubles up to maxAlarmPause.
	alarmPause    = time.Second
	maxAlarmPause = 10 * time.Minute
)

// alarmKinds are what persons are told of, as far as whoever tells them does not leave an event out.
var alarmKinds = []worker.EventKind{worker.EventLow, worker.EventExhausted, worker.EventBenched, worker.EventStopped, worker.EventSpent, worker.EventEnding}

// Alarms hands the pools' alarms to tell until ctx ends or the bus is closed: what is recorded after the first process has asked for
// them, in the order of their pools' journals but for repeats. Of all processes that ask, one is handed each alarm. When tell has
// returned nil it is over; else it is handed out again after a growing pause, and given up with a line in the log after about a
// day. A process that ends in between, and a broker that restarts, lose none: such an alarm is handed out once more.
//
// tell must return within 15 s. The error of Alarms says that the consumer could not be made.
func (b *Bus) Alarms(ctx context.Context, tell func(context.Context, worker.PoolEvent) error) error {
	config := durable(ConsumerAlarms, "What a person must know of the key pools; each alarm is told once.")
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
	config := durable(ConsumerAlarms, "What a person must know of the queue; each alarm is told once.")
	config.DeliverPolicy, config.FilterSubjects = jetstream.DeliverLastPerSubjectPolicy, []string{SubjectAlarms}
	return b.tellOnce(ctx, StreamAlarms, config, func(ctx context.Context, msg jetstream.Msg) error {
		var alarm worker.Alarm
		if err := json.Unmarshal(msg.Data(), &alarm); err != nil {
			return garbled{err}
		}
		return tell(ctx, alarm)
	})
}

// tellOnce hands a stream's messages to tell, one after the other, each until it returns nil.
func (b *Bus) tellOnce(ctx context.Context, stream string, config jetstream.ConsumerConfig, tell func(context.Context, jetstream.Msg) error) error {
	return b.handOut(ctx, handout{
		stream: stream, config: config, atOnce: 1, pause: alarmPause, maxPause: maxAlarmPause, attempts: alarmAttempts,
		undone: "an alarm was not told", do: tell,
	})
}
