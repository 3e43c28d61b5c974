package channel

import (
	"context"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"autopurchase/worker"
)

// maxPushes is how many unconfirmed pushes one connection carries.
const maxPushes = 64

// line is the worker's side of one connection.
type line struct {
	*link
	client *Client
	calls  *calls
	hands  chan struct{} // one for each push in work
	frame  frame
	open   bool // hello has come; the reader's own

	clock int64     // the relay's clock in hello, milliseconds
	since time.Time // when hello came
	relay string    // which one is at the other end
}

func newLine(c *Client, ws *websocket.Conn, tcp *socket) *line {
	return &line{
		link:   newLink(c.ctx, ws, tcp, c.cfg.PingEvery, c.cfg.MaxInFlight+maxPushes),
		client: c,
		calls:  newCalls(),
		hands:  make(chan struct{}, maxPushes),
	}
}

func (l *line) handle(message []byte) error {
	f := &l.frame
	if err := f.decode(message); err != nil {
		return badFrame(err)
	}
	if l.open != (f.Type != typeHello) {
		return &parting{closeBadFrame, "hello must come first, and once"}
	}
	switch f.Type {
	case typeHello:
		return l.hello(f)
	case typeReply:
		l.reply(f)
		return nil
	case typePush:
		l.push(f)
		return nil
	}
	return &parting{closeBadFrame, "a relay sends hello, reply and push only"}
}

func (l *line) hello(f *frame) error {
	var body hello
	if err := decodeBody(f.Body, &body); err != nil {
		return badFrame(err)
	}
	l.clock, l.since, l.open, l.relay = body.Clock, time.Now(), true, body.Relay
	if worker.CheckName(l.relay) != nil { // an older relay has no name: its address tells it from others
		l.relay = l.client.route.host()
	}
	l.client.opened(l)
	return nil
}

// expectHello ends a connection on which the relay is alive but says nothing.
func (l *line) expectHello() {
	if l.client.line.Load() != l {
		l.end(errNoHello)
	}
}

// relayTime writes a moment as a reading of the relay's clock.
func (l *line) relayTime(moment time.Time) int64 {
	return l.clock + moment.Sub(l.since).Milliseconds()
}

func (l *line) reply(f *frame) {
	answer := new(worker.Answer)
	err := decodeBody(f.Body, answer)
	text, late := l.calls.settle(f.ID, answer, err)
	if text != "" {
		l.client.alarm(fmt.Sprintf("order channel: ask %d: %s", f.ID, text))
	}
	if late != "" {
		l.tellLate(late, *answer)
	}
}

// tellLate has a late order put on record. None is left out: a relay that sends more of them than can be recorded is not read
// any further until there is a place; one that is honest has at most as many as there are asks in flight.
func (l *line) tellLate(reference string, answer worker.Answer) {
	c := l.client
	select {
	case c.late <- struct{}{}:
	case <-c.ctx.Done():
		return // nobody records them any more
	}
	l.alive() // pongs may have waited meanwhile
	c.work.Go(func() {
		defer func() { <-c.late }()
		c.cfg.OnLate(c.ctx, reference, answer)
	})
}

// push has a push worked on. What cannot be read or exceeds maxPushes is left unconfirmed.
func (l *line) push(f *frame) {
	var push worker.Push
	if err := decodeBody(f.Body, &push); err != nil {
		l.client.alarm("order channel: push cannot be read: " + err.Error())
		return
	}
	select {
	case l.hands <- struct{}{}:
	default:
		l.client.cfg.Log.Warn().Str("push", push.ID).Msg("too many pushes in work, left unconfirmed")
		return
	}
	id := f.ID
	l.client.work.Go(func() {
		defer func() { <-l.hands }()
		l.takePush(id, push)
	})
}

func (l *line) takePush(id uint64, push worker.Push) {
	if err := guarded(l.ctx, push, l.client.cfg.OnPush); err != nil {
		if l.ctx.Err() == nil {
			l.client.cfg.Log.Warn().Str("push", push.ID).Err(err).Msg("push left unconfirmed")
		}
		return
	}
	text := blank()
	*text = appendConfirm(*text, id)
	l.send(text)
}

// guarded turns a panic into an error.
func guarded(ctx context.Context, push worker.Push, take func(context.Context, worker.Push) error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("panic while taking a push: %T", thrown)
		}
	}()
	return take(ctx, push)
}

func (c *Client) alarm(text string) {
	c.cfg.Log.Error().Msg(text)
	c.cfg.Alarm(text)
}
