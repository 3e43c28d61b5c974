package bus

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"autopurchase/worker"
)

// inLane is requestBody with a priority.
func inLane(lane worker.Lane, id string, quantity int) []byte {
	return fmt.Appendf(nil, `{"request_id":%q,"priority":%q,"deliver_to":{"address_id":"1"},"lines":[{"offer_id":"700000000001","quantity":%d}]}`, id, lane, quantity)
}

func submitIn(t testing.TB, b *Bus, lane worker.Lane, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if r, err := b.Submit(bounded(t), "acme", id, inLane(lane, id, 1)); err != nil || r.Fate != Accepted {
			t.Fatalf("submit %s: %+v, %v", id, r, err)
		}
	}
}

// some are n ids that begin so.
func some(name string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s-%03d", name, i))
	}
	return ids
}

// TestAnIDIsInOneLane: the broker compares across lanes what Submit publishes, also when many do at once, and everything that looks a
// request up finds it.
func TestAnIDIsInOneLane(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	first, err := b.Submit(bounded(t), "acme", "PR.1", inLane(worker.LaneLow, "PR.1", 1))
	must(t, err)
	for _, lane := range worker.Lanes() {
		for quantity, want := range map[int]Fate{1: Replay, 2: Conflict} {
			if got, err := b.Submit(bounded(t), "acme", "PR.1", inLane(lane, "PR.1", quantity)); err != nil || got.Fate != want || got.Sequence != first.Sequence {
				t.Errorf("%d in %s: %+v, %v, want %s", quantity, lane, got, err, want)
			}
		}
	}
	var mutex sync.Mutex
	var publishers sync.WaitGroup
	fates := map[Fate]int{}
	for i := range 12 {
		lane := worker.Lanes()[i%3]
		publishers.Go(func() {
			got, err := b.Submit(bounded(t), "acme", "PR-2", inLane(lane, "PR-2", 1))
			if err != nil {
				t.Error(err)
			}
			mutex.Lock()
			fates[got.Fate]++
			mutex.Unlock()
		})
	}
	publishers.Wait()
	if fates[Accepted] != 1 || fates[Replay] != 11 || stored(t, b, StreamRequests) != 2 {
		t.Errorf("%v, %d stored", fates, stored(t, b, StreamRequests))
	}
	asked, found, err := b.Asked(bounded(t), "acme", "PR.1")
	if err != nil || !found || asked.Priority != worker.LaneLow || asked.Subject != "purchase.request-low.acme.PR=2E1" {
		t.Errorf("%+v, %v, %v", asked, found, err)
	}
	if o, err := b.Origin(bounded(t), "acme.PR=2E1"); err != nil || o.Asked.IsZero() {
		t.Errorf("%+v, %v", o, err)
	}
	if entries, err := b.Chronicle(bounded(t), "acme", "PR.1"); err != nil || len(entries) != 1 || entries[0].Fault != nil || entries[0].Request.Priority != worker.LaneLow {
		t.Errorf("%+v, %v", entries, err)
	}
}

// TestARetryStaysInItsLane, and is asked for once, whichever lane its id is in.
func TestARetryStaysInItsLane(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submitIn(t, b, worker.LaneHigh, "PR-1")
	asked, _, err := b.Asked(bounded(t), "acme", "PR-1")
	must(t, err)
	again := asked.Request
	again.ID = "PR-1.r1"
	for _, want := range []bool{false, true} {
		if taken, err := b.AskAgain(bounded(t), again, "PR-1", worker.Retry{By: "li"}); err != nil || taken != want {
			t.Errorf("%v, %v", taken, err)
		}
		again.Priority = worker.LaneLow
	}
	if asked, _, err := b.Asked(bounded(t), "acme", "PR-1.r1"); err != nil || asked.Priority != worker.LaneHigh || asked.Origin != "PR-1" {
		t.Errorf("%+v, %v", asked, err)
	}
}

