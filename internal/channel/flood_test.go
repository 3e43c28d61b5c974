package channel

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"autopurchase/worker"
)

// large is a text that makes a frame an eighth of the largest.
var large = strings.Repeat("x", maxFrame/8)

// kept is how much memory is in use, in bytes.
func kept() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// wantLittle checks how much more is kept than before.
func wantLittle(t *testing.T, before, most int64) {
	t.Helper()
	grown := kept() - before
	t.Logf("%d MiB more than before", grown>>20)
	if grown > most {
		t.Errorf("%d MiB are kept, want at most %d", grown>>20, most>>20)
	}
}

// TestFloodOfLargePushesKeepsLittle: a relay sends 48 MiB of pushes whatever was agreed, and its worker cannot store any.
func TestFloodOfLargePushesKeepsLittle(t *testing.T) {
	url, peers := playRelay(t)
	var taken atomic.Int64
	release := make(chan struct{})
	w := dialOpen(t, ClientConfig{URL: url, OnPush: func(context.Context, worker.Push) error {
		taken.Add(1)
		<-release
		return nil
	}})
	defer close(release)
	p := next(t, peers)
	before := kept()
	push := worker.Push{ID: "81", AppKey: "1000001", Topic: large}
	const flood = 384
	for id := range uint64(flood) {
		text, err := appendPush(nil, id+1, &push)
		if err != nil {
			t.Fatal(err)
		}
		p.write("%s", text)
	}
	p.write(`{"v":1,"type":"push","id":"9999","body":7}`)
	next(t, w.alarms) // of the last one: all before it were seen
	wantLittle(t, before, 2*maxPushes*maxFrame/8)
	if n := taken.Load(); n > maxPushes {
		t.Errorf("%d pushes are in work", n)
	}
}

// TestFloodOfLateOrdersIsHeldUp: one answer after another names another order for an ask that has ended, and none can be put on
// record now. Each is, later; the relay is not read meanwhile.
func TestFloodOfLateOrdersIsHeldUp(t *testing.T) {
	url, peers := playRelay(t)
	const atOnce, flood = 8, 160 // 20 MiB: more than the two sockets' buffers take
	var told, running, most atomic.Int64
	release := make(chan struct{})
	thaw := sync.OnceFunc(func() { close(release) })
	defer thaw()
	w := dialOpen(t, ClientConfig{URL: url, MaxInFlight: atOnce, OnLate: func(_ context.Context, _ string, answer worker.Answer) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		<-release
		told.Add(int64(len(answer.Orders)))
	}})
	p := next(t, peers)
	result, f := place(t, w, p, "PR")
	reply(p, f.ID, placed("PR"))
	want(t, next(t, result), worker.Placed, worker.CodePlaced)
	twin := placed("twin")
	twin.Reason = large
	text, err := appendReply(nil, f.ID, &twin)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		for range flood {
			_ = p.ws.WriteMessage(websocket.TextMessage, text) // what does not come is missed below
		}
	}()
	eventually(t, "as many as may are being told", func() bool { return running.Load() >= atOnce })
	select {
	case <-written:
		t.Error("all of the flood was read")
	default:
	}
	thaw()
	next(t, written)
	eventually(t, "each was told", func() bool { return told.Load() == flood })
	if n := most.Load(); n > atOnce {
		t.Errorf("%d were told at once", n)
	}
	if err := w.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
