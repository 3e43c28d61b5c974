package bus

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// gathered is a connection over the loopback and its other side.
func gathered(t *testing.T) (*gatherer, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	conn, err := (&dialer{}).Dial("tcp", listener.Addr().String())
	must(t, err)
	other, err := listener.Accept()
	must(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		_ = other.Close()
	})
	return conn.(*gatherer), other
}

// TestGathererWritesEverythingInOrder writes from one goroutine after the other, and from many at once.
func TestGathererWritesEverythingInOrder(t *testing.T) {
	t.Parallel()
	g, other := gathered(t)
	const callers, each = 16, 200
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := range each {
				if _, err := g.Write([]byte{byte(caller), byte(n), '\n'}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	must(t, g.Close()) // it writes what waits
	text, err := io.ReadAll(other)
	if err != nil || len(text) != 3*callers*each {
		t.Fatalf("%d bytes came, %v, want %d", len(text), err, 3*callers*each)
	}
	var next [callers]byte
	for ; len(text) > 0; text = text[3:] {
		if caller, n := text[0], text[1]; n != next[caller] || text[2] != '\n' {
			t.Fatalf("%v came, want write %d of caller %d", text[:3], next[caller], caller)
		}
		next[text[0]]++
	}
}

// TestGathererWaitsForRoom: a side that reads nothing does not fill the memory, and holds up no end.
func TestGathererWaitsForRoom(t *testing.T) {
	t.Parallel()
	g, _ := gathered(t)
	ended := make(chan error)
	go func() {
		for {
			if _, err := g.Write(bytes.Repeat([]byte("x"), gatherLimit/4)); err != nil {
				ended <- err
				return
			}
		}
	}()
	until(t, "it is full", func() bool {
		g.mutex.Lock()
		defer g.mutex.Unlock()
		return len(g.text) >= gatherLimit
	})
	start := time.Now()
	_ = g.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	if len(g.text) > 2*gatherLimit {
		t.Errorf("%d bytes wait", len(g.text))
	}
}

// TestGathererTellsThatTheOtherSideIsGone by what is read and by a later write.
func TestGathererTellsThatTheOtherSideIsGone(t *testing.T) {
	t.Parallel()
	g, other := gathered(t)
	must(t, other.Close())
	until(t, "a write fails", func() bool {
		_, err := g.Write([]byte("x"))
		return errors.Is(err, net.ErrClosed)
	})
	if _, err := io.Copy(io.Discard, g); err != nil && !strings.Contains(err.Error(), "closed") && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
}
