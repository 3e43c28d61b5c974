package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

// WatchOptions says what to watch.
type WatchOptions struct {
	// Subjects may have wildcards. Default everything that a stream holds. One that matches none of it is about the beats of
	// the instances, which no stream holds, or an error.
	Subjects []string
	// Streams are watched whole, besides Subjects.
	Streams []string
	// Tenant, if not empty, narrows the subjects to those of one tenant.
	Tenant string
	// Since is from when on messages are wanted; zero wants those that are published from now on.
	Since time.Time
	// After are places behind which to go on; of a stream without one Since counts.
	After []worker.Place
	// Ready is called once all streams are being watched: what is published after it is not missed. May be nil.
	Ready func()
}

// Message is a stored message, or a beat, which has no stream and no sequence.
type Message struct {
	Subject  string
	Stream   string
	Sequence uint64 // in the stream
	Time     time.Time
	Header   nats.Header
	Data     []byte
}

// Withheld says what of a watch a user does not get to see, and why.
type Withheld struct {
	Subject, Why string
}

// Error gives both.
func (w *Withheld) Error() string { return w.Subject + ": " + w.Why }

// Watch yields the messages on some subjects as they are stored, in order for each of the subjects, until ctx ends or the bus
// is closed. It outlives reconnections and restarts of the broker. An error that it yields is a *Skipped or a *Withheld, after
// which it goes on, or final.
func (b *Bus) Watch(ctx context.Context, options WatchOptions) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		readers, withheld, err := b.readers(ctx, options)
		if err != nil {
			if ctx.Err() == nil { // to be told to end is no failure, at the beginning neither
				yield(Message{}, err)
			}
			return
		}
		for _, w := range withheld {
			if !yield(Message{}, w) {
				return
			}
		}
		together(ctx, readers, options.Ready, yield)
	}
}

// reader tells what there is in one place. It calls ready once nothing is missed any more.
type reader func(ctx context.Context, ready func()) iter.Seq2[Message, error]

type news struct {
	message Message
	err     error
}

// together yields what all readers tell.
func together(ctx context.Context, readers []reader, ready func(), yield func(Message, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	all := make(chan news)
	var running, starting sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for _, read := range readers {
		starting.Add(1)
		running.Go(func() {
			started := sync.OnceFunc(starting.Done)
			defer started()
			for msg, err := range read(ctx, started) {
				select {
				case all <- news{msg, err}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() { running.Wait(); close(all) }()
	if ready != nil {
		running.Go(func() { starting.Wait(); ready() })
	}
	for n := range all {
		if !yield(n.message, n.err) {
			return
		}
	}
}

// readers finds the places where the subjects are, and how this user may read there.
func (b *Bus) readers(ctx context.Context, options WatchOptions) (readers []reader, withheld []*Withheld, err error) {
	filters, beats, err := b.filters(options)
	if err != nil {
		return nil, nil, err
	}
	var forbidden error
	for _, stream := range b.spec() {
		for _, filter := range filters[stream.Name] {
			at := place{stream: stream.Name, whole: whole(stream.Name, stream.Subjects), filters: []string{filter}, since: options.Since}
			at.goOn(options.After)
			read, err := b.reader(ctx, at)
			switch {
			case errors.Is(err, ErrForbidden):
				forbidden = err
				withheld = append(withheld, &Withheld{filter, "not shown: this user may not read it"})
			case err != nil:
				return nil, nil, err
			default:
				readers = append(readers, read)
			}
		}
	}
	for _, subject := range beats {
		readers = append(readers, func(ctx context.Context, ready func()) iter.Seq2[Message, error] {
			return b.listen(ctx, subject, ready)
		})
	}
	if len(readers) == 0 {
		return nil, nil, forbidden
	}
	return readers, withheld, nil
}

// reader reads on behind the last message, or from a time, as far as the user may. It returns ErrNoQueue, wrapped, if there is
// no such stream, and ErrForbidden if nothing of it may be read.
func (b *Bus) reader(ctx context.Context, at place) (reader, error) {
	last, err := b.newest(ctx, at.stream, at.whole)
	if errors.Is(err, ErrForbidden) {
		if last, err = b.newest(ctx, at.stream, at.filters[0]); err == nil {
			at.behind(last)
			return func(ctx context.Context, ready func()) iter.Seq2[Message, error] { return b.hear(ctx, at, ready) }, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if at.since.IsZero() && at.next == 0 {
		at.behind(last)
	}
	return func(ctx context.Context, ready func()) iter.Seq2[Message, error] {
		ready() // the place is known: nothing behind it is missed
		return b.tail(ctx, at)
	}, nil
}

// behind goes on behind a message, if there is one.
func (at *place) behind(last *Message) {
	if last != nil {
		at.next, at.newest = last.Sequence+1, last.Time
	}
}

// goOn goes on behind the stream's place among some, if it has one.
func (at *place) goOn(after []worker.Place) {
	for _, read := range after {
		if read.Stream == at.stream {
			at.next, at.newest = read.Sequence+1, read.At
		}
	}
}

func (b *Bus) newest(ctx context.Context, stream, subject string) (*Message, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	last, err := b.lastOf(ctx, stream, subject)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("%w: no stream %s", ErrNoQueue, stream)
	case err != nil:
		return nil, fmt.Errorf("watch stream %s: %w", stream, err)
	}
	return last, nil
}
