package bus

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"autopurchase/worker"
)

func TestNextTellsAllAboutTheDelivery(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	for _, c := range []struct{ subject, tenant, ref string }{
		{"purchase.request.acme.PR=2E1", "acme", "PR=2E1"},
		{"purchase.request.acme.a.b", "acme", ""},
		{"purchase.request.x", "x", ""},
		{"purchase.request.acme.PR=2e1", "acme", ""},
		{"purchase.request.acme.=41", "acme", ""}, // another spelling of A
		{"purchase.request.ac=20me.PR-1", "", "PR-1"},
	} {
		_, err := b.js.Publish(bounded(t), c.subject, []byte("body of "+c.subject))
		must(t, err)
		d := next(t, in)
		if d.Subject != c.subject || d.Tenant != c.tenant || d.Ref != c.ref || string(d.Body) != "body of "+c.subject {
			t.Errorf("%s: %+v", c.subject, d)
		}
		if d.Attempt != 1 || d.Sequence == 0 || time.Since(d.Published).Abs() > time.Minute || d.Receipt == nil {
			t.Errorf("%s: %+v", c.subject, d)
		}
		must(t, d.Receipt.Ack(bounded(t)))
	}
}

// TestNothingIsPrefetched has three callers for ten messages: seven stay at the broker for other workers.
func TestNothingIsPrefetched(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	got := make(chan worker.Delivery)
	ctx, stop := context.WithCancel(bounded(t))
	for range 3 {
		go func() {
			d, err := in.Next(ctx)
			if err != nil {
				t.Error(err)
			}
			got <- *d
		}()
	}
	submit(t, b, numbered(10)...)
	var held []worker.Delivery
	for range 3 {
		held = append(held, <-got)
	}
	if info := consumerInfo(t, b); info.NumAckPending != 3 || info.NumPending != 7 {
		t.Errorf("%d with the callers, %d at the broker, want 3 and 7", info.NumAckPending, info.NumPending)
	}
	stop()
	for _, d := range held {
		must(t, d.Receipt.Ack(bounded(t)))
	}
	if info := consumerInfo(t, b); info.NumAckPending != 0 || info.NumPending != 7 {
		t.Errorf("after the acks %d and %d, want 0 and 7", info.NumAckPending, info.NumPending)
	}
}

// TestTheNextPullTravelsMeanwhile has callers that come again soon: each has one more message asked for, and no other is taken.
func TestTheNextPullTravelsMeanwhile(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	submit(t, b, numbered(10)...)
	first, second := nextUnder(bounded(t), t, in), nextUnder(bounded(t), t, in)
	first.Receipt.Soon()
	until(t, "one more has come", func() bool { return early(in) == 1 })
	second.Receipt.Soon()
	until(t, "two more have come", func() bool { return early(in) == 2 })
	must(t, first.Receipt.Ack(bounded(t)))
	must(t, second.Receipt.Ack(bounded(t)))
	if info := consumerInfo(t, b); info.NumAckPending != 2 || info.NumPending != 6 || info.NumWaiting != 0 {
		t.Errorf("%d are kept, %d at the broker, %d pulls are open, want 2, 6 and 0", info.NumAckPending, info.NumPending, info.NumWaiting)
	}
	for want := uint64(3); want <= 4; want++ {
		if d := next(t, in); d.Sequence != want || d.Attempt != 1 {
			t.Errorf("delivered %d as attempt %d, want %d as the first", d.Sequence, d.Attempt, want)
		}
	}
}

// TestWhoDoesNotComeHoldsUpNothing: what came for a caller that stays away is soon to be had by others, and it is asked for no
// more.
func TestWhoDoesNotComeHoldsUpNothing(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	in := openInbox(t, b)
	submit(t, b, "PR-1", "PR-2")
	first := nextUnder(bounded(t), t, in)
	first.Receipt.Soon()
	must(t, first.Receipt.Ack(bounded(t)))
	until(t, "the next has come", func() bool { return early(in) == 1 })
	d := next(t, openInbox(t, connect(t, Config{URL: server.URL})))
	if d.Sequence != 2 {
		t.Errorf("%+v", d)
	}
	must(t, d.Receipt.Ack(bounded(t)))
	until(t, "nothing is asked for", func() bool { return consumerInfo(t, b).NumWaiting == 0 })
	if early(in) != 0 {
		t.Errorf("%d are kept", early(in))
	}
}

func early(in *Inbox) int {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	return len(in.early)
}

