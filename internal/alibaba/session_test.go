package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

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

const pushFrame = `{"type":"SERVER_PUSH","id":"9223372036854775807","pubTime":1700000000000,"msgSource":"REAL",` +
	`"content":"{\"msgId\":\"7001\",\"type\":\"ORDER_BUYER_VIEW_ORDER_PAY\",\"data\":{\"orderId\":11}}"}`

func TestSessionConfirmsWhatIsStored(t *testing.T) {
	confirms, stored := make(chan map[string]any, 4), make(chan worker.Push, 4)
	url := platform(t, func(_ int, p *peer) {
		p.accept()
		for range 2 { // the second is a repeat
			p.write(pushFrame)
			frame, _ := p.read()
			confirms <- frame
		}
		p.drain()
	})
	defer run(t, Session{URL: url, OnPush: keep(stored)})()
	for range 2 {
		frame := within(t, confirms)
		if frame["type"] != "CONFIRM" || frame["relatedId"] != json.Number("9223372036854775807") || frame["sign"] != nil ||
			frame["relatedMsgTime"] != json.Number("1700000000000") || frame["msgSource"] != "REAL" || len(frame["id"].(string)) != 32 {
			t.Errorf("got %v", frame)
		}
		if push := within(t, stored); push.ID != "7001" || push.OrderID != "11" {
			t.Errorf("got %+v", push)
		}
	}
}

func TestPushThatIsNotStoredIsNotConfirmed(t *testing.T) {
	confirms := make(chan map[string]any, 4)
	url := platform(t, func(_ int, p *peer) {
		p.accept()
		p.write(pushFrame)
		p.write(pushFrame)
		frame, _ := p.read()
		confirms <- frame
		p.drain()
	})
	calls := make(chan bool, 4)
	defer run(t, Session{URL: url, OnPush: func(context.Context, worker.Push) error {
		calls <- true
		if len(calls) == 1 {
			return errors.New("the worker is away")
		}
		return nil
	}})()
	if frame := within(t, confirms); frame["type"] != "CONFIRM" {
		t.Errorf("got %v", frame)
	}
	if len(calls) != 2 {
		t.Errorf("confirmed after %d calls: the first failed", len(calls))
	}
}

func TestMockIsConfirmedAndGoesNoFurther(t *testing.T) {
	confirms := make(chan map[string]any, 1)
	url := platform(t, func(_ int, p *peer) {
		p.accept()
		p.write(strings.Replace(pushFrame, "REAL", "MOCK", 1))
		frame, _ := p.read()
		confirms <- frame
		p.drain()
	})
	defer run(t, Session{URL: url, OnPush: func(context.Context, worker.Push) error {
		t.Error("a test message was handed on")
		return nil
	}})()
	if frame := within(t, confirms); frame["msgSource"] != "MOCK" {
		t.Errorf("got %v", frame)
	}
}

func TestSessionBeatsOnlyOnceAcknowledged(t *testing.T) {
	beaten := make(chan bool)
	url := platform(t, func(_ int, p *peer) {
		p.signed("CONNECT")
		p.signed("CONNECT") // not acknowledged: sent again
		p.write(`{"type":"CONNECT_ACK"}`)
		for range 3 {
			p.signed("HEARTBEAT")
		}
		beaten <- true
		p.drain()
	})
	defer run(t, Session{URL: url, Heartbeat: 10 * time.Millisecond, AckWait: 200 * time.Millisecond})()
	within(t, beaten)
}

func TestSessionComesBack(t *testing.T) {
	for name, lose := range map[string]func(*peer){
		"cut":                   func(p *peer) { p.accept() },
		"cut before the answer": func(*peer) {},
		"CLOSE":                 func(p *peer) { p.accept(); p.write(`{"type":"CLOSE"}`); p.drain() },
		"too long a frame":      func(p *peer) { p.accept(); p.write(strings.Repeat("x", maxFrame+1)); p.drain() },
		"never acknowledged":    func(p *peer) { p.drain() },
		"silent after a pong":   func(p *peer) { p.accept(); p.frozen() },
	} {
		t.Run(name, func(t *testing.T) {
			stored := make(chan worker.Push, 1)
			url := platform(t, func(n int, p *peer) {
				if n == 0 {
					lose(p)
					return
				}
				p.accept()
				p.write(`{not json`) // passed over
				p.write(pushFrame)
				p.drain()
			})
			defer run(t, Session{URL: url, OnPush: keep(stored), Heartbeat: 100 * time.Millisecond, AckWait: 100 * time.Millisecond})()
			within(t, stored)
		})
	}
}

// frozen answers one ping and then nothing more, without closing.
func (p *peer) frozen() {
	answered := false
	p.socket.SetPingHandler(func(text string) error {
		if answered {
			return nil
		}
		answered = true
		return p.socket.WriteControl(websocket.PongMessage, []byte(text), time.Now().Add(patience))
	})
	p.drain()
}

func TestComplaintIsSurfacedWithoutSecrets(t *testing.T) {
	url := platform(t, func(n int, p *peer) {
		if n == 0 {
			p.signed("CONNECT")
			p.write(`{"type":"SYSTEM","content":"sign of ` + testKey.Secret + ` is wrong"}`)
			p.drain()
			return
		}
		p.accept()
		p.write(`{"type":"SYSTEM","content":"slow down"}`)
		p.drain()
	})
	seen := make(chan error, 16)
	var log strings.Builder
	stop := run(t, Session{URL: url, Observe: func(err error) { seen <- err }, Log: zerolog.New(&log)})
	var complaint *SystemError
	if err := within(t, seen); !errors.As(err, &complaint) || !strings.Contains(err.Error(), "is wrong") {
		t.Errorf("got %v", err)
	}
	if err := within(t, seen); err != nil {
		t.Errorf("acknowledged, but got %v", err)
	}
	if err := within(t, seen); !errors.As(err, &complaint) || complaint.Message != "slow down" {
		t.Errorf("got %v", err)
	}
	stop()
	if strings.Contains(log.String(), "MARKER") || !strings.Contains(log.String(), "***") {
		t.Errorf("log: %s", log.String())
	}
}

func TestSessionEndsWhileAPushIsBeingStored(t *testing.T) {
	url := platform(t, func(_ int, p *peer) {
		p.accept()
		p.write(pushFrame)
		p.drain()
	})
	storing := make(chan bool)
	stop := run(t, Session{URL: url, OnPush: func(ctx context.Context, _ worker.Push) error {
		storing <- true
		<-ctx.Done()
		return ctx.Err()
	}})
	within(t, storing)
	stop()
}

func TestSessionRefusesAWrongAddress(t *testing.T) {
	for _, url := range []string{"", "http://127.0.0.1", "ws://", "://"} {
		if (Session{URL: url}).Run(t.Context()) == nil {
			t.Errorf("%q was taken", url)
		}
	}
}
