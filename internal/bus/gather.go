package bus

import (
	"net"
	"runtime"
	"sync"
	"time"
)

const (
	gatherLimit = 1 << 20                // bytes that wait to be written; who writes more waits for room
	gatherKeep  = 64 << 10               // bytes; a buffer that grew beyond is let go
	lastWords   = 100 * time.Millisecond // for what waits when the connection is closed
)

// gatherer is a connection that writes from a goroutine of its own, once those have run who are about to send something: one
// system call then carries what many callers send at about the same time, and the broker reads as seldom. As with what a
// socket buffers, a write that failed shows in a later one, and in the end of what is read.
type gatherer struct {
	net.Conn
	wake chan struct{} // holds one
	done chan struct{} // closed when nothing is written any more

	mutex  sync.Mutex
	room   *sync.Cond
	text   []byte // not written yet
	closed bool
}

func gather(conn net.Conn) *gatherer {
	g := &gatherer{Conn: conn, wake: make(chan struct{}, 1), done: make(chan struct{})}
	g.room = sync.NewCond(&g.mutex)
	go g.run()
	return g
}

// Write has p written soon. It fails once the connection is closed.
func (g *gatherer) Write(p []byte) (int, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for len(g.text) >= gatherLimit && !g.closed {
		g.room.Wait()
	}
	if g.closed {
		return 0, net.ErrClosed
	}
	g.text = append(g.text, p...)
	g.poke()
	return len(p), nil
}

// SetWriteDeadline does nothing: Write does not wait for the other side, and a side that takes nothing shows in missing pongs.
func (g *gatherer) SetWriteDeadline(time.Time) error { return nil }

// Close writes what waits, if the other side takes it at once, and closes the connection.
func (g *gatherer) Close() error {
	g.shut()
	_ = g.Conn.SetWriteDeadline(time.Now().Add(lastWords))
	g.poke()
	<-g.done
	return g.Conn.Close()
}

func (g *gatherer) run() {
	defer close(g.done)
	var text []byte
	for range g.wake {
		runtime.Gosched()
		if cap(text) > gatherKeep {
			text = nil
		}
		var closed bool
		if text, closed = g.swap(text[:0]); len(text) > 0 {
			if _, err := g.Conn.Write(text); err != nil {
				g.shut()
				_ = g.Conn.Close() // whoever reads learns of it
				return
			}
		}
		if closed {
			return
		}
	}
}

// swap takes what waits and leaves an empty buffer in its place.
func (g *gatherer) swap(empty []byte) (text []byte, closed bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	text, g.text = g.text, empty
	g.room.Broadcast()
	return text, g.closed
}

func (g *gatherer) shut() {
	g.mutex.Lock()
	g.closed = true
	g.room.Broadcast()
	g.mutex.Unlock()
}

func (g *gatherer) poke() {
	select {
	case g.wake <- struct{}{}:
	default: // it is awake
	}
}

// dialer makes gatherers of TCP connections, for one client. There is one at a time: the client may leave one open that it could not
// begin to use, and dial again.
type dialer struct {
	net.Dialer
	mutex sync.Mutex
	last  *gatherer
}

// Dial connects; see nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.hangUp()
	conn, err := d.Dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.last = gather(conn)
	return d.last, nil
}

// hangUp closes the last connection; one that is closed stays so.
func (d *dialer) hangUp() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.last != nil {
		_ = d.last.Close()
	}
}
