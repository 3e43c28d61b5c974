package keypool

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

// stored is a history in memory.
type stored struct {
	events  []worker.PoolEvent
	results []worker.Result
	flights []worker.Request
	err     error
}

func (s *stored) Delivered(context.Context) iter.Seq2[worker.Request, error] {
	return func(yield func(worker.Request, error) bool) {
		for _, r := range s.flights {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *stored) Waiting(context.Context) iter.Seq2[worker.Request, error] {
	return func(func(worker.Request, error) bool) {}
}

func (s *stored) Stored(context.Context) (int64, error) { return int64(len(s.results)), nil }

func (s *stored) Result(_ context.Context, tenant, id string) (worker.Result, bool, error) {
	for _, r := range slices.Backward(s.results) {
		if r.Tenant == tenant && r.RequestID == id && !r.Aside {
			return r, true, nil
		}
	}
	return worker.Result{}, false, nil
}

func (s *stored) Events(context.Context, string) iter.Seq2[worker.PoolEvent, error] {
	return func(yield func(worker.PoolEvent, error) bool) {
		for _, e := range s.events {
			if !yield(e, nil) {
				return
			}
		}
		if s.err != nil {
			yield(worker.PoolEvent{}, s.err)
		}
	}
}

func (s *stored) Results(context.Context, string) iter.Seq2[worker.Result, error] {
	return func(yield func(worker.Result, error) bool) {
		for _, r := range s.results {
			if !yield(r, nil) {
				return
			}
		}
	}
}

var decided = time.UnixMilli(1764000000000)

// buy draws and settles one order and stores its result, as the worker would.
func (s *stored) buy(t *testing.T, p *Pool, id string, state worker.ClaimState, lines int64) {
	t.Helper()
	reference := worker.Reference("acme", id, 1)
	claim := draw(t, p, previewed(order1("default", reference, lines), worker.PreviewNever))
	settled := settle(t, p, claim, state, lines)
	result := worker.Result{Tenant: "acme", RequestID: id, Outcome: worker.Outcome(state), Code: settled.Part.Code, DecidedAt: decided}
	switch state {
	case placed:
		result.Orders = []worker.ResultOrder{
			{OrderID: "1", OutOrderID: reference, AppKey: claim.AppKey, Products: settled.Products},
			{OrderID: "2", OutOrderID: reference, AppKey: claim.AppKey}, // 1688 split it
		}
	case unknownOne:
		result.Code, result.Reason = worker.CodeAbsent, "no order was found"
		result.Unknown = []worker.OpenOrder{{OutOrderID: reference, AppKey: claim.AppKey, Products: settled.Products}}
	}
	s.results = append(s.results, result)
}

// flushed takes the pool's events into the history.
func (s *stored) flushed(t *testing.T, p *Pool) {
	t.Helper()
	j := newJournal()
	if err := p.Flush(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	s.events = append(s.events, j.stored["default"]...)
}

// lived is a pool with a past of every kind, and that past.
func lived(t *testing.T, p *Pool) *stored {
	t.Helper()
	s := &stored{}
	settings(t, p, "default", Settings{Count: CountLines, Width: 2, Low: 7})
	for _, k := range []Key{{AppKey: "k1", Limit: 10}, {AppKey: "k2", Limit: 50, Account: "buyer-7"}, {AppKey: "k3"}, {AppKey: "k4", Alipay: "business"}} {
		k.Pool = "default"
		add(t, p, k)
	}
	s.buy(t, p, "fills-k1", placed, 10)
	s.buy(t, p, "on-k2", placed, 20)
	s.buy(t, p, "open", unknownOne, 5)
	s.buy(t, p, "none", refused, 5)
	s.buy(t, p, "decided", unknownOne, 4)
	s.decide(t, p, "decided", 4)
	if _, err := p.Alter(t.Context(), "default", "k4", Bench, Change{Why: "unauthorized"}); err != nil {
		t.Fatal(err)
	}
	add(t, p, Key{Pool: "default", AppKey: "k2", Limit: 60, Account: "buyer-7"})
	s.flushed(t, p)
	s.results = append(s.results, worker.Result{
		Tenant: "acme", RequestID: "fills-k1", Aside: true, Orders: []worker.ResultOrder{{AppKey: "k2", Products: 30}},
	}, worker.Result{
		Tenant: "acme", RequestID: "elsewhere", Orders: []worker.ResultOrder{{AppKey: "other", Products: 30}},
		Unknown: []worker.OpenOrder{{AppKey: "other", Products: 3}},
	})
	return s
}

// decide lets a person decide that an unknown order exists.
func (s *stored) decide(t *testing.T, p *Pool, id string, lines int64) {
	t.Helper()
	claim := settle(t, p, draw(t, p, order1("default", worker.Reference("acme", id, 1), lines)), placed, lines)
	s.results = append(s.results, worker.Result{
		Tenant: "acme", RequestID: id, Orders: []worker.ResultOrder{{OutOrderID: claim.Reference, AppKey: claim.AppKey, Products: lines}},
	})
}

func rebuild(t *testing.T, p *Pool, h History) {
	t.Helper()
	if err := p.Rebuild(t.Context(), "default", h); err != nil {
		t.Fatalf("rebuild: %v", err)
	}
}

func TestALostPoolIsRebuiltExactly(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		history := lived(t, p)
		before, left := keys(t, p, "default"), history.events[len(history.events)-1].Left
		if err := raw(t, p).FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		_, err := p.Draw(t.Context(), new(order1("default", "r", 1)))
		wantCode(t, err, worker.CodeNoPool)

		var group sync.WaitGroup
		for range 4 { // several processes notice at once
			group.Go(func() {
				if err := p.Rebuild(t.Context(), "default", history); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if diff := cmp.Diff(before, keys(t, p, "default")); diff != "" {
			t.Fatalf("the keys differ: %s", diff)
		}
		events, err := p.Events(t.Context(), "default")
		if err != nil || len(events) != 1 || events[0].Kind != worker.EventRebuilt ||
			events[0].Sequence != int64(len(history.events)+1) || events[0].Left != left || events[0].Low != 7 || events[0].Width != 2 {
			t.Fatalf("events %+v, %v", events, err)
		}
		wantBooks(t, p, "default")
	})
}

// TestBooksAreATable: Redis keeps a pool's books so that each field is found at once, made or rebuilt.
func TestBooksAreATable(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		is := func(when string) {
			encoding, err := raw(t, p).ObjectEncoding(t.Context(), namesOf("default").pool).Result()
			if err == nil && encoding != "hashtable" { // the in-process one does not say
				t.Errorf("%s they are a %s", when, encoding)
			}
		}
		history := lived(t, p)
		is("made")
		raw(t, p).FlushAll(t.Context())
		rebuild(t, p, history)
		is("rebuilt")
	})
}

func TestAfterARebuild(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		history := lived(t, p)
		raw(t, p).FlushAll(t.Context())
		rebuild(t, p, history)

		// What was delivered before and is not known any more has to be looked up.
		_, err := p.Draw(t.Context(), new(older(by(order1("default", "in-flight", 3), "owner-2", 2))))
		wantCode(t, err, worker.CodeLost)

		// An open order is still parked, whatever its fingerprint, and can be decided.
		claim := draw(t, p, older(by(order1("default", "acme.open-1", 5), "owner-2", 2)))
		if claim.Turn != worker.TurnDone || claim.Part.State != unknownOne || claim.Part.Code != worker.CodeAbsent ||
			claim.Part.Reason != "no order was found" || claim.AppKey != "k2" || claim.Products != 5 || !claim.Part.At.Equal(decided) {
			t.Fatalf("got %+v", claim)
		}
		settle(t, p, claim, placed, 5)
		wantKey(t, p, "default", "k2", StateActive, 29, 0)

		// A second rebuild changes nothing.
		before := keys(t, p, "default")
		rebuild(t, p, history)
		if diff := cmp.Diff(before, keys(t, p, "default")); diff != "" {
			t.Fatalf("the keys differ: %s", diff)
		}
	})
}

