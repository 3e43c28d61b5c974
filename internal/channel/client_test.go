package channel

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"autopurchase/worker"
)

const absent = `{"v":1,"type":"reply","id":"%d","body":{"verdict":"absent","code":"absent"}}`

func reply(p *peer, id uint64, answer worker.Answer) {
	p.t.Helper()
	text, err := appendReply(nil, id, &answer)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("%s", text)
}

// place sends one order through a client while the test plays the relay, and gives the ask as it arrived.
func place(t *testing.T, w *watched, p *peer, reference string) (<-chan worker.Answer, frame) {
	t.Helper()
	result := later(func() worker.Answer { return *w.Place(t.Context(), new(order(reference))) })
	return result, p.must()
}

func TestAskCarriesOrderAndDeadline(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url, CallTimeout: time.Minute})
	p := next(t, peers)
	result, f := place(t, w, p, "acme.PR-1-1")
	var got worker.Order
	if err := decodeBody(f.Body, &got, strict); err != nil || got.Reference != "acme.PR-1-1" || got.Lines[0].Quantity != 2 {
		t.Errorf("order arrived as %+v, %v", got, err)
	}
	if left := f.Deadline - playedClock; f.Op != opPlace || left < 55_000 || left > 70_000 {
		t.Errorf("op %q with %d ms left by the relay's clock, want place with a minute", f.Op, left)
	}
	reply(p, f.ID, placed("acme.PR-1-1"))
	want(t, next(t, result), worker.Placed, worker.CodePlaced)
}

func TestRepliesOutOfOrderReachTheirAskers(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	p := next(t, peers)
	first, a := place(t, w, p, "first")
	second, b := place(t, w, p, "second")
	reply(p, b.ID, placed("second"))
	reply(p, a.ID, placed("first"))
	if one, two := next(t, first), next(t, second); one.Orders[0].ID != "of first" || two.Orders[0].ID != "of second" {
		t.Errorf("answers were swapped: %v, %v", one, two)
	}
}

func TestServerAnswersOneAndCloses(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	p := next(t, peers)
	one, a := place(t, w, p, "one")
	two, _ := place(t, w, p, "two")
	three, _ := place(t, w, p, "three")
	reply(p, a.ID, placed("one"))
	_ = p.ws.Close()
	want(t, next(t, one), worker.Placed, worker.CodePlaced)
	want(t, next(t, two), worker.Unknown, worker.CodeNoAnswer)
	want(t, next(t, three), worker.Unknown, worker.CodeNoAnswer)
}

// TestAskThatCrossesTheGoodbye: what a relay said last decides. One that has answered every ask which it took never started the
// one without a reply; any other end leaves that unknown.
func TestAskThatCrossesTheGoodbye(t *testing.T) {
	for code, verdict := range map[int]worker.Verdict{
		closeDrained: worker.NotAttempted, websocket.CloseGoingAway: worker.Unknown, websocket.CloseServiceRestart: worker.Unknown,
	} {
		url, peers := playRelay(t)
		w := dialOpen(t, ClientConfig{URL: url})
		p := next(t, peers)
		one, a := place(t, w, p, "one")
		two, _ := place(t, w, p, "two")
		reply(p, a.ID, placed("one"))
		bye := websocket.FormatCloseMessage(code, "bye")
		if err := p.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		want(t, next(t, one), worker.Placed, worker.CodePlaced)
		if got := next(t, two); got.Verdict != verdict {
			t.Errorf("close code %d: %+v, want %s", code, got, verdict)
		}
	}
}

