package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// History reads what the broker has on record about a pool, so that the pool can be rebuilt. Each reading covers what was
// stored when it began, in order, without what was removed meanwhile. Its iterators end after the first error, and never
// without one before they are through: half a record would be taken for all of it, and a key for emptier than it is.
type History struct{ bus *Bus }

// History gives the history.
func (b *Bus) History() *History { return &History{bus: b} }

// Events yields the pool's journal.
func (h *History) Events(ctx context.Context, pool string) iter.Seq2[worker.PoolEvent, error] {
	if err := worker.CheckName(pool); err != nil {
		return func(yield func(worker.PoolEvent, error) bool) { yield(worker.PoolEvent{}, fmt.Errorf("pool: %w", err)) }
	}
	return read(ctx, h, StreamKeyPool, poolSubjects(pool), func(msg jetstream.Msg) (worker.PoolEvent, error) {
		event, err := schemas.DecodePoolEvent(msg.Data())
		if err != nil {
			err = fmt.Errorf("%s: %w", msg.Subject(), err)
		}
		return event, err
	})
}

// Results yields the stored results of all pools. One that replaces an unknown comes after it.
func (h *History) Results(ctx context.Context, _ string) iter.Seq2[worker.Result, error] {
	return read(ctx, h, StreamResults, SubjectResults, func(msg jetstream.Msg) (worker.Result, error) {
		return readResult(msg.Subject(), msg.Data())
	})
}

// Stored is how many results are on record.
func (h *History) Stored(ctx context.Context) (int64, error) {
	stored, err := h.bus.Stored(ctx, StreamResults)
	return int64(stored), err
}

// Delivered yields the requests that may be under way: those that were delivered and are not all acknowledged, as far as the
// consumer knows; those that are older than the consumer, since one before it may have delivered them; and the first behind them
// if the broker may have forgotten that it delivered them. What cannot be read as a request is left out: nothing is ever bought
// for it.
func (h *History) Delivered(ctx context.Context) iter.Seq2[worker.Request, error] {
	return h.unfinished(ctx, true)
}

// Waiting yields the requests behind those: never delivered, as far as is known.
func (h *History) Waiting(ctx context.Context) iter.Seq2[worker.Request, error] {
	return h.unfinished(ctx, false)
}

// A broker that is killed forgets the deliveries of the last tenth of a second, which it had not written down: hardly more than
// forgettable of them. Its workers ask for them again as soon as it is back, and by forgottenFor it knows of them again.
const (
	forgettable  = 200
	forgottenFor = time.Minute
)

// began is when this process did, with the reading of a clock that nobody sets.
var began = time.Now()

// uptime is how long that is ago.
func uptime() time.Duration { return time.Since(began) }

// forgets is when, by the broker's clock, this process last connected to it: deliveries of what was stored before may be
// forgotten. Zero if that is long ago, or if it was stopped in good order.
func (b *Bus) forgets(info *jetstream.ConsumerInfo) time.Time {
	ago := uptime() - time.Duration(b.connected.Load())
	if ago > forgottenFor || b.config.Stopped {
		return time.Time{}
	}
	return info.TimeStamp.Add(-ago)
}

func (h *History) unfinished(ctx context.Context, delivered bool) iter.Seq2[worker.Request, error] {
	return func(yield func(worker.Request, error) bool) {
		for _, lane := range worker.Lanes() {
			if !h.unfinishedIn(ctx, lane, delivered, yield) {
				return
			}
		}
	}
}

// unfinishedIn yields those of a lane, and says whether more are wanted. A number of deliveries may be forgotten of all lanes together,
// so that each is taken to have forgotten so many.
func (h *History) unfinishedIn(ctx context.Context, lane worker.Lane, delivered bool, yield func(worker.Request, error) bool) bool {
	name := laneConsumer(lane)
	consumer, err := h.bus.js.Consumer(ctx, StreamRequests, name)
	if err != nil {
		yield(worker.Request{}, fmt.Errorf("consumer %s of stream %s: %w", name, StreamRequests, err))
		return false
	}
	info := consumer.CachedInfo()
	forgets, behind := h.bus.forgets(info), 0
	at := place{stream: StreamRequests, filters: []string{laneSubjects(lane)}, next: info.AckFloor.Stream + 1}
	for msg, err := range h.upToNow(ctx, at) {
		if err != nil {
			yield(worker.Request{}, err)
			return false
		}
		if msg.sequence > info.Delivered.Stream {
			behind++
		}
		before := behind == 0 || msg.at.Before(info.Created) || behind <= forgettable && msg.at.Before(forgets)
		if delivered && !before {
			break
		}
		d := worker.Delivery{Subject: msg.Subject(), Body: msg.Data()}
		address(msg.Subject(), msg.Headers()).onto(&d)
		request, invalid := worker.Admit(&d, schemas.DecodeRequest)
		if before != delivered || invalid != nil {
			continue
		}
		joined, err := h.joined(ctx, *request)
		if !joined && !yield(*request, err) || err != nil {
			return false
		}
	}
	return true
}

// Result gives the result on record of a request, and false if there is none yet.
func (h *History) Result(ctx context.Context, tenant, id string) (worker.Result, bool, error) {
	return h.bus.Result(ctx, tenant, id)
}

// read yields what the messages of a subject say.
func read[T any](ctx context.Context, h *History, stream, subject string, decode func(jetstream.Msg) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var value T
		for msg, err := range h.upToNow(ctx, place{stream: stream, filters: []string{subject}}) {
			if err == nil {
				value, err = decode(msg)
			}
			if !yield(value, err) || err != nil {
				return
			}
		}
	}
}

// upToNow yields the messages from a place on, up to the last one that is stored now.
func (h *History) upToNow(ctx context.Context, at place) iter.Seq2[followed, error] {
	return func(yield func(followed, error) bool) {
		end, err := h.end(ctx, at)
		if err != nil || end < max(at.next, 1) {
			if err != nil {
				yield(followed{}, err)
			}
			return
		}
		at.end = h.end
		for msg, err := range h.bus.follow(ctx, at) {
			_, gone := errors.AsType[*Skipped](err)
			switch {
			case gone:
				continue
			case errors.Is(err, io.EOF):
				return
			}
			if !yield(msg, err) || err != nil || msg.sequence >= end {
				return
			}
		}
		yield(followed{}, cmp.Or(context.Cause(ctx), errClosed))
	}
}

// latest gives the last message on a subject of a stream, or nil if there is none. The stream's leader is asked: any replica would
// answer for one that is allowed to be read directly, and it may lag behind.
func (b *Bus) latest(ctx context.Context, stream, subject string) (*nats.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	leader, err := b.conn.JetStream()
	if err != nil {
		return nil, err
	}
	msg, err := leader.GetLastMsg(stream, subject, nats.Context(ctx))
	switch {
	case errors.Is(err, nats.ErrMsgNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("last message of stream %s: %w", stream, err)
	}
	return msg, nil
}

// end is the sequence of the last message that a reader would find, 0 if there is none.
func (h *History) end(ctx context.Context, at place) (uint64, error) {
	msg, err := h.bus.latest(ctx, at.stream, at.filters[0])
	switch {
	case err != nil:
		return 0, err
	case msg == nil:
		return 0, nil
	case at.next == 0 && msg.Time.Before(at.since):
		return 0, nil
	}
	return msg.Sequence, nil
}
