package channel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"autopurchase/worker"
)

const (
	token   = "marker-token-5f1c"
	patient = 5 * time.Second // how long a test waits for something that must happen

	playedClock = 7_000_000 // what a played relay's clock shows at hello
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a Desk made of functions; what is nil answers at once.
type desk struct {
	place func(context.Context, worker.Order) worker.Answer
	find  func(context.Context, string, string) worker.Answer
	probe func(context.Context, string) worker.Answer
}

func (d desk) Place(ctx context.Context, order worker.Order) worker.Answer {
	if d.place == nil {
		return placed(order.Reference)
	}
	return d.place(ctx, order)
}

func (d desk) Preview(_ context.Context, order worker.Order) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Quotes: []worker.Quote{{Total: 1999, TradeTypes: []string{order.Reference}}}}
}

func (d desk) Find(ctx context.Context, appKey, reference string) worker.Answer {
	if d.find == nil {
		return worker.Answer{Verdict: worker.Absent, Code: worker.CodeAbsent, Reason: appKey + " " + reference}
	}
	return d.find(ctx, appKey, reference)
}

func (d desk) Probe(ctx context.Context, appKey string) worker.Answer {
	if d.probe == nil {
		return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Reason: appKey}
	}
	return d.probe(ctx, appKey)
}

func (desk) Check(_ context.Context, appKey string, what worker.Check) worker.Answer {
	return worker.Answer{Verdict: worker.Refused, Code: worker.CodeRefused, Reason: appKey, Proof: &worker.Proof{Topics: []string{string(what)}}}
}

func (desk) Authorize(_ context.Context, a worker.Authorization) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Proof: &worker.Proof{Address: a.RedirectURI, State: a.AppKey + a.Code + a.State}}
}

func (desk) Detail(_ context.Context, appKey, orderID string) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Reason: appKey, Detail: &worker.OrderDetail{OrderID: orderID, Status: "waitbuyerpay", Total: 1999}}
}

func (desk) CancelOrder(_ context.Context, appKey, orderID string) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Reason: appKey + " " + orderID}
}

func (desk) Pay(_ context.Context, charge worker.Charge) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Reason: charge.OpRequestID}
}

func (desk) PayLink(_ context.Context, appKey string, orderIDs []string) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Reason: appKey, Link: &worker.PayLink{URL: "https://pay.example/1", Failed: orderIDs}}
}

func (desk) List(_ context.Context, leaf worker.Leaf) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Listed: []worker.OrderDetail{{OrderID: leaf.AppKey, Made: leaf.To}}, More: leaf.Page == 3}
}

func placed(reference string) worker.Answer {
	return worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Orders: []worker.PlacedOrder{{ID: "of " + reference, Total: 1999}}}
}

func order(reference string) worker.Order {
	return worker.Order{
		Reference: reference, AppKey: "1000001", Flow: "general",
		DeliverTo: worker.Address{FullName: "张三", Mobile: "13800000000", Province: "上海", City: "上海市", Address: "陕西南路1号"},
		Lines:     []worker.Line{{OfferID: "700000000001", SpecID: "aaaa0000aaaa0000", Quantity: 2}},
	}
}

// serve starts a server on loopback and shuts it down with the test.
func serve(t testing.TB, cfg ServerConfig) (*Server, string) {
	t.Helper()
	cfg.Token, cfg.Log = token, zerolog.Nop()
	if cfg.Desk == nil {
		cfg.Desk = desk{}
	}
	server := NewServer(cfg)
	web := httptest.NewServer(server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patient)
		defer cancel()
		_ = server.Shutdown(ctx)
		web.Close()
	})
	return server, wsURL(web)
}

func wsURL(web *httptest.Server) string {
	return "ws" + strings.TrimPrefix(web.URL, "http") + "/channel"
}

// watched is a client whose states and alarms a test waits for.
type watched struct {
	*Client
	states chan string // "open" or why not
	alarms chan string
}

