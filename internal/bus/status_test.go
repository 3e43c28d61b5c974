package bus

import (
	"context"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

// speaker is an instance that says little about itself, and what the broker knows about the queue.
func speaker(b *Bus, name string, every time.Duration) Speaker {
	return Speaker{
		Instance: name, Every: every,
		Self: func() worker.Instance { return worker.Instance{Instance: name, Relay: "r1"} },
		Whole: func(ctx context.Context, alive []worker.Instance) (s worker.QueueStatus) {
			_ = b.Measure(ctx, &s)
			s.Merge(alive)
			return s
		},
	}
}

// serving has an instance tell of itself until the returned stop, or the end of the test.
func serving(t *testing.T, b *Bus, s Speaker) (stop func()) {
	t.Helper()
	stop, err := b.ServeStatus(t.Context(), s)
	must(t, err)
	return stop
}

// counts waits until the queue says that so many workers are alive.
func counts(t *testing.T, b *Bus, workers int) {
	t.Helper()
	ctx := bounded(t)
	for {
		status, err := b.QueueStatus(ctx)
		if err != nil {
			t.Fatalf("waiting for %d workers: %v", workers, err)
		}
		if status.Workers == workers {
			return
		}
		wait(ctx, 20*time.Millisecond)
	}
}

func TestServeStatus(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	if _, err := b.QueueStatus(bounded(t)); err == nil || !strings.Contains(err.Error(), "nobody answers") {
		t.Errorf("%v", err)
	}
	beats := make(chan worker.Instance)
	ready, listened := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(listened)
		for i := range b.Beats(bounded(t), func() { close(ready) }) {
			beats <- i
			if i.Gone {
				return
			}
		}
	}()
	receive(t, ready)
	if _, err := b.ServeStatus(t.Context(), speaker(b, "a.b", time.Hour)); err == nil {
		t.Error("an instance that is no subject token")
	}
	stop := serving(t, b, speaker(b, "w1", time.Hour))
	if got := receive(t, beats); got.Instance != "w1" || got.Gone {
		t.Errorf("beat %+v", got)
	}
	if status, err := b.QueueStatus(bounded(t)); err != nil || status.Workers != 1 || status.Relays != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	if i, err := b.Instance(bounded(t), "w1"); err != nil || i.Relay != "r1" {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := b.Instance(bounded(t), "w2"); err == nil {
		t.Error("an instance that is not there answers")
	}
	stop()
	if last := receive(t, beats); !last.Gone {
		t.Errorf("last word %+v", last)
	}
	receive(t, listened)
	if _, err := b.QueueStatus(bounded(t)); err == nil {
		t.Error("answers after stop")
	}
}

// TestInstancesHearOfEachOther: each of three knows all at once although a beat would come only after an hour; one that stops
// says so.
func TestInstancesHearOfEachOther(t *testing.T) {
	t.Parallel()
	url := newServer(t)
	var stops []func()
	for _, name := range []string{"w1", "w2", "w3"} {
		b := connect(t, Config{URL: url})
		stops = append(stops, serving(t, b, speaker(b, name, time.Hour)))
	}
	asking := connect(t, Config{URL: url})
	for range 5 { // whoever answers
		counts(t, asking, 3)
	}
	stops[1]()
	counts(t, asking, 2)
}

// TestSilentInstances: one that is killed or frozen is heard no more, and does not count after three beats.
func TestSilentInstances(t *testing.T) {
	t.Parallel()
	const every = 300 * time.Millisecond
	url := newServer(t)
	asking, silent := connect(t, Config{URL: url}), connect(t, Config{URL: url})
	serving(t, asking, speaker(asking, "w1", every))
	serving(t, silent, speaker(silent, "w2", every))
	counts(t, asking, 2)
	start := time.Now()
	silent.conn.Close() // without a word
	counts(t, asking, 1)
	if took := time.Since(start); took > missedBeats*every+3*time.Second {
		t.Errorf("it counted for %v", took)
	}
}

// pending waits until the broker counts so many requests as waiting: it does so a moment after it has stored them.
func pending(t *testing.T, b *Bus, n uint64) {
	t.Helper()
	ctx := bounded(t)
	for {
		depth, err := b.Depth(ctx)
		if err != nil {
			t.Fatalf("waiting for %d requests: %v", n, err)
		}
		if depth.Waiting == n {
			return
		}
		wait(ctx, 5*time.Millisecond)
	}
}

// TestMeasure counts what is in the streams.
func TestMeasure(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	in := openInbox(t, b)
	submit(t, b, "PR-1", "PR-2", "PR-3", "PR-4")
	d := next(t, in)
	must(t, b.Outbox().Publish(bounded(t), placed("PR-0", "11")))
	must(t, b.Outbox().Bury(bounded(t), worker.DeadLetter{Subject: d.Subject, Tenant: "acme", RequestID: "PR-1", Sequence: 1, Code: worker.CodeInternal, Reason: "tried"}))
	_, err := b.Submit(bounded(t), "other", "PR-1", requestBody("PR-1", 1))
	must(t, err)
	pending(t, b, 4)
	var s worker.QueueStatus
	must(t, b.Measure(bounded(t), &s))
	if s.Depth != 5 || s.InFlight != 1 || s.RateIn != 5.0/60 || s.RateOut != 1.0/60 || s.Dead != 1 || s.Unknown != 0 || s.Lanes[1].Waiting != 4 {
		t.Errorf("%+v", s)
	}
	if len(s.Tenants) != 2 || s.Tenants[0] != (worker.TenantStatus{Tenant: "acme", Waiting: 3}) || s.Tenants[1].Waiting != 1 {
		t.Errorf("%+v", s.Tenants)
	}
	must(t, d.Receipt.Ack(bounded(t)))
}

// TestManyTenants: of more tenants than are counted one by one the others are counted together.
func TestManyTenants(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	const tenants = 30
	for i := range tenants {
		_, err := b.Submit(bounded(t), "t"+numbered(tenants)[i], "PR-1", requestBody("PR-1", 1))
		must(t, err)
	}
	pending(t, b, tenants)
	var s worker.QueueStatus
	must(t, b.Measure(bounded(t), &s))
	total := uint64(0)
	for _, tenant := range s.Tenants {
		total += tenant.Waiting
	}
	if last := s.Tenants[len(s.Tenants)-1]; total != tenants || len(s.Tenants) > maxCounted+1 || last.Tenant != worker.OtherTenants {
		t.Errorf("%d of %d, %+v", total, tenants, s.Tenants)
	}
}

// TestCloseEndsServicesAndWatches leaves them all running; the leak check of the package is the other half of the test.
func TestCloseEndsServicesAndWatches(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	_, err := b.AdminKeys(t.Context(), (&safe{}).endpoints()...)
	must(t, err)
	serving(t, b, speaker(b, "w1", time.Hour))
	ready, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for message, err := range b.Watch(context.Background(), WatchOptions{Ready: func() { close(ready) }}) {
			t.Errorf("a message that nobody published: %+v, %v", message, err)
		}
	}()
	receive(t, ready)
	must(t, b.Close())
	receive(t, watched)
}
