package alibaba

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/worker"
)

const placedBody = `{"success":true,"result":{"orderId":"11"}}`

// An order is sent at most once, and one that may have been sent is never called unsent.
func TestCutAfterReadingIsUnknownAndSentOnce(t *testing.T) {
	var seen atomic.Int32
	client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if seen.Add(1) == 1 { // a kept connection is what tempts the HTTP client to try again
			_, _ = w.Write([]byte(placedBody))
			return
		}
		panic(http.ErrAbortHandler)
	})
	if got := client.Create(t.Context(), testKey, testOrder()); got.Verdict != worker.Placed {
		t.Fatalf("got %+v", got)
	}
	got := client.Create(t.Context(), testKey, testOrder())
	if got.Verdict != worker.Unknown || got.Code != worker.CodeNoAnswer {
		t.Errorf("got %+v", got)
	}
	if n := seen.Load(); n != 2 {
		t.Errorf("two creates reached the gateway %d times", n)
	}
}

func TestCutWithinTheAnswerIsUnknown(t *testing.T) {
	client := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(placedBody))
	})
	if got := client.Create(t.Context(), testKey, testOrder()); got.Verdict != worker.Unknown {
		t.Errorf("got %+v", got)
	}
}

// The gateway closes a kept connection between two orders: the second goes out on a new one, or is unknown if the close
// met it on its way; it never goes out twice.
func TestIdleConnectionClosed(t *testing.T) {
	var seen atomic.Int32
	closed := make(chan struct{}, 8)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write([]byte(placedBody))
	}))
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			_ = c.Close()
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	client := clientFor(t, server.URL)
	for i := range int32(5) {
		got := client.Create(t.Context(), testKey, testOrder())
		if got.Verdict == worker.NotAttempted && seen.Load() > i {
			t.Fatalf("call %d: an order that arrived is called unsent", i)
		}
		if seen.Load() > i+1 {
			t.Fatalf("call %d: sent twice", i)
		}
		if got.Verdict != worker.Placed {
			seen.Store(i + 1)
			continue
		}
		<-closed
	}
}

// A server that reads one request and then closes, without an answer, on a connection that served one before.
func TestReusedConnectionClosedUnderTheOrder(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var seen atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serveOneThenDrop(conn, &seen)
		}
	}()
	client := clientFor(t, "http://"+listener.Addr().String())
	first := client.Create(t.Context(), testKey, testOrder())
	second := client.Create(t.Context(), testKey, testOrder())
	_ = listener.Close()
	<-done
	if first.Verdict != worker.Placed || second.Verdict != worker.Unknown || seen.Load() != 2 {
		t.Errorf("first %s, second %s, %d seen", first.Verdict, second.Verdict, seen.Load())
	}
}

func serveOneThenDrop(conn net.Conn, seen *atomic.Int32) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for answer := true; ; answer = false {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		seen.Add(1)
		if !answer {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n"+placedBody)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the order went elsewhere") }))
	defer elsewhere.Close()
	client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if got := client.Create(t.Context(), testKey, testOrder()); got.Verdict != worker.Unknown {
		t.Errorf("got %+v", got)
	}
}

func TestNobodyListensIsNotAttempted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	got := clientFor(t, "http://"+listener.Addr().String()).Create(t.Context(), testKey, testOrder())
	if got.Verdict != worker.NotAttempted || got.Code != worker.CodeChannelDown {
		t.Errorf("got %+v", got)
	}
}

func TestDeadlineBeforeSendingIsNotAttempted(t *testing.T) {
	client := gateway(t, func(http.ResponseWriter, *http.Request) { t.Error("was sent") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := client.Create(ctx, testKey, testOrder()); got.Verdict != worker.NotAttempted {
		t.Errorf("got %+v", got)
	}
}

func TestDeadlineAfterSendingIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	client := gateway(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-release
	})
	defer close(release)
	if got := client.Create(ctx, testKey, testOrder()); got.Verdict != worker.Unknown {
		t.Errorf("got %+v", got)
	}
}

func TestGatewayThatNeverAnswersEndsByTheClientsOwnTimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	defer server.Close()
	defer close(release)
	client, err := NewClient(Config{Gateway: server.URL, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if got := client.Create(t.Context(), testKey, testOrder()); got.Verdict != worker.Unknown {
		t.Errorf("got %+v", got)
	}
}

func TestNewClientNamesTheWrongSetting(t *testing.T) {
	for _, config := range []Config{
		{Gateway: "gw.open.1688.com"}, {Gateway: "ftp://gw"}, {Gateway: "http://"}, {Timeout: -1}, {Connections: -1},
	} {
		if _, err := NewClient(config); err == nil {
			t.Errorf("%+v was taken", config)
		}
	}
}