func dial(t testing.TB, cfg ClientConfig) *watched {
	t.Helper()
	w := &watched{states: make(chan string, 1024), alarms: make(chan string, 1024)}
	cfg.Token = orToken(cfg.Token)
	cfg.Log = zerolog.Nop()
	cfg.OnState = func(open bool, why string) {
		if open {
			why = "open"
		}
		w.states <- why
	}
	cfg.Alarm = func(text string) { w.alarms <- text }
	if cfg.Backoff == (Backoff{}) {
		cfg.Backoff = Backoff{First: time.Millisecond, Max: 20 * time.Millisecond, Slow: 50 * time.Millisecond}
	}
	w.Client = Dial(context.Background(), cfg)
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func orToken(given string) string {
	if given == "" {
		return token
	}
	return given
}

func dialOpen(t testing.TB, cfg ClientConfig) *watched {
	t.Helper()
	w := dial(t, cfg)
	w.await(t, "open")
	return w
}

// await waits for a state that contains text.
func (w *watched) await(t testing.TB, text string) {
	t.Helper()
	for {
		if state := next(t, w.states); strings.Contains(state, text) {
			return
		}
	}
}

// next takes one value from a channel within the time a test waits.
func next[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patient):
		t.Fatal("nothing came in time")
		panic("unreachable")
	}
}

// eventually polls what has no event to wait for.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patient); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func want(t testing.TB, answer worker.Answer, verdict worker.Verdict, code worker.Code) {
	t.Helper()
	if answer.Verdict != verdict || answer.Code != code {
		t.Errorf("got %s %s (%s), want %s %s", answer.Verdict, answer.Code, answer.Reason, verdict, code)
	}
}

// later runs a call in the background.
func later(call func() worker.Answer) <-chan worker.Answer {
	result := make(chan worker.Answer, 1)
	go func() { result <- call() }()
	return result
}

// peer is the other side of a connection, played by a test.
type peer struct {
	t  testing.TB
	ws *websocket.Conn
}

func (p *peer) write(format string, args ...any) {
	p.t.Helper()
	if err := p.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
		p.t.Errorf("write: %v", err)
	}
}

func (p *peer) read() (frame, error) {
	_ = p.ws.SetReadDeadline(time.Now().Add(patient))
	_, message, err := p.ws.ReadMessage()
	var f frame
	if err == nil {
		err = f.decode(message)
	}
	return f, err
}

func (p *peer) must() frame {
	p.t.Helper()
	f, err := p.read()
	if err != nil {
		p.t.Fatalf("read: %v", err)
	}
	return f
}

func (p *peer) answer() worker.Answer {
	p.t.Helper()
	var answer worker.Answer
	f := p.must()
	if err := decodeBody(f.Body, &answer); f.Type != typeReply || err != nil {
		p.t.Fatalf("no reply: %+v, %v", f, err)
	}
	return answer
}

// closeCode reads until the connection ends and gives the close code.
func (p *peer) closeCode() int {
	p.t.Helper()
	for {
		if _, err := p.read(); err != nil {
			if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
				return closed.Code
			}
			p.t.Fatalf("ended without a close frame: %v", err)
		}
	}
}

// playRelay lets a test be the relay. Each connection comes out of the channel after its hello.
func playRelay(t testing.TB) (string, <-chan *peer) {
	t.Helper()
	peers, done := make(chan *peer, 16), make(chan struct{})
	upgrader := websocket.Upgrader{Subprotocols: []string{Subprotocol}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		p := &peer{t, ws}
		p.write(`%s`, appendHello(nil, playedClock, ""))
		peers <- p
		<-done
	}))
	t.Cleanup(web.Close)
	t.Cleanup(func() { close(done) })
	return wsURL(web), peers
}

// playWorker lets a test be a worker. hello is read already.
func playWorker(t testing.TB, url string) *peer {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{Subprotocol}}
	ws, _, err := dialer.Dial(url, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	p := &peer{t, ws}
	if f := p.must(); f.Type != typeHello {
		t.Fatalf("first frame is %s, not hello", f.Type)
	}
	return p
}
