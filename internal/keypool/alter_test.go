package keypool

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

func alter(t *testing.T, p *Pool, appKey string, verb Verb) Info {
	t.Helper()
	info, err := p.Alter(t.Context(), "default", appKey, verb, Change{})
	if err != nil {
		t.Fatalf("%s %s: %v", verb, appKey, err)
	}
	return info
}

func limit(t *testing.T, p *Pool, appKey string, products int64) Info {
	t.Helper()
	info, err := p.Limit(t.Context(), "default", appKey, products, Change{})
	if err != nil {
		t.Fatalf("limit %s: %v", appKey, err)
	}
	return info
}

func wantDenied(t *testing.T, err error, code worker.DenyCode, field string) {
	t.Helper()
	denied, ok := errors.AsType[*worker.Denied](err)
	if !ok || denied.Code != code || denied.Field != field {
		t.Fatalf("got %v, want %s of %s", err, code, field)
	}
}

// TestADisabledKeyStartsNothingAndFinishesWhatRuns: none starts after the administrator has the answer; what is under way ends
// and counts; a late success does not revive the key.
func TestADisabledKeyStartsNothingAndFinishesWhatRuns(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		sent, drawn := draw(t, p, order1("default", "sent", 8)), draw(t, p, order1("default", "drawn", 2))
		unsend(t, p, drawn, worker.CodeThrottled)
		if k := alter(t, p, "k1", Disable); k.State != StateDisabled || k.Left != 0 || k.Version != 2 {
			t.Fatalf("%+v", k)
		}
		if claim := draw(t, p, order1("default", "next", 1)); claim.AppKey != "k2" {
			t.Errorf("drawn on %s", claim.AppKey)
		}
		if claim := draw(t, p, by(order1("default", "drawn", 2), "owner-2", 2)); claim.AppKey != "k2" || claim.Turn != worker.TurnSend {
			t.Errorf("a claim that was not sent stayed: %+v", claim)
		}
		settle(t, p, sent, placed, 8)
		wantKey(t, p, "default", "k1", StateDisabled, 8, 0)
		if k := limit(t, p, "k1", 5); k.State != StateDisabled { // below what was ordered: it is not spent, which a higher limit would end
			t.Errorf("%+v", k)
		}
		for _, verb := range []Verb{Restore, Bench} {
			_, err := p.Alter(t.Context(), "default", "k1", verb, Change{})
			wantDenied(t, err, worker.DenyState, "app_key")
		}
		if k := alter(t, p, "k1", Enable); k.State != StateSpent || k.Used != 8 {
			t.Errorf("%+v", k)
		}
		if k := limit(t, p, "k1", 20); k.State != StateReady || k.Left != 12 {
			t.Errorf("%+v", k)
		}
		wantBooks(t, p, "default")
	})
}

// TestARemovedKeyThatIsAddedAgainKeepsItsCount, and one with orders that may exist cannot be removed.
func TestARemovedKeyThatIsAddedAgainKeepsItsCount(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 1000, 10)
		settle(t, p, draw(t, p, order1("default", "all", 999)), placed, 999)
		last := draw(t, p, order1("default", "last", 1))
		for _, verb := range []Verb{Remove, Retire} {
			_, err := p.Alter(t.Context(), "default", "k1", verb, Change{})
			wantDenied(t, err, worker.DenyInUse, "app_key")
		}
		settle(t, p, last, placed, 1)
		if k := alter(t, p, "k1", Remove); k.State != StateRemoved {
			t.Fatalf("%+v", k)
		}
		if left := keys(t, p, "default"); len(left) != 1 || left[0].AppKey != "k2" {
			t.Fatalf("%+v", left)
		}
		_, err := p.Alter(t.Context(), "default", "k1", Enable, Change{})
		wantDenied(t, err, worker.DenyUnknownKey, "app_key")
		if k := add(t, p, Key{Pool: "default", AppKey: "k1", Limit: 1000}); k.State != StateSpent || k.Used != 1000 {
			t.Fatalf("%+v", k)
		}
		if k := add(t, p, Key{Pool: "default", AppKey: "k1", Limit: 1001}); k.State != StateReady || k.Left != 1 {
			t.Fatalf("%+v", k)
		}
		wantBooks(t, p, "default")
	})
}