func TestUnexpectedReplies(t *testing.T) {
	for _, test := range []struct {
		name  string
		play  func(p *peer, answered, abandoned uint64)
		alarm string // "" wants none
	}{
		{"unknown id", func(p *peer, _, _ uint64) { p.write(absent, 99) }, "unknown id"},
		{"after the deadline", func(p *peer, _, late uint64) { reply(p, late, placed("late")) }, "reply for late after its deadline: placed order of late"},
		{"not attempted after the deadline", func(p *peer, _, late uint64) {
			reply(p, late, notAttempted(worker.CodeThrottled, "too late"))
		}, ""},
		{"second reply, the same", func(p *peer, answered, _ uint64) { reply(p, answered, placed("early")) }, ""},
		{"second reply, another", func(p *peer, answered, _ uint64) { reply(p, answered, placed("twin")) }, "placed order of early, then placed order of twin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, peers := playRelay(t)
			w := dialOpen(t, ClientConfig{URL: url})
			p := next(t, peers)
			early, a := place(t, w, p, "early")
			reply(p, a.ID, placed("early"))
			want(t, next(t, early), worker.Placed, worker.CodePlaced)
			ctx, giveUp := context.WithCancel(t.Context())
			late := later(func() worker.Answer { return *w.Place(ctx, new(order("late"))) })
			b := p.must()
			giveUp()
			want(t, next(t, late), worker.Unknown, worker.CodeNoAnswer)

			current, c := place(t, w, p, "current")
			test.play(p, a.ID, b.ID)
			reply(p, c.ID, placed("current"))
			if answer := next(t, current); answer.Orders[0].ID != "of current" {
				t.Errorf("the next ask got %v", answer)
			}
			select {
			case text := <-w.alarms:
				if test.alarm == "" || !strings.Contains(text, test.alarm) {
					t.Errorf("alarm %q, want %q", text, test.alarm)
				}
			default:
				if test.alarm != "" {
					t.Errorf("no alarm, want %q", test.alarm)
				}
			}
		})
	}
}

// TestLateOrders: a reply that names an order is handed on with the reference it was asked for, whenever it comes; one that
// names none, or nobody asked for, is not.
func TestLateOrders(t *testing.T) {
	url, peers := playRelay(t)
	type late struct {
		reference string
		answer    worker.Answer
	}
	told := make(chan late, 10)
	w := dialOpen(t, ClientConfig{URL: url, OnLate: func(_ context.Context, reference string, answer worker.Answer) { told <- late{reference, answer} }})
	p := next(t, peers)
	ctx, giveUp := context.WithCancel(t.Context())
	abandoned := later(func() worker.Answer { return *w.Place(ctx, new(order("abandoned"))) })
	a := p.must()
	giveUp()
	want(t, next(t, abandoned), worker.Unknown, worker.CodeNoAnswer)
	answered, b := place(t, w, p, "answered")
	reply(p, b.ID, placed("answered"))
	want(t, next(t, answered), worker.Placed, worker.CodePlaced)

	p.write(absent, 99)
	reply(p, b.ID, placed("answered"))
	reply(p, a.ID, notAttempted(worker.CodeThrottled, "too late"))
	reply(p, b.ID, placed("twin"))
	if got := next(t, told); got.reference != "answered" || got.answer.Orders[0].ID != "of twin" {
		t.Errorf("%+v", got)
	}
	reply(p, a.ID, placed("abandoned"))
	if got := next(t, told); got.reference != "abandoned" || got.answer.Orders[0].ID != "of abandoned" {
		t.Errorf("%+v", got)
	}
	_ = w.Close() // waits for those who were told
	if len(told) != 0 {
		t.Errorf("%d more were told", len(told))
	}
}

func TestRepliesThatBreakTheProtocolHarmOneAsk(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	p := next(t, peers)
	for _, body := range []string{
		`,"body":{"verdict":"placed","code":"placed"}`,
		`,"body":{"verdict":"placed","code":"placed","orders":[{"id":""}]}`,
		`,"body":{"verdict":"placed","code":"placed","orders":7}`,
		`,"body":{"verdict":"absent","code":"absent"}`,
		`,"body":{"verdict":"maybe","code":"placed"}`,
		`,"body":{"Verdict":"refused"}`,
		`,"body":[]`, `,"body":null`, ``,
	} {
		result, f := place(t, w, p, "PR")
		p.write(`{"v":1,"type":"reply","id":"%d"%s}`, f.ID, body)
		want(t, next(t, result), worker.Unknown, worker.CodeNoAnswer)
		if text := next(t, w.alarms); !strings.Contains(text, "breaks the protocol") {
			t.Errorf("%s: alarm %q", body, text)
		}
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Errorf("the connection ended: %v", err)
	}
}

func TestFramesThatEndTheConnection(t *testing.T) {
	for _, test := range []struct {
		text string
		code int
	}{
		{`{"v":2,"type":"reply","id":"1","body":{}}`, closeBadVersion},
		{`{"v":1,"type":"order","id":"1","body":{}}`, closeBadFrame},
		{`{"v":1,"type":"ask","id":"1","op":"place","body":{}}`, closeBadFrame},
		{`{"v":1,"type":"hello","body":{"clock_ms":1}}`, closeBadFrame},
		{`{"v":1,"type":"reply","id":1,"body":{}}`, closeBadFrame},
		{`{not json`, closeBadFrame},
	} {
		url, peers := playRelay(t)
		w := dialOpen(t, ClientConfig{URL: url})
		p := next(t, peers)
		result, _ := place(t, w, p, "PR")
		p.write("%s", test.text)
		if code := p.closeCode(); code != test.code {
			t.Errorf("%.60s: close code %d, want %d", test.text, code, test.code)
		}
		want(t, next(t, result), worker.Unknown, worker.CodeNoAnswer)
	}
}

