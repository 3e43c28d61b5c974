package bus

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// hearBuffer is how many messages may wait for a reader that hears them.
	hearBuffer = 4096
	// unstored is after how long a message that was heard counts as one that the stream refused.
	unstored = time.Second
	// maxShown is how many sequences are remembered, so that a refused repeat of a message does not show it again.
	maxShown = 4096
)

// hear is tail for a user who may not read a stream, but listen to some of its subjects and look up the last message of each: a
// publisher. What is heard is looked up before it is told, since a stream may refuse it. What was stored before can only be told
// of a single subject, and what comes while the connection is away not at all; a *Withheld says so.
func (b *Bus) hear(ctx context.Context, at place, ready func()) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(b.closing, cancel)()
		h := &hearer{bus: b, place: at, shown: map[uint64]bool{}, yield: yield}
		news, stop, err := b.subscribe(ctx, at.filters[0])
		if err == nil {
			defer stop()
		}
		ready() // from here on nothing is missed that may be heard
		if at.since.IsZero() && err != nil {
			h.withhold("not shown: this user may not listen to it")
			return
		}
		if !h.before(ctx) || err != nil {
			return
		}
		h.listen(ctx, news)
	}
}

// subscribe listens to a subject. It returns ErrForbidden, wrapped, if the user may not.
func (b *Bus) subscribe(ctx context.Context, subject string) (news chan *nats.Msg, stop func(), err error) {
	news = make(chan *nats.Msg, hearBuffer)
	sub, err := b.conn.ChanSubscribe(subject, news)
	if err != nil {
		return nil, nil, err
	}
	stop = func() { _ = sub.Unsubscribe() }
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := b.conn.FlushWithContext(ctx); err != nil {
		stop()
		return nil, nil, err
	}
	if said := b.conn.LastError(); said != nil && strings.Contains(said.Error(), fmt.Sprintf("Subscription to %q", subject)) {
		stop()
		return nil, nil, fmt.Errorf("%w: listen to %s", ErrForbidden, subject)
	}
	return news, stop, nil
}

// hearer is where one reader is.
type hearer struct {
	bus *Bus
	place
	shown map[uint64]bool
	yield func(Message, error) bool
}

func (h *hearer) withhold(why string) bool {
	return h.yield(Message{}, &Withheld{h.filters[0], why})
}

// before tells what was stored before, as far as it is wanted and may be looked up.
func (h *hearer) before(ctx context.Context) bool {
	if h.since.IsZero() {
		return true
	}
	if strings.ContainsAny(h.filters[0], "*>") {
		return h.withhold("only what comes is shown: this user may not read what was before")
	}
	h.next = 0
	last, err := h.bus.newest(ctx, h.stream, h.filters[0])
	if err != nil || last == nil || last.Time.Before(h.since) {
		return true
	}
	return h.tell(*last)
}

// listen tells what is heard.
func (h *hearer) listen(ctx context.Context, news <-chan *nats.Msg) {
	back := h.bus.conn.StatusChanged(nats.CONNECTED)
	defer h.bus.conn.RemoveStatusListener(back)
	for {
		select {
		case msg := <-news:
			if !h.find(ctx, msg.Subject) {
				return
			}
		case <-back:
			if !h.withhold("what came while the connection was away is not shown: this user may not read it") {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// find looks up what was heard on a subject, and tells it if it is news. It is stored a moment after it is heard, or refused.
func (h *hearer) find(ctx context.Context, subject string) bool {
	for pause := soonest; ; pause *= 2 {
		last, err := h.bus.newest(ctx, h.stream, subject)
		if err == nil && last != nil && last.Sequence >= h.next && !h.shown[last.Sequence] {
			return h.tell(*last)
		}
		if pause > unstored || !wait(ctx, pause) {
			return ctx.Err() == nil
		}
	}
}

func (h *hearer) tell(msg Message) bool {
	if len(h.shown) >= maxShown {
		clear(h.shown)
	}
	h.shown[msg.Sequence] = true
	return h.yield(msg, nil)
}

// listen tells what is published on a subject that no stream holds.
func (b *Bus) listen(ctx context.Context, subject string, ready func()) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(b.closing, cancel)()
		news, stop, err := b.subscribe(ctx, subject)
		if err != nil {
			if ctx.Err() == nil {
				yield(Message{}, err)
			}
			return
		}
		defer stop()
		ready()
		for {
			select {
			case msg := <-news:
				if !yield(Message{Subject: msg.Subject, Time: time.Now(), Header: msg.Header, Data: msg.Data}, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
