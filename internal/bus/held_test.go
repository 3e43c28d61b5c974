package bus

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// TestWhatIsDueIsHandedOutOnce: however often it is held, and however often the broker says that it is due. It comes behind the
// delivery by which it was held, in its lane, with the time at which it was published.
func TestWhatIsDueIsHandedOutOnce(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	must(t, b.HandOutDue(t.Context()))
	in := openInbox(t, b)
	submitIn(t, b, worker.LaneLow, "PR.1")
	first := next(t, in)
	for _, after := range []time.Duration{time.Hour, 400 * time.Millisecond} { // the last one counts
		must(t, b.Hold(bounded(t), first, time.Now().Add(after)))
	}
	if n, next, err := b.countHeld(bounded(t)); err != nil || n != 1 || time.Until(next) > time.Second {
		t.Errorf("%d until %v, %v", n, next, err)
	}
	must(t, first.Receipt.Ack(bounded(t)))
	d := next(t, in)
	if d.Subject != "purchase.request-low.acme.PR=2E1.due" || d.Lane != worker.LaneLow || d.Tenant != "acme" || d.Ref != "PR=2E1" || !d.Due || d.Replay != 0 ||
		d.Attempt != 1 || !d.Published.Equal(first.Published) || string(d.Body) != string(first.Body) || d.Sole != nil {
		t.Errorf("%+v", d)
	}
	must(t, d.Receipt.Ack(bounded(t)))
	if n, _, err := b.countHeld(bounded(t)); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	due, err := b.last(bounded(t), StreamHeld, dueSubject("acme", "PR=2E1"))
	must(t, err)
	_, err = b.js.Publish(bounded(t), due.Subject, due.Data) // once more
	must(t, err)
	until(t, "it is seen to be done", func() bool {
		consumer, err := b.js.Consumer(bounded(t), StreamHeld, ConsumerDue)
		must(t, err)
		info := consumer.CachedInfo()
		return info.NumPending == 0 && info.NumAckPending == 0 && info.Delivered.Consumer == 2
	})
	if n := stored(t, b, StreamRequests); n != 2 {
		t.Errorf("%d messages, want the request and what was due", n)
	}
	if entries, err := b.Chronicle(bounded(t), "acme", "PR.1"); err != nil || len(entries) != 1 {
		t.Errorf("%+v, %v", entries, err)
	}
}

// TestWhatIsHeldAgainIsNoFirstDelivery: a second one may have been handled, since the first was not acknowledged.
func TestWhatIsHeldAgainIsNoFirstDelivery(t *testing.T) {
	t.Parallel()
	header := func(attempt string) nats.Header {
		return nats.Header{HeaderOrigin: {"held/7"}, headerAttempt: {attempt}, headerPublished: {"2026-03-01T01:30:00Z"}}
	}
	for attempt, want := range map[string]int{"1": 1, "2": 2, "": 1, "x": 1} {
		d := worker.Delivery{Attempt: 1, Published: time.Now()}
		address("purchase.request.acme.PR-1.due", header(attempt)).onto(&d)
		if d.Attempt != want || !d.Due || d.Published.Year() != 2026 || d.Ref != "PR-1" {
			t.Errorf("%q: %+v", attempt, d)
		}
	}
	for _, origin := range []string{"", "dead/7", "request/PR-1"} {
		h := header("1")
		h.Set(HeaderOrigin, origin)
		d := worker.Delivery{Attempt: 1}
		if address("purchase.request.acme.PR-1.due", h).onto(&d); d.Due || d.Ref != "" {
			t.Errorf("%q: %+v", origin, d)
		}
	}
}

// TestWhatIsHeldForTooLongIsRefused, and what is forgotten never comes.
func TestWhatIsHeldForTooLongIsRefused(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	d := worker.Delivery{Tenant: "acme", Ref: "PR-1", Sequence: 1, Attempt: 1, Published: time.Now()}
	err := b.Hold(bounded(t), d, d.Published.Add(27*day+time.Minute))
	if invalid, ok := errors.AsType[*worker.Invalid](err); !ok || invalid.Field != "not_before" {
		t.Errorf("%v", err)
	}
	must(t, b.Hold(bounded(t), d, d.Published.Add(27*day)))
	must(t, b.Forget(bounded(t), "acme", "PR-1"))
	if n := stored(t, b, StreamHeld); n != 0 {
		t.Errorf("%d are held", n)
	}
}

// TestAnOldServerIsSaidToBe one: it reads over the setting that it does not know.
func TestAnOldServerIsSaidToBe(t *testing.T) {
	t.Parallel()
	spec := jetstream.StreamConfig{Name: StreamHeld, AllowMsgSchedules: true}
	if err := able(jetstream.StreamConfig{Name: StreamHeld}, spec); !oneLine(err, "2.12") || !strings.Contains(err.Error(), StreamHeld) {
		t.Error(err)
	}
	if err := able(spec, spec); err != nil {
		t.Error(err)
	}
}
