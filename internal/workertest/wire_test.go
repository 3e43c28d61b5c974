package workertest_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire is a TCP proxy in front of a server. It can freeze: connections stay open, also new ones are taken, and what the server
// says does not come through, as behind a proxy that hangs. Nobody is told.
type wire struct {
	listener net.Listener
	server   string
	running  sync.WaitGroup

	mutex  sync.Mutex
	thawed chan struct{} // closed while not frozen
	conns  map[net.Conn]struct{}
	closed bool
}

// newWire starts a proxy in front of the URL and gives it and its own URL.
func newWire(t *testing.T, url string) (*wire, string) {
	t.Helper()
	scheme, server, _ := strings.Cut(url, "://")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, server: server, thawed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	close(w.thawed)
	w.running.Go(func() { w.accept(listener) })
	t.Cleanup(w.close)
	return w, scheme + "://" + listener.Addr().String()
}

func (w *wire) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		if w.hold(client, server) {
			w.running.Go(func() { w.pump(server, client, false) })
			w.running.Go(func() { w.pump(client, server, true) })
		}
	}
}

// hold remembers the connections, so that they can be cut; false if the wire is closed.
func (w *wire) hold(conns ...net.Conn) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, c := range conns {
		if w.closed {
			_ = c.Close()
			continue
		}
		w.conns[c] = struct{}{}
	}
	return !w.closed
}

// pump copies until one side ends. What was read while frozen is handed on after the thaw, late.
func (w *wire) pump(to, from net.Conn, freezes bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	for buffer := make([]byte, 64<<10); ; {
		n, err := from.Read(buffer)
		if freezes {
			<-w.passing()
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (w *wire) passing() <-chan struct{} {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.thawed
}

func (w *wire) freeze() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.thawed = make(chan struct{})
}

func (w *wire) thaw() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	select {
	case <-w.thawed:
	default:
		close(w.thawed)
	}
}

// cut ends all connections; what was held back is lost.
func (w *wire) cut() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for c := range w.conns {
		_ = c.Close()
	}
	clear(w.conns)
}

// refuse cuts all connections and takes no new ones until the returned function is called.
func (w *wire) refuse() (again func() error) {
	address := w.listener.Addr().String()
	_ = w.listener.Close()
	w.cut()
	return func() error {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			w.listener = listener
			w.running.Go(func() { w.accept(listener) })
		}
		return err
	}
}

func (w *wire) close() {
	w.mutex.Lock()
	w.closed = true
	w.mutex.Unlock()
	_ = w.listener.Close()
	w.cut()
	w.thaw()
	w.running.Wait()
}

func TestWireHoldsBackAndHandsOnLate(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	w, url := newWire(t, "tcp://"+server.Addr().String())
	client, err := net.Dial("tcp", strings.TrimPrefix(url, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	peer, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	w.freeze()
	_, _ = io.WriteString(peer, "late")
	_ = client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := client.Read(make([]byte, 8)); err == nil {
		t.Errorf("%d bytes came through a frozen wire", n)
	}
	w.thaw()
	_ = client.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 4)
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "late" {
		t.Errorf("after the thaw: %q, %v", got, err)
	}
}
