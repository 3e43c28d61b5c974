package channel

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

// refusing is a relay that answers every handshake with a status, and counts them.
func refusing(t *testing.T, status int) (url string, dialled <-chan struct{}) {
	t.Helper()
	seen := make(chan struct{}, 1024)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		seen <- struct{}{}
		refuse(w, status, "test", "test")
	}))
	t.Cleanup(web.Close)
	return wsURL(web), seen
}

func TestWaitsOverSeveralRelays(t *testing.T) {
	refused, lost := &refusal{401}, io.ErrUnexpectedEOF
	b := Backoff{First: time.Second, Max: 8 * time.Second, Slow: time.Minute}
	type end struct {
		cause error
		lived time.Duration
		most  time.Duration // the wait is drawn from its upper half
	}
	for name, test := range map[string]struct {
		relays string
		ends   []end
	}{
		"one lost":      {"a", []end{{lost, 0, time.Second}, {lost, 0, 2 * time.Second}, {lost, 0, 4 * time.Second}, {lost, time.Hour, time.Second}}},
		"one refusing":  {"a", []end{{refused, 0, time.Minute}, {refused, 0, time.Minute}}},
		"two lost":      {"a,b", []end{{lost, 0, time.Second}, {lost, 0, time.Second}, {lost, 0, 2 * time.Second}, {lost, 0, 2 * time.Second}, {lost, 0, 4 * time.Second}}},
		"two refusing":  {"a,b", []end{{refused, 0, time.Second}, {refused, 0, time.Minute}, {refused, 0, time.Minute}}},
		"one of two":    {"a,b", []end{{refused, 0, time.Second}, {lost, 0, time.Second}, {refused, 0, time.Second}, {lost, 0, 2 * time.Second}}},
		"three, a rest": {"a,b,c", []end{{lost, 0, time.Second}, {lost, 0, time.Second}, {lost, 0, time.Second}, {lost, 0, 2 * time.Second}, {lost, time.Hour, time.Second}}},
	} {
		r := newRoute(test.relays)
		for i, e := range test.ends {
			before := r.at
			wait := r.onward(e.lived, e.cause, b)
			if wait < e.most/2 || wait > e.most {
				t.Errorf("%s: waits %v after end %d, want %v to %v", name, wait, i, e.most/2, e.most)
			}
			if r.at != (before+1)%len(r.relays) {
				t.Errorf("%s: relay %d came after %d", name, r.at, before)
			}
		}
	}
}

func TestWorkersSpreadOverRelays(t *testing.T) {
	began := map[string]int{}
	for range 200 {
		r := newRoute("ws://user:marker@a:1/channel, ws://b:2/channel")
		began[r.address()]++
		if strings.Contains(r.host(), "marker") {
			t.Fatalf("host %q", r.host())
		}
	}
	if began["ws://user:marker@a:1/channel"] < 50 || began["ws://b:2/channel"] < 50 {
		t.Errorf("200 workers began at %v", began)
	}
}

// TestOrderOfALostRelayIsLookedUpAtTheNext: the relay that has an order dies; the order is unknown, and the other relay is there
// to be asked, again and again.
func TestOrderOfALostRelayIsLookedUpAtTheNext(t *testing.T) {
	one, onePeers := playRelay(t)
	two, twoPeers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: one + "," + two})
	var p *peer
	present, other := onePeers, twoPeers
	select {
	case p = <-onePeers:
	case p = <-twoPeers:
		present, other = twoPeers, onePeers
	}
	for range 3 {
		result, _ := place(t, w, p, "acme.PR-1-1")
		_ = p.ws.Close()
		want(t, next(t, result), worker.Unknown, worker.CodeNoAnswer)
		w.await(t, "open")
		p = next(t, other)
		found := later(func() worker.Answer { return *w.Find(t.Context(), "1000001", "acme.PR-1-1") })
		f := p.must()
		if f.Op != opFind {
			t.Fatalf("the next relay was asked to %s", f.Op)
		}
		reply(p, f.ID, placed("acme.PR-1-1"))
		want(t, next(t, found), worker.Placed, worker.CodePlaced)
		present, other = other, present
	}
}

func TestRelayThatRefusesDoesNotHoldUpTheOther(t *testing.T) {
	bad, _ := refusing(t, http.StatusUnauthorized)
	_, good := serve(t, ServerConfig{})
	for range 8 { // in half of them the bad one comes first
		w := dialOpen(t, ClientConfig{URL: bad + "," + good, Backoff: Backoff{First: time.Millisecond, Slow: time.Hour}})
		want(t, *w.Place(t.Context(), new(order("PR"))), worker.Placed, worker.CodePlaced)
		_ = w.Close()
	}
}

// TestEachRelayIsReportedOnce: two relays that fail in different ways, dialled in turn, are no news each time.
func TestEachRelayIsReportedOnce(t *testing.T) {
	one, oneDialled := refusing(t, http.StatusServiceUnavailable)
	two, twoDialled := refusing(t, http.StatusBadGateway)
	w := dial(t, ClientConfig{URL: one + "," + two})
	for range 4 {
		next(t, oneDialled)
		next(t, twoDialled)
	}
	_ = w.Close()
	told := map[string]int{}
	for len(w.states) > 0 {
		told[<-w.states]++
	}
	if len(told) != 3 || told["the relay is going down (HTTP 503)"] != 1 || told["the relay refuses the connection (HTTP 502)"] != 1 || told[errClosed.Error()] != 1 {
		t.Errorf("told %v", told)
	}
	if trouble, ok := errors.AsType[*worker.Trouble](w.Ready(t.Context())); !ok || trouble.Reason != errClosed.Error() {
		t.Errorf("Ready says %v", trouble)
	}
}
