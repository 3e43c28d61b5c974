package chaos

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// echo answers everything with the same bytes.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // until the connection ends
			}()
		}
	}()
	return listener.Addr().String()
}

func through(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	bounded(t, conn)
	return conn
}

// passes says whether a new connection gets through; one that is reset at once may fail to be made.
func passes(t *testing.T, p *proxy) bool {
	t.Helper()
	conn, err := net.Dial("tcp", p.address())
	if err != nil {
		return false
	}
	bounded(t, conn)
	return answered(conn)
}

func bounded(t *testing.T, conn net.Conn) {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
}

// answered sends a byte and says whether it comes back.
func answered(conn net.Conn) bool {
	got := make([]byte, 1)
	if _, err := conn.Write([]byte{'x'}); err != nil {
		return false
	}
	_, err := io.ReadFull(conn, got)
	return err == nil && got[0] == 'x'
}

func newTestProxy(t *testing.T) *proxy {
	t.Helper()
	p, err := newProxy(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func TestACutEndsConnectionsAndLetsNoneThrough(t *testing.T) {
	p := newTestProxy(t)
	before := through(t, p)
	if !answered(before) {
		t.Fatal("nothing passes")
	}
	p.cut()
	if answered(before) || passes(t, p) {
		t.Error("something passes a cut connection")
	}
	p.mend()
	if !passes(t, p) {
		t.Error("nothing passes after it was mended")
	}
}

// TestACutThatEndsAfterTheProxyWasClosedLetsNothingIn: a connection that was accepted before may come as late, and the proxy
// would wait for its end.
func TestACutThatEndsAfterTheProxyWasClosedLetsNothingIn(t *testing.T) {
	p := newTestProxy(t)
	late, err := net.Dial("tcp", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	p.cut()
	p.close()
	p.mend()
	if p.enter(late) {
		t.Error("a connection entered a closed proxy")
	}
}

// TestWhatIsSentIntoAFrozenConnectionArrivesAfterwards: all of it, in order, on connections made before and meanwhile.
func TestWhatIsSentIntoAFrozenConnectionArrivesAfterwards(t *testing.T) {
	p := newTestProxy(t)
	before := through(t, p)
	if !answered(before) {
		t.Fatal("nothing passes")
	}
	freeze(t, p)
	meanwhile := through(t, p)
	text := strings.Repeat("0123456789", 1<<15)
	for _, conn := range []net.Conn{before, meanwhile} {
		for part := range slices.Chunk([]byte(text), 1000) {
			if _, err := conn.Write(part); err != nil {
				t.Fatalf("a frozen connection shows: %v", err)
			}
		}
		if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || n > 0 {
			t.Errorf("%d bytes, %v: something passes a frozen connection", n, err)
		}
		bounded(t, conn)
	}
	p.heal()
	for _, conn := range []net.Conn{before, meanwhile} {
		got := make([]byte, len(text))
		if n, err := io.ReadFull(conn, got); err != nil || string(got) != text {
			t.Errorf("%d bytes, %v after the thaw, or not in order", n, err)
		}
	}
}

// TestAFrozenConnectionHidesAnEnd, as a network does that lets nothing pass.
func TestAFrozenConnectionHidesAnEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p, err := newProxy(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	conn := through(t, p)
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	freeze(t, p)
	if err := errors.Join(server.Close(), conn.SetReadDeadline(time.Now().Add(100*time.Millisecond))); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v: an end passes a frozen connection", err)
	}
	bounded(t, conn)
	p.heal()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("%v after the thaw, want the end", err)
	}
}

// TestASlowConnectionDelays what passes, and loses none of it.
func TestASlowConnectionDelays(t *testing.T) {
	p := newTestProxy(t)
	conn := through(t, p)
	if err := p.poison(toxic["slow"]); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if !answered(conn) {
		t.Fatal("nothing passes")
	}
	if took := time.Since(began); took < 100*time.Millisecond { // there and back, 150 ms less the jitter each
		t.Errorf("it took %v", took)
	}
	p.heal()
	if !answered(conn) {
		t.Error("nothing passes any more")
	}
}

// TestConnectionsThatEndUnderTrafficLeaveNothingBehind: whichever way they end. The leak check of this package sees it.
func TestConnectionsThatEndUnderTrafficLeaveNothingBehind(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, p *proxy, conn net.Conn){
		"its peer leaves":              func(_ *testing.T, _ *proxy, conn net.Conn) { conn.Close() },
		"cut":                          func(_ *testing.T, p *proxy, _ net.Conn) { p.cut() },
		"closed":                       func(_ *testing.T, p *proxy, _ net.Conn) { p.close() },
		"frozen and closed":            func(t *testing.T, p *proxy, _ net.Conn) { freeze(t, p); p.close() },
		"frozen, left, and then thawn": func(t *testing.T, p *proxy, conn net.Conn) { freeze(t, p); conn.Close(); p.heal() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newTestProxy(t)
			conn := through(t, p)
			flood := make(chan struct{})
			go func() {
				defer close(flood)
				_, _ = io.Copy(conn, neverEnding{}) // until the connection ends
			}()
			if _, err := io.ReadFull(conn, make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			end(t, p, conn)
			p.close()
			<-flood
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.open) > 0 {
				t.Errorf("%d ends are open", len(p.open))
			}
		})
	}
}

// neverEnding is bytes without end.
type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func freeze(t *testing.T, p *proxy) {
	t.Helper()
	if err := p.poison(toxic["freeze"]); err != nil {
		t.Fatal(err)
	}
}