// TestResetIsTheOnlyWayBack: nothing else lowers what was counted.
func TestResetIsTheOnlyWayBack(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		settle(t, p, draw(t, p, order1("default", "all", 10)), placed, 10)
		for _, verb := range []Verb{Disable, Enable, Retire, Enable, Remove} {
			if k := alter(t, p, "k1", verb); k.Used != 10 {
				t.Fatalf("%s: %+v", verb, k)
			}
		}
		add(t, p, Key{Pool: "default", AppKey: "k1", Limit: 10})
		if k := alter(t, p, "k1", Reset); k.Used != 0 || k.State != StateReady || k.Left != 10 {
			t.Fatalf("%+v", k)
		}
		events, err := p.Events(t.Context(), "default")
		if last := events[len(events)-1]; err != nil || last.Kind != worker.EventReset || last.Cleared != 10 || last.State != "ready" {
			t.Errorf("%+v, %v", last, err)
		}
		wantBooks(t, p, "default")
	})
}

func TestRotateLetsTheNextKeyTakeOver(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		if k := alter(t, p, "k1", Rotate); k.State != StateReady {
			t.Fatalf("%+v", k)
		}
		if claim := draw(t, p, order1("default", "a", 1)); claim.AppKey != "k2" {
			t.Errorf("drawn on %s", claim.AppKey)
		}
		_, err := p.Alter(t.Context(), "default", "k1", Rotate, Change{})
		wantDenied(t, err, worker.DenyState, "app_key")
		alter(t, p, "k1", Disable)
		_, err = p.Alter(t.Context(), "default", "k2", Rotate, Change{})
		wantDenied(t, err, worker.DenyState, "app_key")
		wantBooks(t, p, "default")
	})
}

// TestAChangeIsMadeOnceAndAgainstOneVersion by whoever sends it.
func TestAChangeIsMadeOnceAndAgainstOneVersion(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		settle(t, p, draw(t, p, order1("default", "some", 4)), placed, 4)
		reset := Change{ID: "m-1", By: "li", Why: "a new year", Version: 1}
		first, err := p.Alter(t.Context(), "default", "k1", Reset, reset)
		if err != nil || first.Used != 0 || first.Version != 2 {
			t.Fatalf("%+v, %v", first, err)
		}
		settle(t, p, draw(t, p, order1("default", "more", 3)), placed, 3)
		before := kinds(t, p, "default")
		again, err := p.Alter(t.Context(), "default", "k1", Reset, reset)
		if err != nil || again.Used != 3 || again.Version != 2 || !slices.Equal(before, kinds(t, p, "default")) {
			t.Fatalf("a repeat: %+v, %v", again, err)
		}
		_, err = p.Alter(t.Context(), "default", "k2", Reset, reset)
		wantDenied(t, err, worker.DenyReused, "Nats-Msg-Id")
		_, err = p.Limit(t.Context(), "default", "k1", 20, Change{Version: 1})
		wantDenied(t, err, worker.DenyStale, "version")
		_, err = p.Add(t.Context(), Key{Pool: "default", AppKey: "k1", Limit: 20, Change: Change{Version: 1}})
		wantDenied(t, err, worker.DenyStale, "version")
		err = p.Configure(t.Context(), "default", Settings{Count: CountUnits, Width: 1}, Change{Version: 9})
		wantDenied(t, err, worker.DenyStale, "version")
		events, err := p.Events(t.Context(), "default")
		i := slices.IndexFunc(events, func(e worker.PoolEvent) bool { return e.Kind == worker.EventReset })
		if e := events[i]; err != nil || e.By != "li" || e.Why != "a new year" || e.Change != "m-1" || e.Version != 2 {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

// TestEvenStrategyDrawsFromTheKeyWithMostRoom among the active ones.
func TestEvenStrategyDrawsFromTheKeyWithMostRoom(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		settings(t, p, "default", Settings{Count: CountLines, Width: 2, Strategy: StrategyEven})
		for _, k := range []string{"k1", "k2", "k3"} {
			add(t, p, Key{Pool: "default", AppKey: k, Limit: 10})
		}
		var drawn []string
		for _, reference := range []string{"a", "b", "c", "d"} {
			drawn = append(drawn, draw(t, p, order1("default", reference, 2)).AppKey)
		}
		if !slices.Equal(drawn, []string{"k1", "k2", "k1", "k2"}) {
			t.Errorf("drawn on %q", drawn)
		}
		if claim := draw(t, p, order1("default", "large", 7)); claim.AppKey != "k3" {
			t.Errorf("one that fits on no active key: %s", claim.AppKey)
		}
	})
}