// TestEveryLaneIsTaken: from the first request on, whatever waits in the others, and each is acknowledged in its own.
func TestEveryLaneIsTaken(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	for _, lane := range []worker.Lane{worker.LaneLow, worker.LaneHigh, worker.LaneNormal, worker.LaneLow} {
		id := fmt.Sprint(lane, stored(t, b, StreamRequests))
		submitIn(t, b, lane, id)
		d := next(t, in)
		if d.Ref != id || d.Lane != lane || d.Attempt != 1 {
			t.Errorf("%+v", d)
		}
		must(t, d.Receipt.Ack(bounded(t)))
	}
	if d, err := b.Depth(bounded(t)); err != nil || d.Waiting+uint64(d.InFlight) > 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestTheDepthIsThatOfAllLanes, lane by lane and tenant by tenant.
func TestTheDepthIsThatOfAllLanes(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	submitIn(t, b, worker.LaneLow, "low-1", "low-2", "low-3")
	oldest := next(t, in)
	unasked(t, b)
	submitIn(t, b, worker.LaneHigh, "high-1", "high-2")
	var s worker.QueueStatus
	must(t, b.Measure(bounded(t), &s))
	want := []worker.LaneStatus{{Lane: worker.LaneHigh, Waiting: 2}, {Lane: worker.LaneNormal}, {Lane: worker.LaneLow, Waiting: 2}}
	if s.Depth != 5 || s.InFlight != 1 || !slices.Equal(s.Lanes, want) || !slices.Equal(s.Tenants, []worker.TenantStatus{{Tenant: "acme", Waiting: 4}}) {
		t.Errorf("%+v", s)
	}
	if d, err := b.Depth(bounded(t)); err != nil || !d.Oldest.Equal(oldest.Published) {
		t.Errorf("%+v, %v", d, err)
	}
	wantUnderWay(t, b, []string{"low-1"}, []string{"high-1", "high-2", "low-2", "low-3"})
}

// TestLanesAreWatchedTogether: in the order in which they are stored, as an index needs it, and one lane alone.
func TestLanesAreWatchedTogether(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	all, _ := watching(t, b, WatchOptions{Streams: []string{StreamRequests}})
	tenants, _ := watching(t, b, WatchOptions{Tenant: "acme"})
	high, _ := watching(t, b, WatchOptions{Subjects: []string{"purchase.request-high.>"}})
	for i := range 9 {
		submitIn(t, b, worker.Lanes()[i%3], fmt.Sprint("PR-", i))
	}
	for i := range uint64(9) {
		if m, n := receive(t, all), receive(t, tenants); m.Sequence != i+1 || n.Sequence != i+1 {
			t.Errorf("%d: %s, %s", i, m.Subject, n.Subject)
		}
	}
	for _, want := range []string{"PR-0", "PR-3", "PR-6"} {
		if m := receive(t, high); m.Subject != "purchase.request-high.acme."+want {
			t.Errorf("%s, want %s", m.Subject, want)
		}
	}
}

// TestAQueueFromBeforeThereWereLanes goes on with what it has: its consumer is the normal lane's from then on.
func TestAQueueFromBeforeThereWereLanes(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	spec := b.spec()[0]
	spec.Subjects = []string{"purchase.request.>"}
	_, err := b.js.CreateStream(bounded(t), spec)
	must(t, err)
	old := b.consumer(worker.LaneNormal, newAckWait)
	old.FilterSubject = ""
	_, err = b.js.CreateConsumer(bounded(t), StreamRequests, old)
	must(t, err)
	for _, id := range []string{"PR-1", "PR-2"} {
		_, err := b.js.Publish(bounded(t), requestSubject("", "acme", id), requestBody(id, 1))
		must(t, err)
	}
	before, err := b.js.Consumer(bounded(t), StreamRequests, ConsumerWorker)
	must(t, err)
	msg, err := before.Next()
	must(t, err)
	must(t, msg.DoubleAck(bounded(t)))
	must(t, b.Provision(bounded(t)))
	in := openInbox(t, b)
	submitIn(t, b, worker.LaneHigh, "PR-3")
	var got []string
	ctx, both := bounded(t), [2]worker.Delivery{}
	for i := range both { // at once: what comes for nobody is given back
		both[i] = nextUnder(ctx, t, in)
	}
	for _, d := range both {
		if d.Attempt != 1 && d.Ref == "PR-3" {
			t.Errorf("%+v", d)
		}
		got = append(got, d.Ref)
		must(t, d.Receipt.Ack(bounded(t)))
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"PR-2", "PR-3"}) || consumerInfo(t, b).NumPending != 0 {
		t.Errorf("%v, and %d wait", got, consumerInfo(t, b).NumPending)
	}
}

