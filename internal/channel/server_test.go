package channel

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

func TestHandshakeRefusals(t *testing.T) {
	_, url := serve(t, ServerConfig{})
	for _, test := range []struct {
		name, authorization, protocol string
		status                        int
		word                          string
	}{
		{"no token", "", Subprotocol, 401, "unauthorized"},
		{"wrong token", "Bearer " + token + "x", Subprotocol, 401, "unauthorized"},
		{"another scheme", "Basic " + token, Subprotocol, 401, "unauthorized"},
		{"empty token", "Bearer ", Subprotocol, 401, "unauthorized"},
		{"no protocol", "Bearer " + token, "", 400, "unsupported_protocol"},
		{"another version", "Bearer " + token, "autopurchase.v2", 400, "unsupported_protocol"},
	} {
		header := http.Header{}
		if test.authorization != "" {
			header.Set("Authorization", test.authorization)
		}
		dialer := websocket.Dialer{}
		if test.protocol != "" {
			dialer.Subprotocols = []string{test.protocol}
		}
		ws, response, err := dialer.Dial(url, header)
		if err == nil {
			_ = ws.Close()
			t.Errorf("%s: let in", test.name)
			continue
		}
		var body struct{ Error, Message string }
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if response.StatusCode != test.status || body.Error != test.word || body.Message == "" {
			t.Errorf("%s: %d %+v, want %d %s", test.name, response.StatusCode, body, test.status, test.word)
		}
	}
}

func TestServerWithoutTokenLetsNobodyIn(t *testing.T) {
	server := NewServer(ServerConfig{Desk: desk{}})
	r, _ := http.NewRequest(http.MethodGet, "/channel", nil)
	r.Header.Set("Authorization", "Bearer ")
	if server.authorized(r) {
		t.Error("an empty token opened the channel")
	}
}

func TestOpenServerLetsEverybodyIn(t *testing.T) {
	server := NewServer(ServerConfig{Desk: desk{}, Open: true})
	if !server.authorized(httptest.NewRequest(http.MethodGet, "/channel", nil)) {
		t.Error("an open channel asked for a token")
	}
}

func TestPlainRequestIsRefused(t *testing.T) {
	_, url := serve(t, ServerConfig{})
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(url, "ws"), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Sec-WebSocket-Protocol", Subprotocol)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	if response.StatusCode != http.StatusBadRequest || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
}

func TestAsksAnsweredWithoutTheDesk(t *testing.T) {
	never := func(context.Context, worker.Order) worker.Answer {
		t.Error("the desk was asked")
		return worker.Answer{}
	}
	server, url := serve(t, ServerConfig{Desk: desk{place: never}})
	p := playWorker(t, url)
	past := server.clock() - 1
	for _, test := range []struct {
		text string
		code worker.Code
	}{
		{`{"v":1,"type":"ask","id":"1","op":"dance","body":{}}`, worker.CodeInternal},
		{`{"v":1,"type":"ask","id":"2","body":{}}`, worker.CodeInternal},
		{`{"v":1,"type":"ask","id":"3","op":"place","body":{"reference":"a","sender":"b"}}`, worker.CodeInternal},
		{`{"v":1,"type":"ask","id":"4","op":"place","body":{"reference":"a","Reference":"b"}}`, worker.CodeInternal},
		{`{"v":1,"type":"ask","id":"5","op":"place","body":null}`, worker.CodeInternal},
		{`{"v":1,"type":"ask","id":"6","op":"place"}`, worker.CodeInternal},
		{`{"v":1,"type":"ask","id":"7","op":"place","deadline_ms":` + itoa(past) + `,"body":{"reference":"a"}}`, worker.CodeThrottled},
		{`{"v":1,"type":"ask","id":"8","op":"place","deadline_ms":-9,"body":{"reference":"a"}}`, worker.CodeThrottled},
	} {
		p.write("%s", test.text)
		answer := p.answer()
		if want(t, answer, worker.NotAttempted, test.code); answer.Reason == "" {
			t.Errorf("%s: no reason", test.text)
		}
	}
}

func itoa(n int64) string { text, _ := json.Marshal(n); return string(text) }

func TestWrongBodyNamesThePlaceAndRepeatsNothing(t *testing.T) {
	_, url := serve(t, ServerConfig{})
	p := playWorker(t, url)
	p.write(`{"v":1,"type":"ask","id":"1","op":"place","body":{"lines":[{"quantity":"13800000000"}]}}`)
	if reason := p.answer().Reason; !strings.Contains(reason, "/lines/0/quantity") || strings.Contains(reason, "138") {
		t.Errorf("reason %q", reason)
	}
}

func TestServerEndsConnectionsThatBreakTheProtocol(t *testing.T) {
	block := func(ctx context.Context, _, _ string) worker.Answer { <-ctx.Done(); return *unknown("") }
	_, url := serve(t, ServerConfig{Desk: desk{find: block}, MaxAsk: 100 * time.Millisecond})
	twice := `{"v":1,"type":"ask","id":"1","op":"find","body":{"app_key":"1","reference":"a"}}`
	for _, test := range []struct {
		texts []string
		code  int
	}{
		{[]string{`{"v":2,"type":"ask","id":"1","op":"find","body":{}}`}, closeBadVersion},
		{[]string{`{"type":"ask","id":"1","op":"find","body":{}}`}, closeBadVersion},
		{[]string{`{"v":1,"type":"query","id":"1"}`}, closeBadFrame},
		{[]string{`{"v":1,"type":"hello","body":{"clock_ms":1}}`}, closeBadFrame},
		{[]string{`{"v":1,"type":"ask","op":"find","body":{}}`}, closeBadFrame},
		{[]string{`{"v":1,"type":"ask","id":"9223372036854775808","op":"find","body":{}}`}, closeBadFrame},
		{[]string{`{"v":1,"v":1,"type":"confirm","id":"1"}`}, closeBadFrame},
		{[]string{`{"v":1,"type":"confirm","id":"1"}{}`}, closeBadFrame},
		{[]string{"{\"v\":1,\"type\":\"confirm\",\"id\":\"1\",\"x\":\"\xff\"}"}, closeBadFrame},
		{[]string{twice, twice}, closeBadFrame},
	} {
		p := playWorker(t, url)
		for _, text := range test.texts {
			p.write("%s", text)
		}
		if code := p.closeCode(); code != test.code {
			t.Errorf("%s: close code %d, want %d", test.texts, code, test.code)
		}
	}
	p := playWorker(t, url)
	_ = p.ws.WriteMessage(websocket.BinaryMessage, []byte(twice))
	if code := p.closeCode(); code != websocket.CloseUnsupportedData {
		t.Errorf("binary: close code %d", code)
	}
}

