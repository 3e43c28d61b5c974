package chaos

import (
	"context"
	"net"
	"sync"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/rs/zerolog"
)

// proxy hands TCP connections on. What passes goes through toxiproxy's toxics; the connections are its own, see the package
// comment.
type proxy struct {
	*toxiproxy.Proxy // never started: its toxics are what is used of it
	server           *toxiproxy.ApiServer
	listener         net.Listener
	running          sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool // both ends of every connection
	down   bool              // none is let through until mend
	closed bool              // none is let through any more: a cut may end after close
}

func newProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &proxy{
		Proxy: toxiproxy.NewProxy(server, target, "", target), server: server, listener: listener, open: map[net.Conn]bool{},
	}
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
		p.running.Go(func() { p.join(conn) })
	}
}

// join connects both ends by a link each way. A link ends with its input, and closes its output then.
func (p *proxy) join(client net.Conn) {
	if !p.enter(client) {
		return
	}
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.Upstream)
	if err != nil || !p.enter(server) {
		p.leave(client)
		return
	}
	p.running.Add(2)
	name := client.RemoteAddr().String()
	p.Toxics.StartLink(p.server, name+" up", client, end{server, p}, stream.Upstream)
	p.Toxics.StartLink(p.server, name+" down", server, end{client, p}, stream.Downstream)
}

// end is what a link writes to. Its writes never fail: toxiproxy stops to read from a link whose output failed, and all that is
// still on its way into it stays behind for good.
type end struct {
	net.Conn
	proxy *proxy
}

func (e end) Write(data []byte) (int, error) {
	_, _ = e.Conn.Write(data) // if it fails, the input ends too: the other link closes it
	return len(data), nil
}

func (e end) Close() error {
	defer e.proxy.running.Done()
	e.proxy.leave(e.Conn)
	return nil
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

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.cut()
	p.heal()
	p.running.Wait()
}
