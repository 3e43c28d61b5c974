package alibaba

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"autopurchase/worker"
)

const patience = 10 * time.Second

// platform plays one side of the message websocket by a script that runs once for each connection.
func platform(t *testing.T, script func(n int, p *peer)) string {
	t.Helper()
	upgrader := websocket.Upgrader{}
	connections := make(chan int, 1)
	connections <- 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("client_version") != "1" && r.Header.Get("Client_version") != "1" {
			t.Error("no client_version in the handshake")
		}
		socket, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer socket.Close()
		n := <-connections
		connections <- n + 1
		script(n, &peer{t: t, socket: socket})
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

type peer struct {
	t      *testing.T
	socket *websocket.Conn
}

// read gives the next frame; false when the session went away.
func (p *peer) read() (map[string]any, bool) {
	_ = p.socket.SetReadDeadline(time.Now().Add(patience))
	_, body, err := p.socket.ReadMessage()
	if err != nil {
		return nil, false
	}
	var frame map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&frame); err != nil {
		p.t.Errorf("frame %s: %v", body, err)
	}
	return frame, true
}

func (p *peer) write(frame string) { _ = p.socket.WriteMessage(websocket.TextMessage, []byte(frame)) }

// accept takes a CONNECT and acknowledges it.
func (p *peer) accept() {
	p.signed("CONNECT")
	p.write(`{"type":"CONNECT_ACK"}`)
}

// signed reads a frame of the kind and checks its signature.
func (p *peer) signed(kind string) {
	frame, ok := p.read()
	if !ok {
		return
	}
	published, err := frame["pubTime"].(json.Number).Int64()
	if err != nil || frame["type"] != kind || frame["appKey"] != testKey.AppKey ||
		frame["sign"] != SignMessage(testKey.Secret, testKey.AppKey, "", published) {
		p.t.Errorf("want a signed %s, got %v", kind, frame)
	}
}

// drain reads until the session goes away.
func (p *peer) drain() {
	for ok := true; ok; {
		_, ok = p.read()
	}
}

// run starts a session and returns what ends it and waits for its end.
func run(t *testing.T, s Session) (stop func()) {
	t.Helper()
	s.Credentials = testKey
	if s.FirstWait == 0 {
		s.FirstWait, s.MaxWait = time.Millisecond, 5*time.Millisecond
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := within(t, ended); err != nil {
			t.Error(err)
		}
	}
}

func within[T any](t *testing.T, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(patience):
		t.Fatal("nothing within ten seconds")
	}
	return value
}

func keep(into chan worker.Push) func(context.Context, worker.Push) error {
	return func(_ context.Context, push worker.Push) error {
		into <- push
		return nil
	}
}
