package benchmark

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// wire stands between a client and a server and counts what passes. A round trip is a message of the client after one of the server:
// what travels together is one.
type wire struct {
	listener net.Listener
	to       string
	passing  sync.WaitGroup
	open     sync.Map // of the connections

	trips, up, down atomic.Int64 // round trips; bytes to the server and from it
}

// errUncounted says that nothing can stand in between.
var errUncounted = errors.New("round trips are counted with one server and without TLS only")

// through gives the URL to use instead of one.
func through(text string) (*wire, string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Port() == "" || strings.Contains(text, ",") || (u.Scheme != "nats" && u.Scheme != "redis" && u.Scheme != "ws") {
		return nil, "", errUncounted
	}
	w := &wire{to: u.Host}
	if w.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, "", fmt.Errorf("count round trips: %w", err)
	}
	u.Host = w.listener.Addr().String()
	w.passing.Go(w.accept)
	return w, u.String(), nil
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", w.to) // the client has its own deadline
		if err != nil {
			_ = client.Close()
			continue
		}
		w.open.Store(client, true)
		w.open.Store(server, true)
		var answered atomic.Bool
		answered.Store(true)
		w.passing.Go(func() {
			pass(client, server, func(n int) {
				w.up.Add(int64(n))
				if answered.Swap(false) {
					w.trips.Add(1)
				}
			})
		})
		w.passing.Go(func() { pass(server, client, func(n int) { w.down.Add(int64(n)); answered.Store(true) }) })
	}
}

// pass hands on what comes until one side ends, and then ends both.
func pass(from, to net.Conn, count func(n int)) {
	defer from.Close()
	defer to.Close()
	for buffer := make([]byte, 64<<10); ; {
		n, err := from.Read(buffer)
		if n > 0 {
			count(n)
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) close(context.Context) error {
	err := w.listener.Close()
	w.open.Range(func(conn, _ any) bool { _ = conn.(net.Conn).Close(); return true })
	w.passing.Wait()
	return err
}

// traffic is what passed on a wire.
type traffic struct{ trips, up, down int64 }

func (w *wire) passed() traffic { return traffic{w.trips.Load(), w.up.Load(), w.down.Load()} }

func (t traffic) since(before traffic) traffic {
	return traffic{t.trips - before.trips, t.up - before.up, t.down - before.down}
}
