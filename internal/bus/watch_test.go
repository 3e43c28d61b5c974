package bus

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// watching runs a watch and gives its messages and errors.
func watching(t *testing.T, b *Bus, options WatchOptions) (<-chan Message, <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(bounded(t))
	messages, errs, ready, done := make(chan Message), make(chan error, 10), make(chan struct{}), make(chan struct{})
	options.Ready = func() { close(ready) }
	go func() {
		defer close(done)
		for message, err := range b.Watch(ctx, options) {
			if err != nil {
				errs <- err
				continue
			}
			select {
			case messages <- message:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	var kept []error
	for {
		select {
		case <-ready:
			for _, err := range kept {
				errs <- err
			}
			return messages, errs
		case err := <-errs:
			if _, ok := errors.AsType[*Withheld](err); !ok {
				t.Fatal(err)
			}
			kept = append(kept, err)
		}
	}
}

func TestWatchFromNowOn(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, "PR-0")
	messages, _ := watching(t, b, WatchOptions{})
	submit(t, b, "PR.1")
	m := receive(t, messages)
	if m.Subject != "purchase.request.acme.PR=2E1" || m.Stream != StreamRequests || m.Sequence != 2 ||
		string(m.Data) != string(requestBody("PR.1", 1)) || m.Header.Get(jetstream.MsgIDHeader) == "" || time.Since(m.Time).Abs() > time.Minute {
		t.Errorf("%+v", m)
	}
	must(t, b.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	if m := receive(t, messages); m.Stream != StreamResults || m.Subject != "purchase.result.acme.PR-1" {
		t.Errorf("%+v", m)
	}
	must(t, b.Journal().Record(bounded(t), poolEvent("default", 1, worker.EventAdded)))
	if m := receive(t, messages); m.Stream != StreamKeyPool || m.Subject != "keypool.event.default.added" {
		t.Errorf("%+v", m)
	}
}

func TestWatchSince(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, "PR-0")
	first, err := b.last(bounded(t), StreamRequests, allRequests)
	must(t, err)
	submit(t, b, "PR-1", "PR-2")
	messages, _ := watching(t, b, WatchOptions{Subjects: []string{"purchase.request.acme.*"}, Since: first.Time.Add(time.Nanosecond)})
	for _, want := range []string{"PR-1", "PR-2"} {
		if m := receive(t, messages); !strings.HasSuffix(m.Subject, want) {
			t.Errorf("%s, want %s", m.Subject, want)
		}
	}
}

// TestWatchOverARestart: no message twice, none left out.
func TestWatchOverARestart(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	messages, errs := watching(t, b, WatchOptions{Streams: []string{StreamRequests}})
	ids := numbered(20)
	submit(t, b, ids[:10]...)
	for i := range 20 {
		if i == 10 {
			server.Restart()
			until(t, "the connection is back", func() bool { return b.Ready(t.Context()) == nil })
			submit(t, b, ids[10:]...)
		}
		select {
		case m := <-messages:
			if m.Sequence != uint64(i+1) {
				t.Fatalf("message %d after %d", m.Sequence, i)
			}
		case err := <-errs:
			t.Fatal(err)
		case <-time.After(limit):
			t.Fatalf("only %d messages came", i)
		}
	}
}

// TestWatchSaysWhatItSkipped removes messages while the reader is away.
func TestWatchSaysWhatItSkipped(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, numbered(9)...)
	stream, err := b.js.Stream(bounded(t), StreamRequests)
	must(t, err)
	must(t, stream.Purge(bounded(t), jetstream.WithPurgeSequence(6)))
	at := place{stream: StreamRequests, whole: allRequests, filters: []string{allRequests}, next: 3}
	var sequences []uint64
	var skipped *Skipped
	for msg, err := range b.tail(bounded(t), at) {
		if err != nil {
			if !errors.As(err, &skipped) {
				t.Fatal(err)
			}
			continue
		}
		if sequences = append(sequences, msg.Sequence); msg.Sequence == 9 {
			break
		}
	}
	if skipped == nil || skipped.From != 3 || skipped.To != 5 || !strings.Contains(skipped.Error(), "3 to 5") {
		t.Errorf("skipped %+v", skipped)
	}
	if !slices.Equal(sequences, []uint64{6, 7, 8, 9}) {
		t.Errorf("sequences %v", sequences)
	}
}

func TestWatchRefusesWhatNoStreamHolds(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	for _, err := range b.Watch(bounded(t), WatchOptions{Subjects: []string{"purchase.result.acme.>", "orders.>"}}) {
		if err == nil || !strings.Contains(err.Error(), `"orders.>"`) {
			t.Errorf("%v", err)
		}
		return
	}
	t.Error("no error")
}

func TestFilters(t *testing.T) {
	t.Parallel()
	b := &Bus{config: Config{}.withDefaults()}
	for _, c := range []struct {
		subjects []string
		stream   string
		want     []string
	}{
		{nil, StreamDead, []string{"purchase.dead.>"}},
		{[]string{"purchase.>"}, StreamKeyPool, nil},
		{[]string{"purchase.>"}, StreamResults, []string{"purchase.result.>"}},
		{[]string{"*.result.acme.>"}, StreamResults, []string{"purchase.result.acme.>"}},
		{[]string{"purchase.*.acme.PR-1"}, StreamStatus, []string{"purchase.status.acme.PR-1"}},
		{[]string{"purchase.result.a.>", "purchase.result.b.>"}, StreamResults, []string{"purchase.result.a.>", "purchase.result.b.>"}},
		{[]string{"purchase.result.a.x", "purchase.result.a.>"}, StreamResults, []string{"purchase.result.a.>"}},
		{[]string{"purchase.result.a.>", "purchase.result.a.x"}, StreamResults, []string{"purchase.result.a.>"}},
		{[]string{"purchase.result.a.>", "purchase.result.a.>"}, StreamResults, []string{"purchase.result.a.>"}},
		{[]string{"purchase.result.a.*", "purchase.result.*.x"}, StreamResults, []string{"purchase.result.>"}},
		{[]string{"keypool.event.default.rotated"}, StreamKeyPool, []string{"keypool.event.default.rotated"}},
	} {
		got, _, err := b.filters(WatchOptions{Subjects: c.subjects})
		if err != nil || !slices.Equal(got[c.stream], c.want) {
			t.Errorf("%v of %s: %v, %v, want %v", c.subjects, c.stream, got[c.stream], err, c.want)
		}
	}
	for _, subject := range []string{"", "purchase", "purchase.result", "purchase.queue.status", "x.>"} {
		if got, _, err := b.filters(WatchOptions{Subjects: []string{subject}}); err == nil {
			t.Errorf("%q: %v", subject, got)
		}
	}
	for subject, want := range map[string][]string{
		"purchase.queue.status.*": {"purchase.queue.status.*"}, "purchase.queue.>": {"purchase.queue.status.*"}, "purchase.queue.status.w1": {"purchase.queue.status.w1"},
		"purchase.>": nil, ">": nil,
	} {
		if _, beats, err := b.filters(WatchOptions{Subjects: []string{subject}}); err != nil || !slices.Equal(beats, want) {
			t.Errorf("%s: %v, %v", subject, beats, err)
		}
	}
}

// TestATenantsFilters narrow what is asked for to what is the tenant's.
func TestATenantsFilters(t *testing.T) {
	t.Parallel()
	b := &Bus{config: Config{}.withDefaults()}
	for _, c := range []struct {
		subjects []string
		want     map[string][]string
	}{
		{nil, map[string][]string{
			StreamRequests: {"purchase.*.acme.>"}, StreamResults: {"purchase.result.acme.>"}, StreamStatus: {"purchase.status.acme.>"},
			StreamDead: {"purchase.dead.acme"}, StreamParked: {"purchase.parked.acme.>"}, StreamPayments: {"purchase.payment.acme.>"},
			StreamChoices: {"purchase.choice.acme.>"},
		}},
		{[]string{"purchase.request-low.>"}, map[string][]string{StreamRequests: {"purchase.request-low.acme.>"}}},
		{[]string{"purchase.dead.>", "purchase.result.*.PR-1", "purchase.queue.status.*"}, map[string][]string{
			StreamDead: {"purchase.dead.acme"}, StreamResults: {"purchase.result.acme.PR-1"},
		}},
	} {
		got, beats, err := b.filters(WatchOptions{Subjects: c.subjects, Tenant: "acme"})
		if err != nil || beats != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, %v, %v", c.subjects, got, beats, err)
		}
	}
	for _, subject := range []string{"keypool.event.>", "purchase.result.other.>"} {
		if got, _, err := b.filters(WatchOptions{Subjects: []string{subject}, Tenant: "acme"}); err == nil {
			t.Errorf("%s: %v", subject, got)
		}
	}
}

// TestAWatchThatEndsBeforeItBegins yields nothing, as one that ends later.
func TestAWatchThatEndsBeforeItBegins(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for message, err := range b.Watch(over, WatchOptions{}) {
		t.Errorf("%+v, %v", message, err)
	}
}
