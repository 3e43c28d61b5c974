package alibaba

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"autopurchase/worker"
)

// link is one connection of a session: one goroutine writes, one reads and hands pushes on.
type link struct {
	Session
	socket  *websocket.Conn
	acked   chan struct{} // closed by the reader at the first CONNECT_ACK
	confirm chan outFrame // from the reader to the writer
	answers bool          // the platform answers pings: only then does silence mean that it is gone
	isAcked bool          // the reader's own view of acked
}

func newLink(s Session, socket *websocket.Conn) *link {
	return &link{Session: s, socket: socket, acked: make(chan struct{}), confirm: make(chan outFrame)}
}

// run returns when the connection is at its end, with both goroutines gone.
func (l *link) run(parent context.Context) (acked bool, err error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var running sync.WaitGroup
	running.Go(func() { cancel(l.write(ctx)) })
	running.Go(func() { // a read ends only when its socket does
		<-ctx.Done()
		l.socket.Close()
	})
	err = l.read(ctx)
	cancel(err)
	running.Wait()
	return l.isAcked, context.Cause(ctx)
}

// write is the only writer: CONNECT until it is acknowledged, then heartbeats and pings, and confirms in between.
func (l *link) write(ctx context.Context) error {
	if err := l.send(l.signed(frameConnect)); err != nil {
		return err
	}
	acked, connects := l.acked, 1
	ticker := time.NewTicker(l.AckWait)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return l.part()
		case <-acked:
			acked = nil
			ticker.Reset(l.Heartbeat)
			err = l.ping()
		case frame := <-l.confirm:
			err = l.send(frame)
		case <-ticker.C:
			switch {
			case acked == nil:
				err = l.beat()
			case connects == maxConnects:
				err = errNoAck
			default:
				connects++
				err = l.send(l.signed(frameConnect))
			}
		}
		if err != nil {
			return err
		}
	}
}

func (l *link) beat() error {
	if err := l.send(l.signed(frameHeartbeat)); err != nil {
		return err
	}
	return l.ping()
}

func (l *link) ping() error {
	return l.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout))
}

// part says goodbye, for what it is worth.
func (l *link) part() error {
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = l.socket.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(time.Second))
	return nil
}

func (l *link) send(frame outFrame) error {
	body, err := json.Marshal(frame)
	if err != nil {
		return fmt.Errorf("%s frame: %w", frame.Type, err)
	}
	_ = l.socket.SetWriteDeadline(time.Now().Add(writeTimeout))
	return l.socket.WriteMessage(websocket.TextMessage, body)
}

// signed makes a CONNECT or a HEARTBEAT. A CONFIRM carries no signature.
func (l *link) signed(kind string) outFrame {
	now := time.Now().UnixMilli()
	cred := l.Credentials
	return outFrame{AppKey: cred.AppKey, PubTime: now, Sign: SignMessage(cred.Secret, cred.AppKey, "", now), Type: kind}
}

// read handles frames until the connection breaks. Silence is no fault until the platform has answered a ping: nothing says
// that it does, and it sends no answer to heartbeats.
func (l *link) read(ctx context.Context) error {
	l.socket.SetReadLimit(maxFrame)
	l.socket.SetPongHandler(func(string) error {
		l.answers = true
		l.alive()
		return nil
	})
	for {
		_, body, err := l.socket.ReadMessage()
		if err != nil {
			return fmt.Errorf("message websocket: %w", err)
		}
		var frame inFrame
		if err := decode(body, &frame); err != nil {
			l.Log.Warn().Str("app_key", l.Credentials.AppKey).Msg("message session: a frame cannot be read")
			continue
		}
		if err := l.handle(ctx, frame); err != nil {
			return err
		}
		l.alive()
	}
}

// alive puts off the moment at which the connection counts as dead: two heartbeats without a sign of life, and a half.
func (l *link) alive() {
	if l.answers {
		_ = l.socket.SetReadDeadline(time.Now().Add(l.Heartbeat * 5 / 2))
	}
}

func (l *link) handle(ctx context.Context, frame inFrame) error {
	switch frame.Type {
	case frameAck:
		if !l.isAcked {
			l.isAcked = true
			close(l.acked)
			l.Observe(nil)
		}
	case framePush:
		return l.push(ctx, frame)
	case frameSystem:
		return l.complained(frame)
	case frameClose:
		return fmt.Errorf("message websocket: the platform closes it")
	}
	return nil
}

// complained surfaces the platform's complaint. Before the acknowledgement it means that there will be none.
func (l *link) complained(frame inFrame) error {
	err := &SystemError{Message: words(string(frame.Content), l.Credentials.private())}
	if !l.isAcked {
		return err
	}
	l.Log.Warn().Str("app_key", l.Credentials.AppKey).Err(err).Msg("message session: complaint")
	l.Observe(err)
	return nil
}

// push hands a push on and confirms it once it is stored. A MOCK is the platform's test message: it is confirmed, and goes
// no further, since it may speak of an order that exists.
func (l *link) push(ctx context.Context, frame inFrame) error {
	began := time.Now()
	if frame.MsgSource == "MOCK" {
		l.OnMock(pushes(l.Credentials.AppKey, frame)[0].Topic)
	} else {
		for _, push := range pushes(l.Credentials.AppKey, frame) {
			if err := l.deliver(ctx, push); err != nil {
				l.Log.Debug().Str("app_key", l.Credentials.AppKey).Str("push", push.ID).Err(err).
					Msg("push is not stored, so not confirmed: it will come again")
				return nil
			}
		}
	}
	confirm := l.confirmOf(frame, began)
	select {
	case l.confirm <- confirm:
	case <-ctx.Done():
	}
	return nil
}

func (l *link) deliver(ctx context.Context, push worker.Push) error {
	ctx, cancel := context.WithTimeout(ctx, l.PushWait)
	defer cancel()
	return l.OnPush(ctx, push)
}

func (l *link) confirmOf(frame inFrame, began time.Time) outFrame {
	now := time.Now()
	return outFrame{
		AppKey:         l.Credentials.AppKey,
		CostInIsv:      now.Sub(began).Milliseconds(),
		ID:             newFrameID(),
		MsgSource:      string(frame.MsgSource),
		PubTime:        now.UnixMilli(),
		RelatedID:      frame.ID.number(),
		RelatedMsgTime: frame.PubTime.number(),
		Type:           frameConfirm,
	}
}

func newFrameID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails, or ends the process
	return hex.EncodeToString(id[:])
}