// taken has callers take so many requests and gives how many of each lane there were.
func taken(t *testing.T, in *Inbox, callers, n int) map[worker.Lane]int {
	t.Helper()
	ctx, stop := context.WithCancel(bounded(t))
	defer stop()
	var mutex sync.Mutex
	got, total := map[worker.Lane]int{}, 0
	ended := crew(ctx, in, callers, func(d worker.Delivery) {
		if d.Receipt.Ack(bounded(t)) != nil {
			return
		}
		mutex.Lock()
		defer mutex.Unlock()
		if total++; total <= n {
			got[d.Lane]++
		}
		if total == n {
			stop()
		}
	})
	ended()
	return got
}

// TestSharesAreKept: while all lanes are flooded each has its share, to within a round for each caller, so that none is starved.
func TestSharesAreKept(t *testing.T) {
	t.Parallel()
	for _, callers := range []int{1, 8} {
		t.Run(fmt.Sprint(callers), func(t *testing.T) {
			t.Parallel()
			b, _ := provisioned(t, Config{LaneShares: worker.LaneShares{worker.LaneHigh: 5, worker.LaneNormal: 3, worker.LaneLow: 2}})
			for _, lane := range worker.Lanes() {
				submitIn(t, b, lane, some(string(lane), 120)...)
			}
			got := taken(t, openInbox(t, b), callers, 200)
			for lane, want := range map[worker.Lane]int{worker.LaneHigh: 100, worker.LaneNormal: 60, worker.LaneLow: 40} {
				if off := got[lane] - want; off < -6-callers || off > 6+callers { // a slow machine gives some back that came in vain
					t.Errorf("%s: %d of 200, want about %d: %v", lane, got[lane], want, got)
				}
			}
		})
	}
}

// TestAnEmptyLanesShareGoesToTheOthers, and what waits in one lane alone is all taken.
func TestAnEmptyLanesShareGoesToTheOthers(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submitIn(t, b, worker.LaneNormal, some("normal", 80)...)
	submitIn(t, b, worker.LaneLow, some("low", 80)...)
	in := openInbox(t, b)
	if got := taken(t, in, 2, 80); got[worker.LaneNormal] < 56 || got[worker.LaneNormal] > 64 || got[worker.LaneLow] < 16 {
		t.Errorf("%v, want three in four of the normal lane", got)
	}
	if got := taken(t, in, 2, 76); got[worker.LaneNormal] < 12 || got[worker.LaneLow] < 48 { // about 20 of normal are left, and 60 of low
		t.Errorf("%v of what is left", got)
	}
}

// TestATrickleHasNoMoreThanItsShare: low has never more than one request that waits, so that it looks empty again and again; it
// must not have every second turn for that.
func TestATrickleHasNoMoreThanItsShare(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	submitIn(t, b, worker.LaneHigh, some("high", 100)...)
	submitIn(t, b, worker.LaneLow, "low-0")
	low := 0
	ctx := bounded(t)
	for range 80 {
		d := nextUnder(ctx, t, in)
		must(t, d.Receipt.Ack(bounded(t)))
		if d.Lane == worker.LaneLow {
			low++
			submitIn(t, b, worker.LaneLow, fmt.Sprint("low-", low))
		}
	}
	if low < 8 || low > 15 {
		t.Errorf("low had %d of 80, want 11", low)
	}
}