func TestMessageOverTheLimitEndsTheConnection(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	p := next(t, peers)
	result, _ := place(t, w, p, "PR")
	_ = p.ws.WriteMessage(websocket.TextMessage, make([]byte, maxFrame+1)) // may fail: nobody reads it to its end
	want(t, next(t, result), worker.Unknown, worker.CodeNoAnswer)
	w.await(t, "read limit exceeded")
	w.await(t, "open")
}

func TestReplyOfAnOlderConnectionReachesNobody(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	old := next(t, peers)
	lost, a := place(t, w, old, "lost")
	_ = old.ws.Close()
	want(t, next(t, lost), worker.Unknown, worker.CodeNoAnswer)
	w.await(t, "open")
	p := next(t, peers)
	waiting, b := place(t, w, p, "waiting")
	if a.ID == b.ID {
		t.Fatalf("id %d was used twice", a.ID)
	}
	reply(p, a.ID, placed("lost"))
	if text := next(t, w.alarms); !strings.Contains(text, "unknown id") {
		t.Errorf("alarm %q", text)
	}
	reply(p, b.ID, placed("waiting"))
	if answer := next(t, waiting); answer.Orders[0].ID != "of waiting" {
		t.Errorf("got %v", answer)
	}
}

func TestUnreachableRelay(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	for _, url := range []string{"ws://" + address + "/channel", "ws://%zz" + token, "ftp://x"} {
		w := dial(t, ClientConfig{URL: url})
		why := next(t, w.states)
		want(t, *w.Place(t.Context(), new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
		trouble, ok := errors.AsType[*worker.Trouble](w.Ready(t.Context()))
		if !ok || trouble.Code != worker.CodeChannelDown || trouble.Reason != why {
			t.Errorf("%s: Ready says %v, OnState said %q", url, trouble, why)
		}
		if strings.Contains(why, token) {
			t.Errorf("the address is repeated: %q", why)
		}
	}
}

func TestCloseBeforeConnectAndTwice(t *testing.T) {
	w := dial(t, ClientConfig{URL: "ws://127.0.0.1:1/channel"})
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
}

func TestCloseEndsWaiters(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	p := next(t, peers)
	result, _ := place(t, w, p, "PR")
	_ = w.Close()
	want(t, next(t, result), worker.Unknown, worker.CodeNoAnswer)
	if code := p.closeCode(); code != websocket.CloseGoingAway {
		t.Errorf("close code %d", code)
	}
	want(t, *w.Find(t.Context(), "1000001", "PR"), worker.NotAttempted, worker.CodeChannelDown)
	if err := w.Ready(t.Context()); err == nil {
		t.Error("ready after Close")
	}
}

func TestPlaceInFlightIsWaitedFor(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url, MaxInFlight: 1})
	p := next(t, peers)
	first, a := place(t, w, p, "first")
	ctx, giveUp := context.WithCancel(t.Context())
	second := later(func() worker.Answer { return *w.Place(ctx, new(order("second"))) })
	giveUp()
	want(t, next(t, second), worker.NotAttempted, worker.CodeChannelDown)
	third := later(func() worker.Answer { return *w.Place(t.Context(), new(order("third"))) })
	reply(p, a.ID, placed("first"))
	want(t, next(t, first), worker.Placed, worker.CodePlaced)
	reply(p, p.must().ID, placed("third"))
	want(t, next(t, third), worker.Placed, worker.CodePlaced)
}

func TestOrderTooLongForAFrame(t *testing.T) {
	url, _ := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	long := order("PR")
	long.Message = strings.Repeat("x", maxFrame)
	want(t, *w.Place(t.Context(), &long), worker.NotAttempted, worker.CodeInternal)
}

func TestHelloMustCome(t *testing.T) {
	mute := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{Subprotocols: []string{Subprotocol}}
		if ws, err := upgrader.Upgrade(w, r, nil); err == nil {
			_, _, _ = ws.ReadMessage() // answers pings, and says nothing
			_ = ws.Close()
		}
	}))
	t.Cleanup(mute.Close)
	w := dial(t, ClientConfig{URL: wsURL(mute), PingEvery: 20 * time.Millisecond})
	w.await(t, "hello")
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
	_ = w.Close()
}
