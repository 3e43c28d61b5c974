package bus

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// withheld are the subjects that a watch says it does not show, as soon as it says so of n.
func withheld(t *testing.T, errs <-chan error, n int) (subjects []string) {
	t.Helper()
	for range n {
		w, ok := errors.AsType[*Withheld](receive(t, errs))
		if !ok || w.Why == "" {
			t.Fatalf("%v is no *Withheld", w)
		}
		subjects = append(subjects, w.Subject)
	}
	slices.Sort(subjects)
	return subjects
}

// TestAPublisherWatchesItsTenant with no more than a publisher's rights: it hears what is stored, once, and is told what it does
// not get to see. Results that the stream refuses are not shown, though they are heard.
func TestAPublisherWatchesItsTenant(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme", "other")
	must(t, c.as(t, "provisioner").Provision(bounded(t)))
	w := c.as(t, "worker")
	messages, errs := watching(t, c.as(t, "publisher-acme"), WatchOptions{Tenant: "acme"})
	want := []string{"purchase.*.acme.>", "purchase.choice.acme.>", "purchase.dead.acme", "purchase.parked.acme.>"}
	if got := withheld(t, errs, len(want)); !slices.Equal(got, want) {
		t.Errorf("withheld %v", got)
	}
	must(t, w.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	must(t, w.Outbox().Publish(bounded(t), placed("PR-1", "11"))) // refused by the stream
	other := placed("PR-1", "12")
	other.Tenant = "other"
	must(t, w.Outbox().Publish(bounded(t), other))
	must(t, w.Outbox().Publish(bounded(t), placed("PR-2", "13")))
	for _, want := range []struct {
		subject  string
		sequence uint64
	}{{"purchase.result.acme.PR-1", 1}, {"purchase.result.acme.PR-2", 3}} {
		if m := receive(t, messages); m.Subject != want.subject || m.Sequence != want.sequence || m.Stream != StreamResults || m.Time.IsZero() {
			t.Errorf("%+v, want %+v", m, want)
		}
	}
	_, errs = watching(t, c.as(t, "publisher-acme"), WatchOptions{Subjects: []string{"purchase.result.acme.>"}, Since: time.Unix(1, 0)})
	if got := withheld(t, errs, 1); got[0] != "purchase.result.acme.>" {
		t.Errorf("%v", got)
	}
	for _, subject := range []string{"purchase.result.>", "purchase.result.other.>", "purchase.dead.acme"} {
		for _, err := range c.as(t, "publisher-acme").Watch(bounded(t), WatchOptions{Subjects: []string{subject}}) {
			if !errors.Is(err, ErrForbidden) {
				t.Errorf("%s: %v", subject, err)
			}
		}
	}
}

// TestAPublisherFollowsOneRequest from its beginning: each of its subjects is looked up, and heard from then on.
func TestAPublisherFollowsOneRequest(t *testing.T) {
	t.Parallel()
	c := newCast(t, "acme")
	must(t, c.as(t, "provisioner").Provision(bounded(t)))
	w, acme := c.as(t, "worker"), c.as(t, "publisher-acme")
	submitAs(t, acme, "acme", "PR-1")
	must(t, w.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	origin, err := acme.Origin(bounded(t), "acme.PR-1")
	must(t, err)
	messages, _ := watching(t, acme, origin.Options())
	got := []string{receive(t, messages).Subject, receive(t, messages).Subject}
	slices.Sort(got)
	if !slices.Equal(got, []string{"purchase.request.acme.PR-1", "purchase.result.acme.PR-1"}) {
		t.Errorf("%v", got)
	}
	must(t, w.Outbox().PublishStatus(bounded(t), worker.Status{Tenant: "acme", Ref: "PR-1", RequestID: "PR-1", OrderID: "11", EventID: "1", Topic: "t", At: time.Now()}))
	if m := receive(t, messages); m.Subject != "purchase.status.acme.PR-1" {
		t.Errorf("%+v", m)
	}
}

// TestAPublisherIsToldOfAGap: what it cannot read later it cannot catch up with.
func TestAPublisherIsToldOfAGap(t *testing.T) {
	t.Parallel()
	c := &cast{users: map[string]*User{}, file: filepath.Join(t.TempDir(), "nats.conf")}
	server := workertest.NATS(t, c.conf(t, "acme"))
	c.URL = server.URL
	must(t, c.as(t, "provisioner").Provision(bounded(t)))
	down, up := make(chan struct{}), make(chan struct{})
	acme := connect(t, Config{URL: c.URL, User: c.users["publisher-acme"], Connected: func(is bool) {
		if is {
			closeOnce(up)
		} else {
			closeOnce(down)
		}
	}})
	messages, errs := watching(t, acme, WatchOptions{Subjects: []string{"purchase.result.acme.>"}})
	server.Restart()
	receive(t, down)
	receive(t, up)
	if got := withheld(t, errs, 1); got[0] != "purchase.result.acme.>" {
		t.Errorf("%v", got)
	}
	must(t, c.as(t, "worker").Outbox().Publish(bounded(t), placed("PR-1", "11")))
	if m := receive(t, messages); m.Subject != "purchase.result.acme.PR-1" {
		t.Errorf("%+v", m)
	}
}

func TestWatchTheBeats(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	messages, _ := watching(t, b, WatchOptions{Subjects: []string{"purchase.queue.status.*"}})
	t.Cleanup(serving(t, b, speaker(b, "w1", time.Hour)))
	if m := receive(t, messages); m.Subject != "purchase.queue.status.w1" || !strings.Contains(string(m.Data), `"instance":"w1"`) || m.Stream != "" || time.Since(m.Time) > time.Minute {
		t.Errorf("%+v", m)
	}
}

// TestOrigin finds a request by its names, from the moment it was asked on.
func TestOrigin(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, "PR-1", "PR.2", "PR-1-1")
	must(t, b.Outbox().Publish(bounded(t), placed("PR-9", "11")))
	for name, want := range map[string]string{
		"acme.PR-1": "PR-1", "acme.PR=2E2": "PR.2", "acme.PR=2E2-3": "PR.2", "acme.PR-1-1": "PR-1-1", "acme.PR-1-2": "PR-1",
		"acme.PR-9-1": "PR-9", "acme.PR-7": "PR-7",
	} {
		origin, err := b.Origin(bounded(t), name)
		known := want != "PR-9" && want != "PR-7"
		if err != nil || origin.Tenant != "acme" || origin.ID != want || origin.Asked.IsZero() == known {
			t.Errorf("%s: %+v, %v", name, origin, err)
		}
	}
	for _, name := range []string{"", "acme", "acme.", "acme.PR.1", "a b.PR-1", "acme.PR=zz"} {
		if origin, err := b.Origin(bounded(t), name); err == nil {
			t.Errorf("%q: %+v", name, origin)
		}
	}
}

// TestWatchFromTheBeginning of one request: all that is about it and its tenant's dead letters.
func TestWatchFromTheBeginning(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, "PR-0", "PR-1")
	must(t, b.Outbox().Publish(bounded(t), placed("PR-0", "10")))
	must(t, b.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	aside := worker.Result{Tenant: "acme", RequestID: "PR-1", Outcome: worker.OutcomeRefused, Code: worker.CodeConflict, Reason: "another", DecidedAt: time.Now(), Aside: true}
	must(t, b.Outbox().Publish(bounded(t), aside))
	must(t, b.Outbox().Bury(bounded(t), worker.DeadLetter{Tenant: "acme", Subject: "purchase.request.acme.PR-1", Sequence: 2, RequestID: "PR-1", Code: worker.CodeInvalid, Reason: "x", At: time.Now()}))
	origin, err := b.Origin(bounded(t), "acme.PR-1")
	must(t, err)
	messages, _ := watching(t, b, origin.Options())
	var got []string
	for range 4 {
		m := receive(t, messages)
		if !json.Valid(m.Data) {
			t.Errorf("%+v", m)
		}
		got = append(got, m.Subject)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"purchase.dead.acme", "purchase.request.acme.PR-1", "purchase.result.acme.PR-1", "purchase.result.acme.PR-1.conflict"}) {
		t.Errorf("%v", got)
	}
}