// TestABusyWorkerHoldsUpNoLane: while its caller is at work, what comes in another lane goes to who is free.
func TestABusyWorkerHoldsUpNoLane(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	busy, free := openInbox(t, b), openInbox(t, connect(t, Config{URL: server.URL}))
	submitIn(t, b, worker.LaneNormal, "PR-1")
	work := nextUnder(bounded(t), t, busy)
	submitIn(t, b, worker.LaneHigh, "PR-2")
	until(t, "it listens to the lane", func() bool { return early(busy) == 1 })
	d := next(t, free)
	if d.Ref != "PR-2" || d.Attempt != 2 {
		t.Errorf("%+v", d)
	}
	must(t, d.Receipt.Ack(bounded(t)))
	must(t, work.Receipt.Ack(bounded(t)))
}

// TestNobodyAtWorkListensToNoLane: once no caller will come again, nothing is asked for in any lane.
func TestNobodyAtWorkListensToNoLane(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	submitIn(t, b, worker.LaneNormal, "PR-1")
	d := next(t, in) // and its context has ended
	until(t, "the inbox asks for nothing", func() bool {
		in.mutex.Lock()
		defer in.mutex.Unlock()
		return in.asked() == 0
	})
	unasked(t, b)
	submitIn(t, b, worker.LaneLow, "PR-2")
	must(t, d.Receipt.Ack(bounded(t)))
	if d := next(t, in); d.Ref != "PR-2" || d.Attempt != 1 {
		t.Errorf("%+v", d)
	}
}

// TestARemovedLaneIsMadeAgain: the others go on.
func TestARemovedLaneIsMadeAgain(t *testing.T) {
	t.Parallel()
	var raised alarms
	b, _ := provisioned(t, Config{Alarm: raised.add})
	in := openInbox(t, b)
	submitIn(t, b, worker.LaneHigh, "PR-1")
	submitIn(t, b, worker.LaneNormal, "PR-2")
	for range 2 {
		must(t, next(t, in).Receipt.Ack(bounded(t)))
	}
	must(t, b.js.DeleteConsumer(bounded(t), StreamRequests, laneConsumer(worker.LaneHigh)))
	if d := next(t, in); d.Ref != "PR-1" || d.Attempt != 2 {
		t.Errorf("%+v", d)
	}
	if said := raised.list(); len(said) != 1 || !strings.Contains(said[0], "worker-high") {
		t.Errorf("%q", said)
	}
}

// TestTheBrokerForgetsInEveryLane: what may be forgotten is counted by deliveries, not by the places in the stream, between which those
// of other lanes are.
func TestTheBrokerForgetsInEveryLane(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	submitIn(t, b, worker.LaneLow, "low-1")
	submitIn(t, b, worker.LaneNormal, some("PR", forgettable+1)...)
	submitIn(t, b, worker.LaneLow, "low-2")
	connected := b.connected.Load()
	server.Restart()
	until(t, "the connection is back", func() bool { return b.connected.Load() != connected })
	got := ids(t, b.History().Delivered(bounded(t)))
	if len(got) != forgettable+2 || !slices.Contains(got, "low-2") {
		t.Errorf("%d may be delivered, want %d", len(got), forgettable+2)
	}
}

// unasked waits until nothing is asked for in any lane.
func unasked(t *testing.T, b *Bus) {
	t.Helper()
	until(t, "nothing is asked for", func() bool {
		asked := 0
		for _, lane := range worker.Lanes() {
			consumer, err := b.js.Consumer(bounded(t), StreamRequests, laneConsumer(lane))
			must(t, err)
			asked += consumer.CachedInfo().NumWaiting
		}
		return asked == 0
	})
}
