package chaos

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// proxy hands one TCP connection on after the other, and can cut and freeze them.
type proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool // both ends of every connection
	closed bool
	down   bool          // none is let through
	flows  chan struct{} // closed while data may pass
}

func newProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, open: map[net.Conn]bool{}, flows: make(chan struct{})}
	close(p.flows)
	p.running.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

func (p *proxy) serve(client net.Conn) {
	if !p.enter(client) {
		return
	}
	defer p.leave(client)
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.target)
	if err != nil || !p.enter(server) {
		return
	}
	defer p.leave(server)
	var ended atomic.Bool
	back := make(chan struct{})
	p.running.Go(func() {
		defer close(back)
		p.pump(client, server)
		if !ended.Swap(true) {
			p.leave(client)
		}
	})
	p.pump(server, client)
	if !ended.Swap(true) {
		p.leave(server)
	}
	<-back
}

// pump copies until an end is closed; what was read while frozen is written afterwards.
func (p *proxy) pump(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			p.pass()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			p.pass() // a frozen network hides an end too
			return
		}
	}
}

func (p *proxy) pass() {
	p.mu.Lock()
	flows := p.flows
	p.mu.Unlock()
	<-flows
}

// enter notes an end, or resets it if none is let through.
func (p *proxy) enter(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down || p.closed {
		reset(conn)
		return false
	}
	p.open[conn] = true
	return true
}

func (p *proxy) leave(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close() // fails only if it is closed
}

// cut resets every connection, and lets none through until mend.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for conn := range p.open {
		reset(conn)
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0) // the peer shall see a reset
	_ = conn.Close()
}

// freeze lets nothing pass until thaw, and neither end can tell.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flows:
		p.flows = make(chan struct{})
	default: // it is frozen
	}
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flows:
	default:
		close(p.flows)
	}
}

func (p *proxy) close() {
	p.thaw()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.cut()
	p.running.Wait()
}
