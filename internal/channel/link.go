package channel

import (
	"bytes"
	"cmp"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	socketBuffer = 16 << 10               // bytes; takes a full order in one write
	keepBuffer   = 64 << 10               // bytes; a read buffer that grew beyond is let go
	byeWait      = time.Second            // for the other side's close frame
	farewellWait = 250 * time.Millisecond // for our last frame on a connection that has ended
)

// outgoing is one entry of a link's write queue: a frame, or the close frame after which nothing is written.
type outgoing struct {
	text *[]byte
	ask  *call // the call that may still be taken back, nil for other frames
	bye  *parting
}

// link is one open websocket, the same on both sides: one goroutine reads, one writes. Its context ends with it, and the
// context's cause says why.
type link struct {
	ws    *websocket.Conn
	tcp   *socket    // under ws
	turn  sync.Mutex // held by who writes frames
	ctx   context.Context
	end   context.CancelCauseFunc
	queue chan outgoing
	ping  time.Duration
	muted chan struct{} // closed once the last frame is out: nothing more is written, and pongs prolong nothing
}

func newLink(ctx context.Context, ws *websocket.Conn, tcp *socket, ping time.Duration, queue int) *link {
	l := &link{ws: ws, tcp: tcp, queue: make(chan outgoing, queue), ping: ping, muted: make(chan struct{})}
	l.ctx, l.end = context.WithCancelCause(ctx)
	return l
}

// run serves the connection until it ends and returns why. handle gets each message and must not keep it.
func (l *link) run(handle func(message []byte) error) error {
	l.ws.SetReadLimit(maxFrame)
	l.ws.SetPongHandler(func(string) error { l.alive(); return nil })
	l.ws.SetCloseHandler(func(int, string) error { return nil }) // run answers it, once the writer has stopped
	l.alive()
	wake := context.AfterFunc(l.ctx, func() { _ = l.ws.SetReadDeadline(time.Unix(1, 0)) })
	defer wake()
	var writer sync.WaitGroup
	writer.Go(l.write)
	l.end(readable(l.read(handle)))
	cause := context.Cause(l.ctx)
	if message, ok := farewell(cause); ok && !l.isMuted() {
		_ = l.ws.WriteControl(websocket.CloseMessage, message, time.Now().Add(farewellWait))
	}
	_ = l.ws.Close()
	writer.Wait()
	return cause
}

// alive gives the connection two more ping intervals.
func (l *link) alive() {
	if l.isMuted() {
		return
	}
	_ = l.ws.SetReadDeadline(time.Now().Add(2 * l.ping))
	if l.ctx.Err() != nil { // it ended meanwhile: the reader must not sleep on
		_ = l.ws.SetReadDeadline(time.Unix(1, 0))
	}
}

func (l *link) read(handle func([]byte) error) error {
	var buffer bytes.Buffer
	for {
		kind, message, err := l.ws.NextReader()
		if err != nil {
			return err
		}
		if kind != websocket.TextMessage {
			return errBinary
		}
		if buffer.Reset(); buffer.Cap() > keepBuffer {
			buffer = bytes.Buffer{}
		}
		if _, err := buffer.ReadFrom(message); err != nil {
			return err
		}
		if err := handle(buffer.Bytes()); err != nil {
			return err
		}
	}
}

func (l *link) write() {
	ping := time.NewTicker(l.ping)
	defer ping.Stop()
	for l.ctx.Err() == nil {
		var bye *parting
		var err error
		select {
		case <-l.ctx.Done():
		case <-ping.C:
			err = l.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(l.ping))
		case out := <-l.queue:
			bye, err = l.putAll(out)
		}
		if bye != nil {
			l.sayBye(bye)
			return
		}
		if err != nil {
			l.end(err)
			return
		}
	}
}

// putAll hands a frame to the socket and with it all that are queued at this moment, up to a close frame.
func (l *link) putAll(out outgoing) (bye *parting, err error) {
	runtime.Gosched() // whoever has a frame all but ready gets it into the queue first
	l.turn.Lock()
	defer l.turn.Unlock()
	l.tcp.hold()
	for more := true; more && out.bye == nil && err == nil; {
		if err = l.put(out); err != nil {
			break
		}
		select {
		case out = <-l.queue:
		default:
			more = false
		}
	}
	return out.bye, cmp.Or(err, l.tcp.flush())
}

// putNow writes a frame without a change of goroutines if nobody else is writing or waits to, and says whether it did.
func (l *link) putNow(text *[]byte) bool {
	if !l.turn.TryLock() {
		return false
	}
	defer l.turn.Unlock()
	if len(l.queue) > 0 || l.isMuted() || l.ctx.Err() != nil {
		return false
	}
	if err := l.put(outgoing{text: text}); err != nil {
		l.end(err)
	}
	return true
}

// put hands one frame to the socket. A call that was taken back is left out; one that is claimed here counts as sent.
func (l *link) put(out outgoing) error {
	defer recycle(out.text)
	if out.ask != nil && !out.ask.claim() {
		return nil
	}
	_ = l.ws.SetWriteDeadline(time.Now().Add(l.ping))
	return l.ws.WriteMessage(websocket.TextMessage, *out.text)
}

// sayBye ends the writing half; the reader goes on until the other side's close frame or byeWait.
func (l *link) sayBye(bye *parting) {
	l.turn.Lock()
	close(l.muted)
	l.turn.Unlock()
	_ = l.ws.SetReadDeadline(time.Now().Add(byeWait))
	message := websocket.FormatCloseMessage(bye.code, bye.why)
	if err := l.ws.WriteControl(websocket.CloseMessage, message, time.Now().Add(byeWait)); err != nil {
		l.end(err)
	}
}

// offer queues a frame if there is room.
func (l *link) offer(out outgoing) bool {
	select {
	case l.queue <- out:
		return true
	default:
		return false
	}
}

// send queues a frame and waits for room: a peer that stops reading holds up its own requests. The frame is dropped when
// the connection ends or its last frame is out.
func (l *link) send(text *[]byte) {
	out := outgoing{text: text}
	if l.offer(out) {
		return
	}
	select {
	case l.queue <- out:
		l.alive() // the reader may have waited here while pongs waited for it
	case <-l.muted:
	case <-l.ctx.Done():
	}
}

func (l *link) isMuted() bool {
	select {
	case <-l.muted:
		return true
	default:
		return false
	}
}

var texts = sync.Pool{New: func() any { return new([]byte) }}

// blank gives an empty buffer for a frame; recycle takes it back once it was written.
func blank() *[]byte {
	text := texts.Get().(*[]byte)
	*text = (*text)[:0]
	return text
}

func recycle(text *[]byte) {
	if cap(*text) <= keepBuffer {
		texts.Put(text)
	}
}
