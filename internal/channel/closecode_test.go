package channel

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestCloseCodesSayHowSoonToReturn: a relay that goes away is tried again at once, one that turns the worker down after the long
// wait, on real sockets. Waits are drawn from the upper half, so half of each is the least.
func TestCloseCodesSayHowSoonToReturn(t *testing.T) {
	t.Parallel()
	const first, slow = time.Millisecond, 1200 * time.Millisecond
	for code, least := range map[int]time.Duration{
		websocket.CloseGoingAway:         0,
		websocket.CloseInternalServerErr: 0,
		websocket.CloseServiceRestart:    0,
		websocket.ClosePolicyViolation:   slow / 2,
		closeBadFrame:                    slow / 2,
		closeBadVersion:                  slow / 2,
	} {
		url, peers := playRelay(t)
		dialOpen(t, ClientConfig{URL: url, Backoff: Backoff{First: first, Max: first, Slow: slow}})
		p := next(t, peers)
		start := time.Now()
		if err := p.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, "test")); err != nil {
			t.Fatal(err)
		}
		next(t, peers)
		took := time.Since(start)
		t.Logf("%d: back after %v", code, took.Round(time.Millisecond))
		if took < least || least == 0 && took >= slow/2 {
			t.Errorf("%d: back after %v, want at least %v and soon", code, took, least)
		}
	}
}

// TestFloodOfUnknownReplies: replies that nobody waits for end nothing, and the answer that comes among them is found.
func TestFloodOfUnknownReplies(t *testing.T) {
	t.Parallel()
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url})
	alarms := make(chan int, 1)
	stop := make(chan struct{})
	go func() {
		n := 0
		for {
			select {
			case <-w.alarms:
				n++
			case <-stop:
				alarms <- n
				return
			}
		}
	}()
	p := next(t, peers)
	result, f := place(t, w, p, "PR")
	const flood = 20_000
	for id := range uint64(flood) {
		reply(p, f.ID+1+id, placed("nobody"))
	}
	reply(p, f.ID, placed("PR"))
	want(t, next(t, result), "placed", "placed")
	close(stop)
	if n := next(t, alarms); n == 0 {
		t.Error("nobody was told of the flood")
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Errorf("the connection ended: %v", err)
	}
}
