package bus

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	followBatch     = 256
	followHeartbeat = time.Second // two missing ones: the consumer is gone
	// forgetAfter is when the broker removes the consumer of a reader that is gone without a word.
	forgetAfter = time.Minute
)

// Skipped says that messages were removed from a stream before a reader that was away could read them.
type Skipped struct {
	Stream   string
	From, To uint64 // sequences, both included
}

// Error gives stream and sequences.
func (s *Skipped) Error() string {
	return fmt.Sprintf("stream %s: messages %d to %d were removed before they were read", s.Stream, s.From, s.To)
}

// followed is a message of a stream with its place in it.
type followed struct {
	jetstream.Msg
	sequence uint64
	at       time.Time
}

// place is where a reader goes on in a stream.
type place struct {
	stream  string
	whole   string // all of its subjects
	filters []string
	next    uint64    // sequence; 0 goes by time
	since   time.Time // zero is the beginning
	newest  time.Time // when the last message before it was stored
	// end tells the last sequence that there is, for a reader who wants no more: io.EOF is the final error when it is past
	// that. nil reads on for ever.
	end func(context.Context, place) (uint64, error)
}

// follow reads a stream in order, without gaps and repeats, until ctx ends. Whatever happens on the way, it goes on behind the
// last message that it read. An error that it yields is a *Skipped, after which it goes on, or final.
//
// It is an ordered consumer of our own: the client library's keeps trying without regard to ctx, and does not tell what it
// skipped.
func (b *Bus) follow(ctx context.Context, at place) iter.Seq2[followed, error] {
	return func(yield func(followed, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(b.closing, cancel)()
		for ctx.Err() == nil {
			if !b.readOn(ctx, &at, yield) {
				return
			}
			wait(ctx, repairEvery)
		}
	}
}

// readOn reads with one consumer until it fails. It returns false when the caller wants no more.
func (b *Bus) readOn(ctx context.Context, at *place, yield func(followed, error) bool) bool {
	setup, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	skipped, err := b.skipped(setup, at)
	if skipped != nil && !yield(followed{}, skipped) {
		return false
	}
	var consumer jetstream.Consumer
	if err == nil {
		consumer, err = b.js.CreateConsumer(setup, at.stream, at.consumer())
	}
	if err != nil {
		return !refused(err) || yieldFinal(ctx, yield, fmt.Errorf("follow stream %s: %w", at.stream, err))
	}
	defer b.dropConsumer(at.stream, consumer.CachedInfo().Name)
	if at.end != nil && consumer.CachedInfo().NumPending == 0 {
		end, err := at.end(setup, *at)
		if over := err == nil && end < max(at.next, 1); over {
			return yieldFinal(ctx, yield, io.EOF)
		}
		return true // the consumer's replica is behind
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(followBatch), jetstream.PullHeartbeat(followHeartbeat),
		jetstream.PullExpiry(10*time.Second), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return true
	}
	defer messages.Stop()
	return yieldAll(ctx, at, messages, yield)
}

func yieldFinal(ctx context.Context, yield func(followed, error) bool, err error) bool {
	if ctx.Err() == nil {
		yield(followed{}, err)
	}
	return false
}

// yieldAll hands on what one consumer delivers, as long as nothing is missing.
func yieldAll(ctx context.Context, at *place, messages jetstream.MessagesContext, yield func(followed, error) bool) bool {
	for delivered := uint64(1); ; delivered++ {
		msg, err := nextOf(ctx, at, messages)
		if err != nil {
			return true
		}
		meta, err := msg.Metadata()
		if err != nil || meta.Sequence.Consumer != delivered {
			return true // one was lost on the way
		}
		at.next = meta.Sequence.Stream + 1
		if !yield(followed{msg, meta.Sequence.Stream, meta.Timestamp}, nil) {
			return false
		}
		if at.end != nil && meta.NumPending == 0 {
			return true
		}
	}
}

// nextOf waits for a message, of a reader that wants no more than there is only so long: what it waits for may be removed.
func nextOf(ctx context.Context, at *place, messages jetstream.MessagesContext) (jetstream.Msg, error) {
	if at.end != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
	}
	return messages.Next(jetstream.NextContext(ctx))
}

// skipped says what was removed at the place where a reader goes on, and moves it behind that.
func (b *Bus) skipped(ctx context.Context, at *place) (*Skipped, error) {
	if at.next <= 1 {
		return nil, nil
	}
	stream, err := b.js.Stream(ctx, at.stream)
	if err != nil {
		return nil, err
	}
	state := stream.CachedInfo().State
	if state.LastSeq+1 < at.next { // the stream was made anew: everything in it is news
		at.next = 1
		return nil, nil
	}
	if state.FirstSeq <= at.next {
		return nil, nil
	}
	skipped := &Skipped{Stream: at.stream, From: at.next, To: state.FirstSeq - 1}
	at.next = state.FirstSeq
	return skipped, nil
}

func (at *place) consumer() jetstream.ConsumerConfig {
	config := jetstream.ConsumerConfig{
		FilterSubjects:    at.filters,
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		InactiveThreshold: forgetAfter,
		MemoryStorage:     true,
		Replicas:          1,
	}
	if at.next > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, at.next
	}
	return config
}

// dropConsumer spares the broker the wait; if it fails, the broker forgets the consumer by itself.
func (b *Bus) dropConsumer(stream, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if b.conn.IsConnected() {
		_ = b.js.DeleteConsumer(ctx, stream, name)
	}
}