func TestUnknownEnvelopeMembersAndConfirmsArePassedOver(t *testing.T) {
	_, url := serve(t, ServerConfig{})
	p := playWorker(t, url)
	p.write(`{"v":1,"type":"confirm","id":"77"}`)
	p.write(`{"trace":"x","v":1,"type":"ask","id":"1","op":"probe","body":{"app_key":"1000001"}}`)
	if answer := p.answer(); answer.Reason != "1000001" {
		t.Errorf("got %+v", answer)
	}
}

func TestPanicHarmsOneAsk(t *testing.T) {
	throw := func(_ context.Context, o worker.Order) worker.Answer {
		if o.Reference == "bad" {
			panic(o.DeliverTo.Mobile)
		}
		return placed(o.Reference)
	}
	server, url := serve(t, ServerConfig{Desk: desk{place: throw}})
	w := dialOpen(t, ClientConfig{URL: url})
	want(t, *w.Place(t.Context(), new(order("bad"))), worker.Unknown, worker.CodeNoAnswer)
	want(t, *w.Place(t.Context(), new(order("good"))), worker.Placed, worker.CodePlaced)
	if len(server.seats) > 1 {
		t.Errorf("%d seats taken", len(server.seats))
	}
}

func TestAnswerTooLongForAFrame(t *testing.T) {
	long := func(context.Context, worker.Order) worker.Answer {
		return worker.Answer{Verdict: worker.Refused, Code: worker.CodeRefused, Reason: strings.Repeat("x", maxFrame)}
	}
	_, url := serve(t, ServerConfig{Desk: desk{place: long}})
	w := dialOpen(t, ClientConfig{URL: url})
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.Unknown, worker.CodeNoAnswer)
}

func TestOverTheBoundIsThrottled(t *testing.T) {
	started, release := make(chan string, 4), make(chan struct{})
	hold := func(_ context.Context, o worker.Order) worker.Answer {
		started <- o.Reference
		<-release
		return placed(o.Reference)
	}
	_, url := serve(t, ServerConfig{Desk: desk{place: hold}, MaxInFlight: 1})
	w := dialOpen(t, ClientConfig{URL: url})
	first := later(func() worker.Answer { return *w.Place(t.Context(), new(order("first"))) })
	next(t, started)
	busy := *w.Place(t.Context(), new(order("second")))
	if want(t, busy, worker.NotAttempted, worker.CodeThrottled); busy.Retry == 0 {
		t.Error("does not say when to come back")
	}
	close(release)
	want(t, next(t, first), worker.Placed, worker.CodePlaced)
}

// An order under way is finished although its worker is gone: half sent would be worse.
func TestRunningAskOutlivesItsConnection(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	release := make(chan struct{})
	hold := func(ctx context.Context, o worker.Order) worker.Answer {
		close(started)
		<-release
		ended <- ctx.Err()
		return placed(o.Reference)
	}
	server, url := serve(t, ServerConfig{Desk: desk{place: hold}})
	w := dialOpen(t, ClientConfig{URL: url})
	result := later(func() worker.Answer { return *w.Place(t.Context(), new(order("PR"))) })
	next(t, started)
	_ = w.Close()
	want(t, next(t, result), worker.Unknown, worker.CodeNoAnswer)
	eventually(t, "the worker is gone", func() bool { return server.Workers() == 0 })
	close(release)
	if err := next(t, ended); err != nil {
		t.Errorf("the ask was cancelled: %v", err)
	}
}

// A worker that floods and reads nothing is cut off; the relay keeps little for it and serves the others meanwhile.
func TestWorkerThatStopsReading(t *testing.T) {
	long := func(_ context.Context, appKey, _ string) worker.Answer {
		return worker.Answer{Verdict: worker.Absent, Code: worker.CodeAbsent, Reason: strings.Repeat("x", 100_000)}
	}
	server, url := serve(t, ServerConfig{Desk: desk{find: long}, PingEvery: 200 * time.Millisecond, MaxInFlight: 16})
	p := playWorker(t, url)
	flooded := make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			text := `{"v":1,"type":"ask","id":"` + itoa(int64(n+1)) + `","op":"find","body":{"app_key":"1","reference":"a"}}`
			_ = p.ws.SetWriteDeadline(time.Now().Add(patient))
			if p.ws.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				break
			}
		}
		flooded <- n
	}()
	if n := next(t, flooded); n < 16 {
		t.Errorf("only %d asks left: the test shows nothing", n)
	}
	eventually(t, "it is cut off", func() bool { return server.Workers() == 0 })
	eventually(t, "its asks have ended", func() bool { return len(server.seats) == 0 })
	w := dialOpen(t, ClientConfig{URL: url})
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.Placed, worker.CodePlaced)
}
