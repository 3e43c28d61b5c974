package keypool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"autopurchase/worker"
)

// journal stores an event once and tells who waits for it.
type journal struct {
	mutex  sync.Mutex
	stored map[string][]worker.PoolEvent
	seen   map[string]bool
	broken func(worker.PoolEvent) error
	arrive chan worker.PoolEvent
}

func newJournal() *journal {
	return &journal{stored: map[string][]worker.PoolEvent{}, seen: map[string]bool{}, arrive: make(chan worker.PoolEvent, 1000)}
}

func (j *journal) Record(_ context.Context, e worker.PoolEvent) error {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if j.broken != nil {
		if err := j.broken(e); err != nil {
			return err
		}
	}
	if id := fmt.Sprint(e.Pool, e.Sequence); !j.seen[id] {
		j.seen[id] = true
		j.stored[e.Pool] = append(j.stored[e.Pool], e)
		j.arrive <- e
	}
	return nil
}

func (j *journal) wait(t *testing.T) worker.PoolEvent {
	t.Helper()
	select {
	case e := <-j.arrive:
		return e
	case <-time.After(5 * time.Second):
		t.Fatal("no event was recorded")
		return worker.PoolEvent{}
	}
}

// wantAll checks that a pool's events were recorded in order without a gap, and that its outbox is empty.
func (j *journal) wantAll(t *testing.T, p *Pool, pool string, n int) {
	t.Helper()
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for i, e := range j.stored[pool] {
		if e.Sequence != int64(i+1) {
			t.Fatalf("event %d of pool %s has sequence %d", i+1, pool, e.Sequence)
		}
	}
	if len(j.stored[pool]) != n {
		t.Fatalf("%d events recorded, want %d", len(j.stored[pool]), n)
	}
	if waiting := kinds(t, p, pool); len(waiting) != 0 {
		t.Fatalf("still waiting: %q", waiting)
	}
}

func TestAnEventTellsAllAboutItsKey(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		before := time.Now().Add(-time.Minute)
		add(t, p, Key{Pool: "default", AppKey: "1001", Limit: 50, Account: "buyer-7", Alipay: "business", Change: Change{By: "anna\xff"}})
		events, err := p.Events(t.Context(), "default")
		if err != nil || len(events) != 3 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		got := events[1]
		if got.At.Before(before) || got.At.After(time.Now().Add(time.Minute)) {
			t.Errorf("at %v", got.At)
		}
		got.At = time.Time{}
		want := worker.PoolEvent{
			Pool: "default", Sequence: 2, Kind: worker.EventAdded, AppKey: "1001", Limit: 50, Left: 50,
			Account: "buyer-7", Alipay: "business", Source: "own", State: "active", Version: 1,
			Count: "lines", Width: 1, Low: 100, Strategy: "first", By: "anna\uFFFD",
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestConcurrentFlushersRecordEachEventOnceInOrder(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		j := newJournal()
		var group sync.WaitGroup
		for _, pool := range []string{"a", "b"} {
			settings(t, p, pool, Settings{Count: CountLines, Width: 1})
			group.Go(func() {
				for i := range 60 {
					if _, err := p.Add(t.Context(), Key{Pool: pool, AppKey: fmt.Sprint("k", i)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 4 {
			group.Go(func() {
				for range 10 {
					if err := p.Flush(t.Context(), j); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if err := p.Flush(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		j.wantAll(t, p, "a", 61)
		j.wantAll(t, p, "b", 61)
	})
}

func TestWhatCannotBeRecordedWaits(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "a", 10, 10, 10)
		quiet(t, p, "b", 10)
		j := newJournal()
		away := errors.New("the broker is away")
		j.broken = func(e worker.PoolEvent) error {
			if e.Pool == "a" && e.Sequence == 3 {
				return away
			}
			return nil
		}
		if err := p.Flush(t.Context(), j); !errors.Is(err, away) {
			t.Fatalf("got %v", err)
		}
		if got := kinds(t, p, "a"); !slices.Equal(got, []string{"added k2", "added k3"}) {
			t.Fatalf("waiting: %q", got)
		}
		j.wantAll(t, p, "b", 2) // another pool's trouble holds nobody up
		j.broken = nil
		if err := p.Flush(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		j.wantAll(t, p, "a", 4)
	})
}

func TestTheFlusherIsWokenByItsOwnAndLooksForOthers(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		other := open(t, p.config.URL)
		p.config.FlushEvery = 20 * time.Millisecond
		j := newJournal()
		ctx, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { p.RunFlusher(ctx, j) })
		quiet(t, p, "default", 10)
		if e := j.wait(t); e.Kind != worker.EventPool {
			t.Errorf("first came %s", e.Kind)
		}
		if e := j.wait(t); e.Kind != worker.EventAdded {
			t.Errorf("then came %s", e.Kind)
		}
		add(t, other, Key{Pool: "default", AppKey: "theirs"})
		if e := j.wait(t); e.AppKey != "theirs" {
			t.Errorf("then came %s of %s", e.Kind, e.AppKey)
		}
		stop()
		group.Wait()
	})
}

// TestOutboxWakesOnce: any number of events before the flusher looks are one signal.
func TestOutboxWakesOnce(t *testing.T) {
	o := newOutbox()
	o.wake("a")
	o.wake("b")
	o.wake("a")
	<-o.signal
	pools := o.take()
	slices.Sort(pools)
	if !slices.Equal(pools, []string{"a", "b"}) || len(o.signal) != 0 || len(o.take()) != 0 {
		t.Fatalf("took %q", pools)
	}
}
