package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

const (
	// dedupe is how long message ids of requests and results are remembered. It only saves look-ups: the subjects are what
	// makes a request unique, and what makes a result the first.
	dedupe = 2 * time.Minute
	// dedupeEvents is for messages that nothing but their id makes unique: 1688 pushes again what was not confirmed.
	dedupeEvents = 24 * time.Hour

	maxAckPending = 100_000 // requests in work and waiting for their next try, of all workers together
	maxPulls      = 16_384  // pull requests open at the same time, of all workers together
)

// spec is what the streams must be like. What is not named here is the operator's: placement, size limits, compression.
func (b *Bus) spec() []jetstream.StreamConfig {
	keep := b.config.Retention
	return []jetstream.StreamConfig{
		{
			Name: StreamRequests, Subjects: allLanes(), MaxAge: keep.Requests, Duplicates: dedupe,
			Description:       "Purchase requests. One message per subject: the broker refuses a second request with the same id.",
			MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, AllowDirect: true,
		},
		{
			Name: StreamHeld, Subjects: []string{heldSubjects, dueSubjects}, MaxAge: keep.Requests, Duplicates: dedupe, AllowDirect: true,
			Description: "Requests whose time has not come, by schedule, and those whose time has.", MaxMsgsPerSubject: 1, AllowMsgSchedules: true,
		},
		{
			Name: StreamResults, Subjects: []string{SubjectResults}, MaxAge: keep.Results, Duplicates: dedupe, AllowDirect: true,
			Description: "What became of each request. The last message on a subject counts.",
		},
		{
			Name: StreamStatus, Subjects: []string{SubjectStatus}, MaxAge: keep.Status, Duplicates: dedupeEvents, AllowDirect: true,
			Description: "The later life of orders: paid, shipped, received, closed.",
		},
		{
			Name: StreamStray, Subjects: []string{SubjectStray}, MaxAge: keep.Status, Duplicates: dedupe, AllowDirect: true,
			Description: "What 1688 pushed about orders that are not known here, or about none. One message per subject.", MaxMsgsPerSubject: 1,
		},
		{
			Name: StreamDead, Subjects: []string{SubjectDead}, MaxAge: keep.Dead, Duplicates: dedupeEvents, AllowDirect: true,
			Description: "Requests that could not be read or were given up, with the reason.",
		},
		{
			Name: StreamParked, Subjects: []string{SubjectParked}, MaxAge: keep.Results, Duplicates: dedupe, AllowDirect: true,
			Description: "The requests that are parked for a person, one message each.", MaxMsgsPerSubject: 1,
		},
		{
			Name: StreamAlarms, Subjects: []string{SubjectAlarms}, MaxAge: keep.Dead, Duplicates: dedupe, AllowDirect: true,
			Description: "What a person must know. The last message on a subject says whether it is still so.",
		},
		{
			Name: StreamJournal, Subjects: []string{SubjectJournal}, MaxAge: keep.Results, Duplicates: dedupeEvents, AllowDirect: true,
			Description: "What persons did to requests and dead letters: who, and why; and which orders of 1688 they bound to requests.",
		},
		{
			Name: StreamPayments, Subjects: []string{SubjectPayments, SubjectTill}, Duplicates: dedupe, AllowDirect: true,
			Description: "The record of each order's payment, and what is paid by account and day. It keeps orders from being paid for twice, so it is never trimmed.",
		},
		{
			Name: StreamUnpaid, Subjects: []string{SubjectUnpaid}, Duplicates: dedupe, AllowDirect: true,
			Description: "The payments that want a person, one message each.", MaxMsgsPerSubject: 1,
		},
		{
			Name: StreamChoices, Subjects: []string{SubjectChoices}, MaxAge: keep.Requests, Duplicates: dedupe, AllowDirect: true,
			Description:       "What was chosen of requests' alternatives, before anything was drawn for them. One message per subject: the first stands.",
			MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
		},
		{
			Name: StreamMerge, Subjects: []string{SubjectMerge}, MaxAge: keep.Results, Duplicates: dedupe, AllowDirect: true,
			Description:       "How each request is bought that may be bought together with others. One message per subject: the broker refuses a second one.",
			MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
		},
		{
			Name: StreamKeyPool, Subjects: []string{SubjectPoolEvent}, Duplicates: dedupeEvents, AllowDirect: true,
			Description: "Journal of the key pools. Pools are rebuilt from it, so it is never trimmed.",
		},
	}
}

// streams are the streams, as they are if nothing else is said.
func streams() []jetstream.StreamConfig { return (&Bus{config: Config{}.withDefaults()}).spec() }

// Provision makes the streams and the workers' consumer, or brings those that exist up to date, and changes nothing when it is
// repeated: it only looks where all is well, which a user without the right to make them may do too. It returns an error when a
// stream of the same name exists with settings that cannot be changed to what is needed, and ErrForbidden, wrapped, when this
// user may not make what is missing.
func (b *Bus) Provision(ctx context.Context) error {
	if err := b.narrow(ctx); err != nil {
		return err
	}
	for _, spec := range b.config.Apart.moved(b.spec()) {
		if err := b.provisionStream(ctx, spec); err != nil {
			return err
		}
	}
	for _, lane := range worker.Lanes() {
		if err := b.provisionConsumer(ctx, lane); err != nil {
			return err
		}
	}
	return nil
}

// narrow keeps the consumer of a queue from before there were lanes to the normal one, before the stream takes requests of others:
// workers of that time know no other subjects.
func (b *Bus) narrow(ctx context.Context) error {
	_, err := b.js.Consumer(ctx, b.stored(StreamRequests), ConsumerWorker)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrConsumerNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("consumer %s of stream %s: %w", ConsumerWorker, b.stored(StreamRequests), err)
	}
	return b.provisionConsumer(ctx, worker.LaneNormal)
}