// TestAPoolWithEveryStateIsRebuiltFieldByField: only when and where it was rebuilt differs.
func TestAPoolWithEveryStateIsRebuiltFieldByField(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		s := changed(t, p)
		before := books(t, p)
		raw(t, p).FlushAll(t.Context())
		rebuild(t, p, s)
		if diff := cmp.Diff(before, books(t, p)); diff != "" {
			t.Errorf("rebuilt: %s", diff)
		}
		again, err := p.Alter(t.Context(), "default", "k2", Reset, Change{ID: "m-reset"})
		if err != nil || again.Used != 6 || slices.Contains(kinds(t, p, "default"), "reset k2") {
			t.Errorf("the change was made once more: %+v, %v", again, err)
		}
		settle(t, p, draw(t, p, previewed(order1("default", "acme.after", 1), worker.PreviewNever)), placed, 1)
		wantBooks(t, p, "default")
	})
}

// TestAResetIsNotUndone by a Redis that does not have it, nor by a journal that does not have it yet.
func TestAResetIsNotUndone(t *testing.T) {
	p, s := watchedPool(t)
	s.flushed(t, p)
	name := namesOf("default").pool
	exchanged := func() {
		raw(t, p).HSet(t.Context(), name, "server", "another")
		rebuild(t, p, s)
		wantKey(t, p, "default", "k1", StateActive, 5, 0)
		wantBooks(t, p, "default")
	}
	s.buy(t, p, "first", placed, 8)
	seq := raw(t, p).HGet(t.Context(), name, "seq").Val()
	alter(t, p, "k1", Reset)
	s.buy(t, p, "second", placed, 5)
	exchanged()
	s.flushed(t, p)
	raw(t, p).HSet(t.Context(), name, "k1.used", 8, "seq", seq)
	raw(t, p).HDel(t.Context(), name, "k1.cleared")
	exchanged()
}

// changed is a pool with keys in every state, and its past.
func changed(t *testing.T, p *Pool) *stored {
	t.Helper()
	s := &stored{}
	settings(t, p, "default", Settings{Count: CountLines, Width: 2, Low: 7, Strategy: StrategyEven, Recipients: []string{"age1a", "age1b"}, Tenants: map[string]int{"acme": 2, "b": 1},
		Preview: worker.PreviewAbove, PreviewAbove: 123456})
	for _, k := range []Key{{AppKey: "k1", Limit: 10}, {AppKey: "k2", Limit: 50}, {AppKey: "k3"}, {AppKey: "k4", Alipay: "business"},
		{AppKey: "k5", Source: "managed"}, {AppKey: "k6", Onboard: true}, {AppKey: "k7"}, {AppKey: "k8"}, {AppKey: "k9", Onboard: true}, {AppKey: "k11"}} {
		k.Pool = "default"
		add(t, p, k)
	}
	restrict(t, p, "shop", worker.AlipayBusiness)
	restrict(t, p, "once", worker.AlipayBusiness)
	restrict(t, p, "once", "")
	s.buy(t, p, "on-k2", placed, 20)
	if _, err := p.Alter(t.Context(), "default", "k2", Reset, Change{ID: "m-reset"}); err != nil {
		t.Fatal(err)
	}
	s.buy(t, p, "more", placed, 6)
	s.buy(t, p, "open", unknownOne, 5)
	for _, step := range []struct {
		key  string
		verb Verb
	}{{"k3", Disable}, {"k4", Bench}, {"k5", Retire}, {"k7", Remove}, {"k9", Disable}, {"k3", Enable}, {"k4", Restore}, {"k8", Disable}, {"k2", Rotate}, {"k4", Disable}, {"k11", Remove}} {
		alter(t, p, step.key, step.verb)
	}
	settings(t, p, "default", Settings{Count: CountLines, Width: 1, Low: 7, Strategy: StrategyEven, Recipients: []string{"age1a", "age1b"}, Tenants: map[string]int{"acme": 2, "b": 1},
		Preview: worker.PreviewAbove, PreviewAbove: 123456})
	add(t, p, Key{Pool: "default", AppKey: "k10", Limit: 3})
	add(t, p, Key{Pool: "default", AppKey: "k11"}) // comes back as the last one
	s.flushed(t, p)
	return s
}

// books is all that a pool knows of itself and its keys, but for when and where it was verified.
func books(t *testing.T, p *Pool) map[string]any {
	t.Helper()
	n, c := namesOf("default"), raw(t, p)
	fields := c.HGetAll(t.Context(), n.pool).Val()
	for _, name := range []string{"born", "server", "seq", "new", "lost"} {
		delete(fields, name)
	}
	all := map[string]any{"pool": fields}
	for _, list := range []string{n.known, n.active, n.ready} {
		all[list] = c.LRange(t.Context(), list, 0, -1).Val()
	}
	return all
}
