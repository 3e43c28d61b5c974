package dashboard

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

const patience = 20 * time.Second

// tuned listens to a page and gives its events; the second says when they have ended.
func (b *browser) tuned(path string) (events <-chan string, response *http.Response, stop func()) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+path, nil)
	must(b.t, err)
	r.Header.Set("Accept", "text/event-stream")
	response, err = b.client.Do(r)
	must(b.t, err)
	heard := make(chan string, 100)
	go func() {
		defer close(heard)
		event := ""
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			event += lines.Text() + "\n"
			if lines.Text() == "" {
				heard <- event
				event = ""
			}
		}
	}()
	b.t.Cleanup(func() { cancel(); response.Body.Close() })
	return heard, response, cancel
}

// await waits for an event that has all the texts.
func await(t *testing.T, events <-chan string, texts ...string) string {
	t.Helper()
	for event := range events {
		has := true
		for _, text := range texts {
			has = has && strings.Contains(event, text)
		}
		if has {
			return event
		}
	}
	t.Fatalf("no event with %q", texts)
	return ""
}

// TestAPageIsLive: a part is sent again once it differs, and nothing else is.
func TestAPageIsLive(t *testing.T) {
	t.Parallel()
	s := busy()
	events, response, _ := open(t, s).tuned("/")
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(response.Status, response.Header)
	}
	await(t, events, "event: flow\n", "9</span>")
	s.set(func(s *stand) { s.status.Depth = 112 })
	for event := range events {
		if strings.Contains(event, "event: flow\n") && strings.Contains(event, "109</span>") {
			break
		}
		if strings.Contains(event, "event: attention\n") && strings.Contains(event, "109</span>") {
			t.Errorf("sent without need: %s", event)
		}
	}
	s.set(func(s *stand) { s.stop(worker.Pause{Code: worker.CodeNoKey, Pool: "default"}) })
	await(t, events, "event: mood\n", "Standing still")
	await(t, events, "event: sentence\n", "o key has room")
}

// TestAPageTellsWhatIsWrong while it is, and goes on.
func TestAPageTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := busy()
	events, _, _ := open(t, s).tuned("/keys/default/1000001")
	await(t, events, "event: state\n", "497")
	s.set(func(s *stand) { s.down = errDown })
	await(t, events, "event: problem\n", "redis_down")
	s.set(func(s *stand) { s.down = nil; s.keys[0].Used = 498 })
	await(t, events, "event: state\n", "498")
}

// TestListenersAreBounded: there is a seat for each, and one who goes leaves it to another. Nobody asks anything after the last.
func TestListenersAreBounded(t *testing.T) {
	t.Parallel()
	s := busy()
	var d *Dashboard
	b := open(t, s)
	d = New(Config{Queue: s, Pools: s, Requests: s, Letters: s, Desk: s})
	t.Cleanup(d.Close)
	d.seats = make(chan struct{}, 2)
	b.server.Config.Handler = d.Handler()
	_, _, leave := b.tuned("/")
	_, second, _ := b.tuned("/keys")
	_, third, _ := b.tuned("/workers")
	if second.StatusCode != 200 || third.StatusCode != http.StatusServiceUnavailable || third.Header.Get("Retry-After") == "" {
		t.Errorf("%s, %s", second.Status, third.Status)
	}
	leave()
	for late, tick := time.After(patience), time.Tick(10*time.Millisecond); ; {
		if _, again, _ := b.tuned("/workers"); again.StatusCode == 200 {
			return
		}
		select {
		case <-tick:
		case <-late:
			t.Fatal("the seat stays taken")
		}
	}
}

// TestALogoutEndsALivePage, and so does the dashboard's end.
func TestALogoutEndsALivePage(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s, protected)
	_, denied, _ := b.tuned("/")
	if denied.StatusCode != http.StatusForbidden {
		t.Errorf("%s", denied.Status)
	}
	form := b.login("li", readToken).form("/logout")
	events, _, _ := b.tuned("/")
	await(t, events, "event: flow\n")
	b.post("/logout", form)
	for range events { // until it ends
	}
	d := New(Config{Queue: s, Pools: s, Requests: s, Letters: s, Desk: s})
	b.server.Config.Handler = d.Handler()
	events, _, _ = b.tuned("/")
	await(t, events, "event: flow\n")
	d.Close()
	for range events {
	}
}

// TestASlowAnswerIsWaitedForByTheNext: a page does not wait for it, and it is not asked for twice.
func TestASlowAnswerIsWaitedForByTheNext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	k := &keeper{ctx: ctx}
	asked, answer := make(chan string, 9), make(chan int)
	s := newShelf(k, time.Hour, time.Millisecond, patience, func(_ context.Context, about string) (int, error) {
		asked <- about
		return <-answer, nil
	})
	for range 3 {
		if _, err := s.get(ctx, "x"); err == nil {
			t.Fatal("it is not known yet")
		}
	}
	answer <- 7
	k.running.Wait()
	if got, err := s.get(ctx, "x"); got != 7 || err != nil || len(asked) != 1 {
		t.Error(got, err, len(asked))
	}
	s.forget()
	if _, err := s.get(ctx, "x"); err == nil {
		t.Error("it is to be asked for anew")
	}
	answer <- 8
	k.running.Wait()
	for i := range 2 * maxKept {
		s.kept[string(rune(i))] = &kept[int]{at: time.Now(), touched: time.Now()}
		s.tidy()
	}
	if len(s.kept) >= maxKept {
		t.Error(len(s.kept))
	}
}
