package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
)

// A reader that waits for news hears of them on the subject itself, and asks a moment later, since they are not stored yet; if
// it has heard nothing it asks all the same, more and more rarely.
const (
	soonest = 5 * time.Millisecond
	latest  = time.Second

	tailBatch = 256
	tailBytes = 8 << 20
	// goneAfter is how long a stream may not be there, on a broker that is: one that starts needs a while.
	goneAfter = 30 * time.Second
)

// tail reads what one filter picks of a stream, from a place on, as its messages are stored, in order and without repeats, until ctx ends. It goes on
// after whatever happens to the connection. An error that it yields is a *Skipped, after which it goes on, or final.
func (b *Bus) tail(ctx context.Context, at place) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(b.closing, cancel)()
		r := &tailer{bus: b, place: at, filter: at.filters[0], news: make(chan struct{}, 1), seen: time.Now()}
		defer r.listen()()
		for pause := soonest; ctx.Err() == nil; {
			messages, err := r.read(ctx)
			if ctx.Err() == nil && !r.hand(messages, err, yield) {
				return
			}
			if len(messages) > 0 {
				pause = soonest
				continue
			}
			pause = r.await(ctx, pause)
		}
	}
}

// tailer is where one reader is.
type tailer struct {
	bus *Bus
	place
	filter string    // the only one of the place
	seen   time.Time // when the stream was last there
	news   chan struct{}
}

// listen has itself told of what is published.
func (r *tailer) listen() (stop func()) {
	var subs []*nats.Subscription
	for _, subject := range r.spoken() {
		sub, err := r.bus.conn.Subscribe(subject, func(*nats.Msg) {
			select {
			case r.news <- struct{}{}:
			default: // it knows
			}
		})
		if err != nil { // the connection is closed, and the reader about to end
			break
		}
		subs = append(subs, sub)
	}
	return func() {
		for _, sub := range subs {
			_ = sub.Unsubscribe()
		}
	}
}

// spoken are the subjects on which is said what it reads: of requests each lane's own, since others match all of them together.
func (r *tailer) spoken() []string {
	if r.stream != StreamRequests {
		return []string{r.filter}
	}
	var subjects []string
	for _, lane := range allLanes() {
		if subject, some := intersect(r.filter, lane); some {
			subjects = append(subjects, subject)
		}
	}
	return subjects
}

// await waits for news, or for a while, and gives the while to wait for next time.
func (r *tailer) await(ctx context.Context, pause time.Duration) time.Duration {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-r.news:
		wait(ctx, soonest)
		return soonest
	case <-timer.C:
	case <-ctx.Done():
	}
	return min(2*pause, latest)
}

// hand yields what was read, and an error that a reader must know of. It returns false when nothing more is wanted, or comes.
func (r *tailer) hand(messages []Message, err error, yield func(Message, error) bool) bool {
	if skipped, ok := errors.AsType[*Skipped](err); ok {
		if !yield(Message{}, skipped) {
			return false
		}
		err = nil
	}
	gone := errors.Is(err, nats.ErrNoResponders) && time.Since(r.seen) > goneAfter
	if gone || errors.Is(err, ErrForbidden) {
		yield(Message{}, fmt.Errorf("watch stream %s: %w", r.stream, err))
		return false
	}
	if !errors.Is(err, nats.ErrNoResponders) || !r.bus.conn.IsConnected() {
		r.seen = time.Now()
	}
	for _, msg := range messages {
		if !yield(msg, nil) {
			return false
		}
	}
	return true
}

// read gives the next messages, none if there are none, and moves behind them. With a *Skipped there are messages too.
func (r *tailer) read(ctx context.Context) ([]Message, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	ask := directGet{Next: r.filter, Batch: tailBatch, MaxBytes: tailBytes, Sequence: max(r.next, 1)}
	if r.next == 0 && !r.since.IsZero() {
		ask.Sequence, ask.Since = 0, &r.since
	}
	messages, err := r.bus.batch(ctx, r.stream, ask)
	switch {
	case err != nil:
		return nil, err
	case len(messages) == 0:
		return nil, r.again(ctx)
	}
	var skipped error
	if first := messages[0].Sequence; r.next > 1 && first > r.next {
		skipped, err = r.skipped(ctx)
	}
	if err != nil {
		return nil, err
	}
	end := messages[len(messages)-1]
	r.next, r.newest = end.Sequence+1, end.Time
	return messages, skipped
}

// skipped says what was removed at the place where the reader goes on.
func (r *tailer) skipped(ctx context.Context) (skipped, err error) {
	first, err := r.bus.batch(ctx, r.stream, directGet{Sequence: 1, Batch: 1})
	if err != nil || len(first) == 0 || first[0].Sequence <= r.next {
		return nil, err
	}
	return &Skipped{Stream: r.stream, From: r.next, To: first[0].Sequence - 1}, nil
}

// again begins anew with a stream that was made anew: everything in it is news. A replica that lags behind is not taken for
// one: its last message is no newer than what was read.
func (r *tailer) again(ctx context.Context) error {
	if r.next <= 1 {
		return nil
	}
	last, err := r.bus.lastOf(ctx, r.stream, r.whole)
	if err == nil && last != nil && last.Sequence < r.next && last.Time.After(r.newest) {
		r.next = 1
	}
	return err
}