func TestTheJournalIsAFloor(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		history := lived(t, p)
		history.results = nil // they have aged away
		raw(t, p).FlushAll(t.Context())
		rebuild(t, p, history)
		wantKey(t, p, "default", "k1", StateSpent, 10, 0)
		wantKey(t, p, "default", "k2", StateActive, 24, 0) // as its last event said
	})
}

func TestWithoutAJournalThereIsNoPool(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		rebuild(t, p, &stored{})
		_, err := p.Left(t.Context(), "default")
		wantCode(t, err, worker.CodeNoPool)
		add(t, p, Key{Pool: "default", AppKey: "k1"})
		waited := older(by(order1("default", "waited", 1), "owner-2", 2)) // for the first key
		if claim := draw(t, p, waited); claim.Turn != worker.TurnSend {
			t.Fatalf("turn %s, want send", claim.Turn)
		}
		raw(t, p).FlushAll(t.Context())
		add(t, p, Key{Pool: "default", AppKey: "k1"}) // without a proof that the pool never was
		_, err = p.Draw(t.Context(), &waited)
		wantCode(t, err, worker.CodeLost)
		raw(t, p).FlushAll(t.Context())
		away := errors.New("the broker is away")
		if err := p.Rebuild(t.Context(), "default", &stored{err: away}); !errors.Is(err, away) {
			t.Fatalf("got %v", err)
		}
		if err := p.Rebuild(t.Context(), "", &stored{}); err == nil {
			t.Fatal("a pool without a name was rebuilt")
		}
	})
}

// TestALateFlusherLeavesARebuiltPoolAlone: it read the outbox before Redis lost everything.
func TestALateFlusherLeavesARebuiltPoolAlone(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		history := lived(t, p)
		_, born, err := p.peek(t.Context(), "default", -1)
		if err != nil {
			t.Fatal(err)
		}
		raw(t, p).FlushAll(t.Context())
		rebuild(t, p, history)
		if _, err := p.run(t.Context(), "default", takeScript, namesOf("default").keys(), born, 1<<40, flushBatch); err != nil {
			t.Fatal(err)
		}
		if got := kinds(t, p, "default"); !slices.Equal(got, []string{"rebuilt"}) {
			t.Fatalf("waiting: %q", got)
		}
	})
}
