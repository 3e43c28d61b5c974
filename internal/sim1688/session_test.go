package sim1688

import (
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// listener is a client of the message websocket.
type listener struct {
	t    *testing.T
	conn *websocket.Conn
}

const patience = 5 * time.Second

func (w *world) dial(t *testing.T) *listener {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	conn, resp, err := dialer.Dial(w.MessagesURL(), map[string][]string{"client_version": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	t.Cleanup(func() { conn.Close() })
	return &listener{t: t, conn: conn}
}

func (l *listener) send(text string) {
	l.t.Helper()
	if err := l.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *listener) sendSigned(kind, appKey, secret string) {
	l.t.Helper()
	f := frame{AppKey: appKey, PubTime: 1700000000000}
	l.send(`{"appKey":"` + appKey + `","costInIsv":0,"pubTime":1700000000000,"sign":"` + frameSign(secret, f) + `","type":"` + kind + `"}`)
}

func (l *listener) receive() serverFrame {
	l.t.Helper()
	l.conn.SetReadDeadline(time.Now().Add(patience))
	_, text, err := l.conn.ReadMessage()
	if err != nil {
		l.t.Fatal(err)
	}
	var f serverFrame
	if err := json.Unmarshal(text, &f); err != nil {
		l.t.Fatal(err)
	}
	return f
}

func (l *listener) expect(kind, content string) {
	l.t.Helper()
	if f := l.receive(); f.Type != kind || !strings.Contains(f.Content, content) {
		l.t.Fatalf("got %+v, want %s %q", f, kind, content)
	}
}

func (w *world) listen(t *testing.T) *listener {
	t.Helper()
	l := w.dial(t)
	l.sendSigned("CONNECT", testKey, testSecret)
	l.expect("CONNECT_ACK", "")
	return l
}

// confirm sends CONFIRM with the id as the official client does, a number.
func (l *listener) confirm(id string) {
	l.t.Helper()
	l.send(`{"appKey":"` + testKey + `","costInIsv":3,"id":"0123456789abcdef0123456789abcdef","msgSource":"REAL","pubTime":1,"relatedId":` +
		id + `,"relatedMsgTime":1,"type":"CONFIRM"}`)
}

// sync returns when everything sent before has been handled: a CONNECT sent again is acknowledged in its turn.
func (l *listener) sync() {
	l.t.Helper()
	l.sendSigned("CONNECT", testKey, testSecret)
	for f := l.receive(); f.Type != "CONNECT_ACK"; f = l.receive() {
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

func TestConnect(t *testing.T) {
	w := start(t)
	l := w.dial(t)
	l.sendSigned("HEARTBEAT", testKey, testSecret)
	l.expect("SYSTEM", "HEARTBEAT before CONNECT")
	l.sendSigned("CONNECT", testKey, "another secret")
	l.expect("SYSTEM", "do not match")
	l.sendSigned("CONNECT", "nobody", testSecret)
	l.expect("SYSTEM", "do not match")
	l.send(`{"type":"CONNECT","appKey":"` + testKey + `"`)
	l.expect("SYSTEM", "cannot be read")
	if n := w.Sessions(testKey); n != 0 {
		t.Errorf("%d sessions before CONNECT", n)
	}
	l.sendSigned("CONNECT", testKey, testSecret)
	l.expect("CONNECT_ACK", "")
	l.sendSigned("CONNECT", testKey, testSecret)
	l.expect("CONNECT_ACK", "")
	l.send(`{"type":"CLOSE","appKey":"` + testKey + `"}`)
	await(t, "the session to leave", func() bool { return w.Sessions(testKey) == 0 })
}

func TestSessionBelongsToOneKey(t *testing.T) {
	w := start(t, func(cfg *Config) { cfg.Keys = append(cfg.Keys, Key{AppKey: "other", Secret: "s"}) })
	l := w.listen(t)
	l.sendSigned("CONNECT", "other", "s")
	l.expect("SYSTEM", "another appKey")
	l.sendSigned("HEARTBEAT", "other", "s")
	l.expect("SYSTEM", "not the session's")
}

func TestHeartbeat(t *testing.T) {
	w := start(t)
	l := w.listen(t)
	l.sendSigned("HEARTBEAT", testKey, testSecret)
	l.sendSigned("CONNECT", testKey, testSecret)
	l.expect("CONNECT_ACK", "") // a good heartbeat has no answer
	l.sendSigned("HEARTBEAT", testKey, "another secret")
	l.expect("SYSTEM", "sign of HEARTBEAT")
	l.send(`{"type":"CLIENT_PUSH","appKey":"` + testKey + `"}`)
	l.expect("SYSTEM", "not supported")
	l.send(`{"type":"CONFIRM","appKey":"` + testKey + `","relatedId":"x"}`)
	l.expect("SYSTEM", "relatedId")
}

func TestFrameLimit(t *testing.T) {
	w := start(t)
	l := w.listen(t)
	l.send(`{"type":"HEARTBEAT","content":"` + strings.Repeat("x", frameLimit) + `"}`)
	l.conn.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := l.conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseMessageTooBig, websocket.CloseAbnormalClosure) {
		t.Errorf("got %v", err)
	}
}

func TestOrderIsPushed(t *testing.T) {
	w := start(t)
	first, second := w.listen(t), w.listen(t)
	w.create("acme.PR1-1", someLines(1)...)
	order := w.Orders(OrderFilter{})[0]
	for _, l := range []*listener{first, second} {
		f := l.receive()
		var got struct {
			MsgID    json.Number `json:"msgId"`
			GmtBorn  int64       `json:"gmtBorn"`
			Type     string      `json:"type"`
			UserInfo string      `json:"userInfo"`
			Data     struct {
				OrderID       json.Number `json:"orderId"`
				CurrentStatus string      `json:"currentStatus"`
				MsgSendTime   string      `json:"msgSendTime"`
				Buyer         string      `json:"buyerMemberId"`
				Seller        string      `json:"sellerMemberId"`
			} `json:"data"`
		}
		if err := json.Unmarshal([]byte(f.Content), &got); err != nil {
			t.Fatal(err)
		}
		if f.Type != "SERVER_PUSH" || f.MsgSource != "REAL" || f.ID != got.MsgID.String() || f.PubTime != w.clock.Now().UnixMilli() {
			t.Errorf("frame %+v", f)
		}
		if got.Type != "ORDER_BUYER_VIEW_BUYER_MAKE" || got.UserInfo != "b2b-buyer" || got.Data.OrderID.String() != order.OrderID ||
			got.Data.CurrentStatus != "waitbuyerpay" || got.Data.MsgSendTime != "2026-03-01 12:05:06" || got.Data.Seller != offersOf(1, 1)[0].Seller {
			t.Errorf("content %+v", got)
		}
	}
}

func TestUnconfirmedIsSentAgain(t *testing.T) {
	w := start(t, func(cfg *Config) { cfg.Resend = 20 * time.Millisecond })
	l := w.listen(t)
	id := w.Push(testKey, "ORDER_BUYER_VIEW_MODIFY_MEMO", map[string]any{"orderId": "1"})
	for range pushAttempts {
		if f := l.receive(); f.ID != id {
			t.Fatalf("got %+v, want push %s", f, id)
		}
	}
	if got := w.Unconfirmed(testKey); len(got) != 1 || got[0] != id {
		t.Errorf("unconfirmed %v", got)
	}
	confirmed := w.Push(testKey, "ORDER_BUYER_VIEW_MODIFY_MEMO", map[string]any{"orderId": "2"})
	if f := l.receive(); f.ID != confirmed { // and never the first one a fourth time
		t.Errorf("got %+v", f)
	}
}

func TestConfirmStopsResending(t *testing.T) {
	c := newCourier(Config{Now: time.Now, Resend: time.Hour}.withDefaults())
	key := Key{AppKey: testKey}
	var ids []int64
	for range 3 {
		id, err := strconv.ParseInt(c.publish(key, "T", sourceReal, json.RawMessage("{}")), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	c.confirm("another", ids[0])
	c.confirm(testKey, ids[1])
	c.confirm(testKey, ids[1])
	c.confirm(testKey, 1)
	now := time.Now()
	for range 5 { // far more often than a push is tried
		now = now.Add(2 * time.Hour)
		c.resendDue(now)
		for _, p := range c.again {
			p.due = now
		}
	}
	left := c.unconfirmed(testKey)
	if len(left) != 2 || left[0].id != ids[0] || left[1].id != ids[2] {
		t.Fatalf("left %+v", left)
	}
	for _, p := range left {
		if p.attempts != pushAttempts {
			t.Errorf("%d attempts", p.attempts)
		}
	}
	if len(c.again) != 0 || len(c.byID) != 2 {
		t.Errorf("%d planned, %d on file", len(c.again), len(c.byID))
	}
}

func TestConfirmOverTheWire(t *testing.T) {
	w := start(t)
	l := w.listen(t)
	number, text := w.Push(testKey, "T", 1), w.Push(testKey, "T", 2)
	l.confirm(number)
	l.confirm(strconv.Quote(text))
	l.confirm(number)
	l.sync()
	if left := w.Unconfirmed(testKey); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestStoreIsBounded(t *testing.T) {
	c := newCourier(Config{Now: time.Now}.withDefaults())
	for range storedPushes + 10 {
		c.publish(Key{AppKey: testKey}, "T", sourceReal, nil)
	}
	if n := len(c.unconfirmed(testKey)); n != storedPushes || len(c.byID) != storedPushes {
		t.Errorf("%d kept, %d on file", n, len(c.byID))
	}
}

// A client that stops reading loses frames, and holds up neither the others nor Close.
func TestSlowListener(t *testing.T) {
	w := start(t)
	l := w.listen(t)
	if err := l.conn.NetConn().(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 16<<10)
	const sent = 2 * sessionQueue // more than queue and socket buffers hold
	for range sent {
		w.Push(testKey, "T", large)
	}
	if n := len(w.Unconfirmed(testKey)); n != sent {
		t.Errorf("%d kept", n)
	}
	closed := make(chan error, 1)
	go func() { closed <- w.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(writeLimit / 2):
		t.Error("Close waits for a client that does not read")
	}
}

func TestPushRefused(t *testing.T) {
	w := start(t)
	if id := w.Push("nobody", "T", 1); id != "" {
		t.Errorf("pushed %s to nobody", id)
	}
	if id := w.Push(testKey, "T", func() {}); id != "" {
		t.Errorf("pushed %s without JSON", id)
	}
}
