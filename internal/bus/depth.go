package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Depth is how much work there is.
type Depth struct {
	Waiting     uint64    `json:"waiting"`         // requests never delivered yet
	InFlight    int       `json:"in_flight"`       // delivered and not acknowledged, those that wait for their next try included
	Redelivered int       `json:"redelivered"`     // of those in flight, delivered more than once
	Oldest      time.Time `json:"oldest,omitzero"` // when the oldest unfinished request was published; zero if there is none

	behind uint64    // sequence of the last request that was delivered: those that wait are behind it
	at     time.Time // by the broker's clock
}

// ErrNoQueue is returned by Depth, wrapped, when the broker has no purchase queue yet: the first worker makes it.
var ErrNoQueue = errors.New("there is no purchase queue")

// CheckQueue returns ErrNoQueue, wrapped, if the broker takes no requests of the tenant, and other errors if that cannot be
// found out. It needs no more rights than a publisher has.
func (b *Bus) CheckQueue(ctx context.Context, tenant string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	subject := requestSubject(tenant, noTenant)
	_, err := b.lastOf(ctx, StreamRequests, subject)
	if errors.Is(err, nats.ErrNoResponders) {
		return fmt.Errorf("%w: no stream %s", ErrNoQueue, StreamRequests)
	}
	return err
}

// Depth asks the broker. It returns an error when the queue is missing or the broker is out of reach.
func (b *Bus) Depth(ctx context.Context) (Depth, error) {
	var consumer jetstream.Consumer
	err := b.forbidden.permitted(ctx, api("CONSUMER.INFO", StreamRequests)+"."+ConsumerWorker, func(ctx context.Context) (err error) {
		consumer, err = b.js.Consumer(ctx, StreamRequests, ConsumerWorker)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return Depth{}, fmt.Errorf("%w: no stream %s", ErrNoQueue, StreamRequests)
	case err != nil:
		return Depth{}, fmt.Errorf("consumer %s of stream %s: %w", ConsumerWorker, StreamRequests, err)
	}
	info := consumer.CachedInfo()
	depth := Depth{
		Waiting: info.NumPending, InFlight: info.NumAckPending, Redelivered: info.NumRedelivered,
		behind: info.Delivered.Stream, at: info.TimeStamp,
	}
	if depth.Waiting == 0 && depth.InFlight == 0 {
		return depth, nil
	}
	// All up to the floor is acknowledged; the first message behind it is not, or the floor would be there.
	oldest, err := b.first(ctx, StreamRequests, directGet{Sequence: info.AckFloor.Stream + 1, Next: SubjectRequests})
	if err != nil {
		return depth, fmt.Errorf("oldest request: %w", err)
	}
	if oldest != nil { // else it was finished in this moment
		depth.Oldest = oldest.Time
	}
	return depth, nil
}
