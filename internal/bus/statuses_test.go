package bus

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// pushedStatus is what follows from a push about order 11 of request PR-1, so many minutes after it was placed.
func pushedStatus(id, topic string, minutes int) worker.Status {
	push := worker.Push{ID: id, AppKey: "k", Topic: topic, OrderID: "11", Reference: "acme.PR-1-1", At: decidedAt.Add(time.Duration(minutes) * time.Minute).UnixMilli()}
	status, _ := push.Sort()
	return *status
}

func statesOf(t *testing.T, b *Bus) (states []string) {
	t.Helper()
	entries, err := b.Chronicle(bounded(t), "acme", "PR-1")
	must(t, err)
	for _, e := range entries {
		if e.Status != nil {
			said := fmt.Sprint(e.Status.EventID, " ", e.Status.State)
			if e.Status.Late {
				said += " late"
			}
			states = append(states, said)
		}
	}
	return states
}

func TestStatusesMoveAlong(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	const v = "ORDER_BUYER_VIEW_"
	for _, s := range []worker.Status{
		pushedStatus("1", v+"BUYER_MAKE", 0), pushedStatus("4", v+"ANNOUNCE_SENDGOODS", 3), pushedStatus("2", v+"ORDER_PAY", 1), pushedStatus("4", v+"ANNOUNCE_SENDGOODS", 3), pushedStatus("9", "NEW\x07", 4),
	} {
		must(t, b.Outbox().PublishStatus(bounded(t), s))
	}
	if got, want := statesOf(t, b), []string{"1 ordered", "4 shipped", "2 shipped late", "9 shipped"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	course, err := b.Outbox().Course(bounded(t), "acme", "PR-1")
	must(t, err)
	if o, found := course.Order("11"); !found || o.State != worker.StateShipped || o.OutOrderID != "acme.PR-1-1" {
		t.Errorf("%+v, %v", o, found)
	}
}

// TestEachEventOnceForEver: long after the broker has forgotten the message's id it is still not stored a second time.
func TestEachEventOnceForEver(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	status := pushedStatus("1", "ORDER_BUYER_VIEW_ORDER_PAY", 0)
	must(t, b.Outbox().PublishStatus(bounded(t), status))
	stream, err := b.js.Stream(bounded(t), StreamStatus)
	must(t, err)
	config := stream.CachedInfo().Config
	config.Duplicates = 100 * time.Millisecond
	for forgotten := false; !forgotten; { // another message under the same id is taken again
		// The server looks for what to forget before it goes by the new window, and once more after the old one: a change has it look again.
		config.Duplicates = 201*time.Millisecond - config.Duplicates
		_, err = b.js.UpdateStream(bounded(t), config)
		must(t, err)
		ack, err := b.js.Publish(bounded(t), "purchase.status.acme.other", []byte("{}"), jetstream.WithMsgID(statusID(status)))
		must(t, err)
		forgotten = !ack.Duplicate
	}
	for range 2 {
		must(t, b.Outbox().PublishStatus(bounded(t), status))
	}
	if got := statesOf(t, b); !slices.Equal(got, []string{"1 paid"}) {
		t.Errorf("%q", got)
	}
}

// TestStatusesFromSeveralAtOnce: each event is stored once, and the states on record never go back.
func TestStatusesFromSeveralAtOnce(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	topics := []string{"BUYER_MAKE", "ORDER_PAY", "PART_PART_SENDGOODS", "ANNOUNCE_SENDGOODS", "ORDER_COMFIRM_RECEIVEGOODS", "ORDER_SUCCESS"}
	var all sync.WaitGroup
	for i := range 3 * len(topics) {
		n := i % len(topics)
		all.Go(func() {
			for tries := 0; ; tries++ { // as 1688 does with what is not confirmed
				err := b.Outbox().PublishStatus(bounded(t), pushedStatus(fmt.Sprint(n), "ORDER_BUYER_VIEW_"+topics[n], n))
				if err == nil || tries == 100 {
					must(t, err)
					return
				}
			}
		})
	}
	all.Wait()
	entries, err := b.Chronicle(bounded(t), "acme", "PR-1")
	must(t, err)
	var before worker.OrderState
	for _, e := range entries {
		if s := e.Status; s.State != before && !s.State.Reached(before) {
			t.Errorf("back from %s to %s", before, s.State)
		}
		before = e.Status.State
	}
	if len(entries) != len(topics) || before != worker.StateFinished {
		t.Errorf("%d are stored, the last is %s", len(entries), before)
	}
}

func TestStraysAreKeptApartOnce(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	_, stray := worker.Push{ID: "7/é", AppKey: "key.1", Topic: "T", OrderID: "11", Reference: "erp-7", Raw: "raw", At: 1}.Sort()
	for range 2 {
		must(t, b.Outbox().KeepApart(bounded(t), *stray))
	}
	if n := stored(t, b, StreamStray); n != 1 {
		t.Errorf("%d are stored", n)
	}
	msg, err := b.last(bounded(t), StreamStray, "purchase.stray.key=2E1.7=2F=C3=A9")
	if err != nil || msg == nil {
		t.Errorf("%v, %v", msg, err)
	}
}
