package channel

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"autopurchase/worker"
)

// deadLine is a connection without a socket: a frame that is written to it ends in a panic.
func deadLine(t *testing.T, queue int) *line {
	cfg := ClientConfig{MaxInFlight: 4}.withDefaults()
	c := &Client{cfg: cfg, ctx: t.Context(), seats: make(chan struct{}, cfg.MaxInFlight)}
	why := "test"
	c.why.Store(&why)
	l := &line{link: newLink(t.Context(), nil, nil, time.Second, queue), client: c, calls: newCalls()}
	t.Cleanup(func() { l.end(errClosed) })
	c.line.Store(l)
	return l
}

// The moment at which the writer claims a frame decides between a retry and a look-up, whatever ended the wait.
func TestNeverLeftOrLeft(t *testing.T) {
	endings := map[string]func(l *line, giveUp context.CancelFunc){
		"connection lost":   func(l *line, _ context.CancelFunc) { l.end(errors.New("lost")) },
		"caller gave up":    func(_ *line, giveUp context.CancelFunc) { giveUp() },
		"deadline":          func(*line, context.CancelFunc) {},
		"closed by a human": func(l *line, _ context.CancelFunc) { l.end(errClosed) },
	}
	for name, finish := range endings {
		for _, claimed := range []bool{false, true} {
			l := deadLine(t, 4)
			if name == "deadline" {
				l.client.cfg.CallTimeout = 20 * time.Millisecond
			}
			ctx, giveUp := context.WithCancel(t.Context())
			result := later(func() worker.Answer { return *l.client.Place(ctx, new(order("PR"))) })
			out := next(t, l.queue)
			if claimed && !out.ask.claim() {
				t.Fatalf("%s: queued frame could not be claimed", name)
			}
			finish(l, giveUp)
			answer := next(t, result)
			giveUp()
			if claimed {
				want(t, answer, worker.Unknown, worker.CodeNoAnswer)
				continue
			}
			want(t, answer, worker.NotAttempted, worker.CodeChannelDown)
			if err := l.put(out); err != nil { // panics if it touches the socket
				t.Errorf("%s: a frame taken back: %v", name, err)
			}
		}
	}
}

func TestClaimAndWithdrawExcludeEachOther(t *testing.T) {
	for range 2000 {
		var c call
		var claimed, taken bool
		var both sync.WaitGroup
		both.Go(func() { claimed = c.claim() })
		both.Go(func() { taken = c.withdraw() })
		both.Wait()
		if claimed == taken {
			t.Fatalf("claimed %v, withdrawn %v", claimed, taken)
		}
	}
}

func TestQueueFull(t *testing.T) {
	l := deadLine(t, 0)
	want(t, *l.client.Place(t.Context(), new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
	if len(l.calls.open) != 0 {
		t.Error("the call stayed open")
	}
}

func TestCallerThatHasGivenUpSendsNothing(t *testing.T) {
	l := deadLine(t, 4)
	ctx, giveUp := context.WithCancel(t.Context())
	giveUp()
	want(t, *l.client.Place(ctx, new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
	if len(l.queue) != 0 {
		t.Error("a frame was queued")
	}
}

func TestReplyBeatsTheEnd(t *testing.T) {
	l := deadLine(t, 4)
	c := &call{id: 1, op: opPlace, reply: make(chan *worker.Answer, 1)}
	l.calls.add(c)
	c.claim()
	if alarm, _ := l.calls.settle(1, new(placed("PR")), nil); alarm != "" {
		t.Error(alarm)
	}
	l.end(errors.New("lost"))
	answer := l.await(t.Context(), time.NewTimer(0), c)
	want(t, *answer, worker.Placed, worker.CodePlaced)
}

func TestReplyToAnAskThatIsStillQueued(t *testing.T) {
	l := deadLine(t, 4)
	l.calls.add(&call{id: 1, op: opPlace, reply: make(chan *worker.Answer, 1)})
	if alarm, _ := l.calls.settle(1, new(placed("PR")), nil); !strings.Contains(alarm, "unknown id") {
		t.Errorf("alarm %q", alarm)
	}
}

// A relay stops reading. What is reported as not attempted must be in none of the bytes that left, however many the two
// machines' buffers swallowed.
func TestRelayThatStopsReading(t *testing.T) {
	url, peers := playRelay(t)
	w := dialOpen(t, ClientConfig{URL: url, MaxInFlight: 64, CallTimeout: 400 * time.Millisecond})
	p := next(t, peers)
	answers := make(map[string]worker.Answer)
	var mu sync.Mutex
	var callers sync.WaitGroup
	for n := range 64 {
		callers.Go(func() {
			big := order(worker.Reference("acme", "PR", n+1))
			big.Message = strings.Repeat("x", 200_000)
			answer := *w.Place(t.Context(), &big)
			mu.Lock()
			defer mu.Unlock()
			answers[big.Reference] = answer
		})
	}
	callers.Wait()
	_ = w.Close()
	_ = p.ws.SetReadDeadline(time.Now().Add(patient))
	verdicts := map[worker.Verdict]int{}
	for _, answer := range answers {
		verdicts[answer.Verdict]++
	}
	if verdicts[worker.Unknown] == 0 || verdicts[worker.NotAttempted] == 0 || len(verdicts) != 2 {
		t.Fatalf("verdicts %v, want some unknown and some not attempted", verdicts)
	}
	arrived := 0
	for _, message, err := p.ws.ReadMessage(); err == nil; _, message, err = p.ws.ReadMessage() {
		_, rest, _ := strings.Cut(string(message), `"reference":"`)
		reference, _, _ := strings.Cut(rest, `"`)
		if answers[reference].Verdict != worker.Unknown {
			t.Errorf("%s arrived although it was %s", reference, answers[reference].Verdict)
		}
		arrived++
	}
	if arrived == 0 {
		t.Error("nothing arrived: the test shows nothing")
	}
}
