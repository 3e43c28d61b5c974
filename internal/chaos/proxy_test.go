package chaos

import (
	"io"
	"net"
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

func TestWhatIsSentIntoAFrozenConnectionArrivesAfterwards(t *testing.T) {
	p := newTestProxy(t)
	conn := through(t, p)
	if !answered(conn) {
		t.Fatal("nothing passes")
	}
	p.freeze()
	p.freeze() // twice is once
	if _, err := conn.Write([]byte{'y'}); err != nil {
		t.Fatalf("a frozen connection shows: %v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1)
	if n, err := conn.Read(got); err == nil || n > 0 {
		t.Error("something passes a frozen connection")
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	p.thaw()
	p.thaw()
	if _, err := io.ReadFull(conn, got); err != nil || got[0] != 'y' {
		t.Errorf("%q, %v after the thaw", got, err)
	}
}

func TestAProxyThatIsClosedWhileFrozenEnds(t *testing.T) {
	p := newTestProxy(t)
	conn := through(t, p)
	if !answered(conn) {
		t.Fatal("nothing passes")
	}
	p.freeze()
	p.close()
	if answered(conn) {
		t.Error("something passes a closed proxy")
	}
}