// TestACallerThatLeavesTakesItsPullAlong: a message that comes later must not be delivered to nobody, since a second
// delivery is looked at with suspicion.
func TestACallerThatLeavesTakesItsPullAlong(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	cause := errors.New("enough")
	ctx, leave := context.WithCancelCause(context.Background())
	var leaving sync.WaitGroup
	for range 5 {
		leaving.Go(func() {
			if _, err := in.Next(ctx); !errors.Is(err, cause) {
				t.Errorf("Next returned %v", err)
			}
		})
	}
	until(t, "the pulls are out", func() bool { return consumerInfo(t, b).NumWaiting > 0 })
	leave(cause)
	leaving.Wait()
	until(t, "the pulls are withdrawn", func() bool { return consumerInfo(t, b).NumWaiting == 0 })
	submit(t, b, "PR-1")
	if d := next(t, in); d.Attempt != 1 {
		t.Errorf("delivered %d times", d.Attempt)
	}
	if _, err := in.Next(ctx); !errors.Is(err, cause) {
		t.Errorf("Next with an ended context returned %v", err)
	}
}

// TestSomeLeaveAndTheOthersAreServed checks that withdrawing pulls forgets nobody.
func TestSomeLeaveAndTheOthersAreServed(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	ctx, leave := context.WithCancel(context.Background())
	var leaving, staying sync.WaitGroup
	for range 8 {
		leaving.Go(func() { _, _ = in.Next(ctx) })
		staying.Go(func() {
			if d, err := in.Next(bounded(t)); err != nil || d.Receipt.Ack(bounded(t)) != nil {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
	until(t, "the pulls are out", func() bool { return consumerInfo(t, b).NumWaiting > 0 })
	leave()
	leaving.Wait()
	submit(t, b, numbered(8)...)
	staying.Wait()
	if info := consumerInfo(t, b); info.NumPending != 0 || info.NumAckPending != 0 {
		t.Errorf("left at the broker: %d and %d", info.NumPending, info.NumAckPending)
	}
}

// TestASignOfLifeKeepsSlowWork watches the broker for three times AckWait: the request is redelivered to nobody.
func TestASignOfLifeKeepsSlowWork(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{AckWait: 300 * time.Millisecond})
	in := openInbox(t, b)
	submit(t, b, "PR-1")
	slow := next(t, in)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if d, err := in.Next(ctx); err == nil {
		t.Errorf("delivered again as attempt %d", d.Attempt)
	}
	must(t, slow.Receipt.Ack(bounded(t)))
	if info := consumerInfo(t, b); info.NumAckPending != 0 || info.NumRedelivered != 0 {
		t.Errorf("%+v", info)
	}
}

// TestWithoutASignOfLifeItComesAgain is the other half: the wait above would have seen a redelivery.
func TestWithoutASignOfLifeItComesAgain(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{AckWait: 300 * time.Millisecond})
	in := openInbox(t, b)
	submit(t, b, "PR-1")
	d := next(t, in)
	in.forget(d.Receipt.(*receipt))
	if again := next(t, in); again.Attempt != 2 || again.Sequence != d.Sequence {
		t.Errorf("%+v", again)
	}
}

func TestNakComesAgainAfterItsDelay(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	submit(t, b, "PR-1")
	must(t, next(t, in).Receipt.Nak(bounded(t), 0))
	d := next(t, in)
	start := time.Now()
	must(t, d.Receipt.Nak(bounded(t), 200*time.Millisecond))
	if d := next(t, in); d.Attempt != 3 || time.Since(start) < 200*time.Millisecond {
		t.Errorf("attempt %d after %v", d.Attempt, time.Since(start))
	}
}

func TestTermEndsARequestWithItsReason(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{AckWait: 300 * time.Millisecond})
	in := openInbox(t, b)
	advisories, err := b.conn.SubscribeSync("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED." + StreamRequests + "." + ConsumerWorker)
	must(t, err)
	submit(t, b, "PR-1")
	must(t, next(t, in).Receipt.Term(bounded(t), "lines: must not be empty"))
	advisory, err := advisories.NextMsgWithContext(bounded(t))
	must(t, err)
	if want := `"reason":"lines: must not be empty"`; !contains(advisory.Data, want) {
		t.Errorf("%s lacks %s", advisory.Data, want)
	}
	if info := consumerInfo(t, b); info.NumAckPending != 0 || info.NumPending != 0 || stored(t, b, StreamRequests) != 1 {
		t.Errorf("%+v", info)
	}
}
