package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// Depth is how much work there is.
type Depth struct {
	Waiting     uint64    `json:"waiting"`         // requests never delivered yet
	InFlight    int       `json:"in_flight"`       // delivered and not acknowledged, those that wait for their next try included
	Redelivered int       `json:"redelivered"`     // of those in flight, delivered more than once
	Oldest      time.Time `json:"oldest,omitzero"` // when the oldest unfinished request was published; zero if there is none

	lanes []laneDepth
	at    time.Time // by the broker's clock
}

// laneDepth is how much of it is in one lane.
type laneDepth struct {
	lane    worker.Lane
	waiting uint64
	behind  uint64 // sequence of the last request that was delivered: those that wait are behind it
}

// add counts a lane, as its consumer and its oldest request say.
func (d *Depth) add(lane worker.Lane, info *jetstream.ConsumerInfo, oldest *Message) {
	d.Waiting += info.NumPending
	d.InFlight += info.NumAckPending
	d.Redelivered += info.NumRedelivered
	if oldest != nil && (d.Oldest.IsZero() || oldest.Time.Before(d.Oldest)) {
		d.Oldest = oldest.Time
	}
	d.lanes, d.at = append(d.lanes, laneDepth{lane, info.NumPending, info.Delivered.Stream}), info.TimeStamp
}

// ErrNoQueue is returned by Depth, wrapped, when the broker has no purchase queue yet: the first worker makes it.
var ErrNoQueue = errors.New("there is no purchase queue")

// CheckQueue returns ErrNoQueue, wrapped, if the broker takes no requests of the tenant, and other errors if that cannot be
// found out. It needs no more rights than a publisher has.
func (b *Bus) CheckQueue(ctx context.Context, tenant string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	subject := requestSubjects(tenant, noTenant)
	_, err := b.lastOf(ctx, StreamRequests, subject)
	if errors.Is(err, nats.ErrNoResponders) {
		return fmt.Errorf("%w: no stream %s", ErrNoQueue, StreamRequests)
	}
	return err
}

// Depth asks the broker. It returns an error when the queue is missing or the broker is out of reach.
func (b *Bus) Depth(ctx context.Context) (Depth, error) {
	lanes := worker.Lanes()
	infos, oldest, errs := make([]*jetstream.ConsumerInfo, len(lanes)), make([]*Message, len(lanes)), make([]error, len(lanes))
	var asking sync.WaitGroup
	for i, lane := range lanes {
		asking.Go(func() { infos[i], oldest[i], errs[i] = b.laneDepth(ctx, lane) })
	}
	asking.Wait()
	var depth Depth
	for i, lane := range lanes {
		if infos[i] != nil {
			depth.add(lane, infos[i], oldest[i])
		}
		if errs[i] != nil {
			return depth, errs[i]
		}
	}
	return depth, nil
}

// laneDepth asks for a lane's consumer and its oldest unfinished request, nil if there is none.
func (b *Bus) laneDepth(ctx context.Context, lane worker.Lane) (*jetstream.ConsumerInfo, *Message, error) {
	name := laneConsumer(lane)
	var consumer jetstream.Consumer
	err := b.forbidden.permitted(ctx, api("CONSUMER.INFO", b.stored(StreamRequests))+"."+name, func(ctx context.Context) (err error) {
		consumer, err = b.js.Consumer(ctx, b.stored(StreamRequests), name)
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, nil, fmt.Errorf("%w: no stream %s", ErrNoQueue, b.stored(StreamRequests))
	case err != nil:
		return nil, nil, fmt.Errorf("consumer %s of stream %s: %w", name, b.stored(StreamRequests), err)
	}
	info := consumer.CachedInfo()
	if info.NumPending == 0 && info.NumAckPending == 0 {
		return info, nil, nil
	}
	// All up to the floor is acknowledged; the first message of the lane behind it is not, or the floor would be there. There is none if
	// it was finished in this moment.
	oldest, err := b.first(ctx, b.stored(StreamRequests), directGet{Sequence: info.AckFloor.Stream + 1, Next: b.at(laneSubjects(lane))})
	if err != nil {
		return info, nil, fmt.Errorf("oldest request: %w", err)
	}
	return info, oldest, nil
}
