package bus

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

// crew has so many callers take requests until ctx ends, and gives what waits for them; took is told of each delivery.
func crew(ctx context.Context, in *Inbox, callers int, took func(worker.Delivery)) (ended func()) {
	var working sync.WaitGroup
	for range callers {
		working.Go(func() {
			for ctx.Err() == nil {
				if d, err := in.Next(ctx); err == nil {
					took(*d)
				}
			}
		})
	}
	return working.Wait
}

// crewForTheTest is one until the test ends.
func crewForTheTest(t *testing.T, in *Inbox, callers int, took func(worker.Delivery)) {
	t.Helper()
	ctx, stop := context.WithCancel(bounded(t))
	ended := crew(ctx, in, callers, took)
	t.Cleanup(func() { stop(); ended() })
}

// TestWhatTricklesInNeedsNoPullEach: where one request comes after the other and most callers are free, one pull is for several, and
// none is withdrawn, also where they come in all lanes by turns.
func TestWhatTricklesInNeedsNoPullEach(t *testing.T) {
	t.Parallel()
	for _, lanes := range [][]worker.Lane{{worker.LaneNormal}, {worker.LaneLow, worker.LaneHigh}, worker.Lanes()} {
		t.Run(fmt.Sprint(len(lanes)), func(t *testing.T) {
			t.Parallel()
			const requests = 96
			b, server := provisioned(t, Config{})
			conn, err := nats.Connect(server.URL)
			must(t, err)
			t.Cleanup(conn.Close)
			var pulls atomic.Int64
			_, err = conn.Subscribe(api("CONSUMER.MSG.NEXT", StreamRequests)+".*", func(*nats.Msg) { pulls.Add(1) })
			must(t, err)
			must(t, conn.Flush())
			in, done := openInbox(t, b), make(chan string, requests)
			began := renewed(in)
			crewForTheTest(t, in, 16, func(d worker.Delivery) {
				if d.Receipt.Ack(bounded(t)) == nil {
					done <- d.Ref
				}
			})
			for i := range requests {
				submitIn(t, b, lanes[i%len(lanes)], fmt.Sprint("PR-", i))
				<-done
			}
			must(t, conn.Flush())
			if n := pulls.Load(); n < 3 || n > requests/2 {
				t.Errorf("%d pulls for %d requests", n, requests)
			}
			if !renewed(in).Equal(began) {
				t.Error("pulls were withdrawn")
			}
		})
	}
}

// renewed is when the pulls were last started anew.
func renewed(in *Inbox) time.Time {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	return in.renewed
}

// TestALaneThatIsListenedToHoldsUpNoOther: what comes in another lane is given to all who are free, also to those that the lane from
// which a request came last might have had.
func TestALaneThatIsListenedToHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	const callers = 16
	b, _ := provisioned(t, Config{})
	held, release := make(chan worker.Lane, 4*callers), make(chan struct{})
	crewForTheTest(t, openInbox(t, b), callers, func(d worker.Delivery) {
		held <- d.Lane
		if d.Lane == worker.LaneHigh {
			<-release
		}
		_ = d.Receipt.Ack(bounded(t)) // what is not acknowledged comes again
	})
	for i := range 5 {
		submitIn(t, b, worker.LaneNormal, fmt.Sprint("normal-", i))
		<-held
	}
	submitIn(t, b, worker.LaneHigh, some("high", 2*callers)...)
	late := time.NewTimer(limit)
	defer late.Stop()
	for i := range callers {
		select {
		case lane := <-held:
			if lane != worker.LaneHigh {
				t.Errorf("%d: one of %s", i, lane)
			}
		case <-late.C:
			t.Fatalf("%d of %d callers have one", i, callers)
		}
	}
	close(release)
}

// TestAPullThatGoesOnIsBegunAnewInTime: what comes on it later than half of AckWait after it was sent would not be sole.
func TestAPullThatGoesOnIsBegunAnewInTime(t *testing.T) {
	for ackWait, want := range map[time.Duration]time.Duration{
		30 * time.Second: 7500 * time.Millisecond, time.Second: leastExpires, time.Hour: pullExpires,
	} {
		l := &lane{ackWait: ackWait}
		if got := l.expires(8); got != want {
			t.Errorf("with AckWait %v: %v, want %v", ackWait, got, want)
		}
		if got := l.expires(1); got != pullExpires {
			t.Errorf("for one: %v", got)
		}
	}
}