func (b *Bus) provisionStream(ctx context.Context, spec jetstream.StreamConfig) error {
	spec.Storage, spec.Retention, spec.Replicas = jetstream.FileStorage, jetstream.LimitsPolicy, max(b.config.Replicas, 1)
	stream, err := b.js.Stream(ctx, spec.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		var made jetstream.Stream
		if err = b.make(ctx, "STREAM.CREATE", spec.Name, func(ctx context.Context) (err error) {
			made, err = b.js.CreateStream(ctx, spec)
			return err
		}); err == nil {
			return able(made.CachedInfo().Config, spec)
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another one was faster
			stream, err = b.js.Stream(ctx, spec.Name)
		}
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", spec.Name, err)
	}
	return b.updateStream(ctx, stream.CachedInfo().Config, spec)
}

// able says what a server did not take over of what is needed: an old one reads over what it does not know.
func able(have, spec jetstream.StreamConfig) error {
	if spec.AllowMsgSchedules && !have.AllowMsgSchedules {
		return fmt.Errorf("stream %s: %w", spec.Name, errNoSchedules)
	}
	return nil
}

// make takes a step that needs the right to make things.
func (b *Bus) make(ctx context.Context, what, name string, step func(context.Context) error) error {
	return b.forbidden.permitted(ctx, api(what, name), step)
}

// updateStream changes what must be so and keeps what is the operator's.
func (b *Bus) updateStream(ctx context.Context, have, spec jetstream.StreamConfig) error {
	if have.Retention != jetstream.LimitsPolicy || have.Mirror != nil {
		return fmt.Errorf("stream %s exists with retention %s, which cannot be changed: remove it, or rename it if its messages are needed",
			spec.Name, have.Retention)
	}
	want := have
	want.Subjects, want.Description, want.MaxAge, want.Duplicates = spec.Subjects, spec.Description, spec.MaxAge, spec.Duplicates
	want.AllowMsgSchedules = have.AllowMsgSchedules || spec.AllowMsgSchedules
	want.AllowDirect, want.NoAck, want.Sealed = spec.AllowDirect, false, false
	if spec.DiscardNewPerSubject {
		want.MaxMsgsPerSubject, want.Discard, want.DiscardNewPerSubject = spec.MaxMsgsPerSubject, spec.Discard, true
	}
	if b.config.Replicas > 0 {
		want.Replicas = b.config.Replicas
	}
	if reflect.DeepEqual(have, want) {
		return nil
	}
	var made jetstream.Stream
	if err := b.make(ctx, "STREAM.UPDATE", spec.Name, func(ctx context.Context) (err error) {
		made, err = b.js.UpdateStream(ctx, want)
		return err
	}); err != nil {
		return fmt.Errorf("stream %s exists with settings that cannot be changed to what is needed: %w", spec.Name, err)
	}
	b.config.Log.Info().Str("stream", spec.Name).Msg("stream settings updated")
	return able(made.CachedInfo().Config, spec)
}

// consumer is how workers get the requests of a lane. Nothing disappears at a number of deliveries: the worker itself decides when to give
// up. There is no BackOff, since it would replace AckWait and so cut the sign of life short.
func (b *Bus) consumer(lane worker.Lane, ackWait time.Duration) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       laneConsumer(lane),
		FilterSubject: b.at(laneSubjects(lane)),
		Description:   "All workers share it; pending and unacknowledged messages are the depth of its lane.",
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxDeliver:    -1,
		MaxAckPending: maxAckPending,
		MaxWaiting:    maxPulls,
	}
}

// newAckWait is a new consumer's, if nothing is said.
const newAckWait = 30 * time.Second

func (b *Bus) provisionConsumer(ctx context.Context, lane worker.Lane) error {
	want := b.consumer(lane, cmp.Or(b.config.AckWait, newAckWait))
	consumer, err := b.js.Consumer(ctx, b.stored(StreamRequests), want.Durable)
	if err == nil {
		have := consumer.CachedInfo().Config
		want.AckWait = cmp.Or(b.config.AckWait, have.AckWait)
		want.Name, want.ReplayPolicy, want.Replicas, want.Metadata = have.Name, have.ReplayPolicy, have.Replicas, have.Metadata
		if reflect.DeepEqual(have, want) {
			return nil
		}
	}
	if err == nil || errors.Is(err, jetstream.ErrConsumerNotFound) {
		err = b.make(ctx, "CONSUMER.CREATE", b.stored(StreamRequests)+"."+want.Durable+"."+want.FilterSubject, func(ctx context.Context) error {
			_, err := b.js.CreateOrUpdateConsumer(ctx, b.stored(StreamRequests), want)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("consumer %s of stream %s: %w", want.Durable, b.stored(StreamRequests), err)
	}
	return nil
}

// ensureConsumer makes a lane's consumer if somebody has removed it. Where it exists, its right to create one is not needed.
func (b *Bus) ensureConsumer(ctx context.Context, lane worker.Lane) (*jetstream.ConsumerInfo, error) {
	name := laneConsumer(lane)
	consumer, err := b.js.Consumer(ctx, b.stored(StreamRequests), name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		b.alarm("consumer " + name + " of stream " + b.stored(StreamRequests) + " was gone: made again, every stored request of its lane is delivered once more")
		consumer, err = b.js.CreateOrUpdateConsumer(ctx, b.stored(StreamRequests), b.consumer(lane, cmp.Or(b.config.AckWait, newAckWait)))
	}
	if err != nil {
		return nil, fmt.Errorf("consumer %s of stream %s: %w", name, b.stored(StreamRequests), err)
	}
	return consumer.CachedInfo(), nil
}
