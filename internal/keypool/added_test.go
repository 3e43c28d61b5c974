package keypool

import (
	"slices"
	"testing"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// watchedPool is a pool that verifies its Redis, with a key for 10 that the journal does not have yet.
func watchedPool(t *testing.T) (*Pool, *stored) {
	t.Helper()
	s := &stored{}
	p := open(t, workertest.Redis(t).URL, func(c *Config) { c.History = s })
	rebuild(t, p, s)
	settings(t, p, "default", Settings{Count: CountLines, Width: 1, Low: 5})
	if k := add(t, p, Key{Pool: "default", AppKey: "k1", Limit: 10}); k.State != StateReady || k.Left != 0 {
		t.Fatalf("%+v, want a ready key that takes nothing yet", k)
	}
	return p, s
}

// wantUndrawn checks that nothing can be drawn, and that nobody is told to try.
func wantUndrawn(t *testing.T, p *Pool) {
	t.Helper()
	_, err := p.Draw(t.Context(), new(order1("default", "early", 1)))
	wantCode(t, err, worker.CodeNoKey)
	if left, err := p.Left(t.Context(), "default"); err != nil || left != 0 {
		t.Fatalf("%d left, %v", left, err)
	}
}

// wantDrawn checks that the key is in use, with so many products used.
func wantDrawn(t *testing.T, p *Pool, used int64) {
	t.Helper()
	if claim := draw(t, p, order1("default", "late", 1)); claim.AppKey != "k1" {
		t.Fatalf("got %+v", claim)
	}
	wantKey(t, p, "default", "k1", StateActive, used, 1)
	wantBooks(t, p, "default")
}

// TestAKeyIsDrawnOnceTheJournalHasIt, or what it took would be forgotten with it.
func TestAKeyIsDrawnOnceTheJournalHasIt(t *testing.T) {
	p, s := watchedPool(t)
	if told := kinds(t, p, "default"); !slices.Equal(told, []string{"pool", "added k1"}) {
		t.Fatalf("told %q: no alarm for want of a key that is about to come", told)
	}
	wantUndrawn(t, p)
	add(t, p, Key{Pool: "default", AppKey: "k1", Limit: 12}) // changed meanwhile
	wantUndrawn(t, p)
	s.flushed(t, p)
	wantDrawn(t, p, 0)
}

// TestAKeyThatIsLostBeforeTheJournalHasItTookNothing and can be added again.
func TestAKeyThatIsLostBeforeTheJournalHasItTookNothing(t *testing.T) {
	p, s := watchedPool(t)
	raw(t, p).FlushAll(t.Context())
	rebuild(t, p, s)
	if k := keys(t, p, "default"); len(k) > 0 {
		t.Fatalf("%+v", k)
	}
	add(t, p, Key{Pool: "default", AppKey: "k1", Limit: 10})
	wantUndrawn(t, p)
	s.flushed(t, p)
	wantDrawn(t, p, 0)
}

// TestARebuildKnowsWhichKeysTheJournalHas: Redis is as it was, and on another server.
func TestARebuildKnowsWhichKeysTheJournalHas(t *testing.T) {
	for name, used := range map[string]int64{"all there": 0, "behind": 1} {
		t.Run(name, func(t *testing.T) {
			p, s := watchedPool(t)
			exchanged := func() {
				raw(t, p).HSet(t.Context(), namesOf("default").pool, "server", "another")
				rebuild(t, p, s)
			}
			if used > 0 {
				s.results = append(s.results, bought("of which Redis does not know", used))
			}
			exchanged()
			wantUndrawn(t, p)
			events, err := p.Events(t.Context(), "default")
			if err != nil {
				t.Fatal(err)
			}
			s.events = events // and whoever recorded them did not live to take them out
			exchanged()
			wantDrawn(t, p, used)
		})
	}
}
