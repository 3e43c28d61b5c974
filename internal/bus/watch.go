package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// WatchOptions says what to watch.
type WatchOptions struct {
	// Subjects may have wildcards. Default everything that a stream holds. One that no stream holds is an error.
	Subjects []string
	// Since is from when on messages are wanted; zero wants those that are published from now on.
	Since time.Time
	// Ready is called once all streams are being watched: what is published after it is not missed. May be nil.
	Ready func()
}

// Message is a stored message.
type Message struct {
	Subject  string
	Stream   string
	Sequence uint64 // in the stream
	Time     time.Time
	Header   nats.Header
	Data     []byte
}

// Watch yields the messages on some subjects as they are stored, in order within each stream, until ctx ends or the bus is
// closed. It outlives reconnections and restarts of the broker. An error that it yields is a *Skipped, after which it goes
// on, or final.
func (b *Bus) Watch(ctx context.Context, options WatchOptions) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		places, err := b.places(ctx, options)
		if err != nil {
			if ctx.Err() == nil { // to be told to end is no failure, at the beginning neither
				yield(Message{}, err)
			}
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		news := make(chan news)
		var readers sync.WaitGroup
		defer readers.Wait()
		defer cancel()
		for _, at := range places {
			readers.Go(func() { b.tell(ctx, at, news) })
		}
		go func() { readers.Wait(); close(news) }()
		for n := range news {
			if !yield(n.message, n.err) {
				return
			}
		}
	}
}

type news struct {
	message Message
	err     error
}

// tell sends what one stream has to say.
func (b *Bus) tell(ctx context.Context, at place, to chan<- news) {
	for msg, err := range b.tail(ctx, at) {
		select {
		case to <- news{msg, err}:
		case <-ctx.Done():
			return
		}
	}
}

// places finds the streams that hold the subjects, and where to start in each.
func (b *Bus) places(ctx context.Context, options WatchOptions) ([]place, error) {
	filters, err := b.filters(options.Subjects)
	if err != nil {
		return nil, err
	}
	places := make([]place, 0, len(filters))
	for _, stream := range b.spec() {
		if len(filters[stream.Name]) == 0 {
			continue
		}
		at := place{stream: stream.Name, whole: stream.Subjects[0], filters: filters[stream.Name], since: options.Since}
		if err := b.start(ctx, &at); err != nil {
			return nil, err
		}
		places = append(places, at)
	}
	if options.Ready != nil {
		options.Ready()
	}
	return places, nil
}

// start finds the place behind the last message, unless a time is given. It returns ErrNoQueue, wrapped, if there is no such
// stream.
func (b *Bus) start(ctx context.Context, at *place) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	last, err := b.lastOf(ctx, at.stream, at.whole)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w: no stream %s", ErrNoQueue, at.stream)
	case err != nil:
		return fmt.Errorf("watch stream %s: %w", at.stream, err)
	case at.since.IsZero() && last != nil:
		at.next, at.newest = last.Sequence+1, last.Time
	}
	return nil
}

// filters gives what to read from each stream.
func (b *Bus) filters(subjects []string) (map[string][]string, error) {
	filters := map[string][]string{}
	if len(subjects) == 0 {
		subjects = []string{">"}
	}
	for _, subject := range subjects {
		found := false
		for _, stream := range b.spec() {
			if filter, ok := intersect(subject, stream.Subjects[0]); ok {
				filters[stream.Name] = addFilter(filters[stream.Name], filter, stream.Subjects[0])
				found = true
			}
		}
		if !found {
			return nil, fmt.Errorf("subject %q: no stream holds it; see purchase.request.>, purchase.result.>, purchase.status.>, purchase.dead.>, purchase.parked.> and keypool.event.>", subject)
		}
	}
	return filters, nil
}

// addFilter adds a filter to a stream's, which must not overlap: one inside another is left out, and two that cross are
// replaced by the whole stream.
func addFilter(have []string, filter, whole string) []string {
	kept := have[:0:0]
	for _, other := range have {
		common, overlap := intersect(filter, other)
		switch {
		case overlap && common == filter:
			return have // the other covers it
		case overlap && common != other:
			return []string{whole}
		case !overlap:
			kept = append(kept, other)
		}
	}
	return append(kept, filter)
}

// intersect gives the subjects that both patterns match, as a pattern; false if there are none.
func intersect(a, b string) (string, bool) {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	var common []string
	for i := 0; ; i++ {
		switch {
		case i == len(x) && i == len(y):
			return strings.Join(common, "."), true
		case i == len(x) || i == len(y):
			return "", false
		case x[i] == ">":
			return strings.Join(slices.Concat(common, y[i:]), "."), true
		case y[i] == ">":
			return strings.Join(slices.Concat(common, x[i:]), "."), true
		case x[i] == "*":
			common = append(common, y[i])
		case y[i] == "*" || x[i] == y[i]:
			common = append(common, x[i])
		default:
			return "", false
		}
	}
}
