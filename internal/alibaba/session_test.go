package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"autopurchase/worker"
)

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
	confirms := make(chan map[string]any, 1)
	url := platform(t, func(_ int, p *peer) {
		p.accept()
		p.write(strings.ReplaceAll(pushFrame, "9223372036854775807", "41"))
		p.write(strings.ReplaceAll(pushFrame, "9223372036854775807", "42"))
		frame, _ := p.read()
		confirms <- frame
		p.drain()
	})
	calls := 0 // one goroutine hands pushes on
	defer run(t, Session{URL: url, OnPush: func(context.Context, worker.Push) error {
		calls++
		if calls == 1 {
			return errors.New("the worker is away")
		}
		return nil
	}})()
	if frame := within(t, confirms); frame["relatedId"] != json.Number("42") {
		t.Errorf("the first push was not stored, but the first confirm is %v", frame)
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
