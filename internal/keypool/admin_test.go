package keypool

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

func TestTheLimitRotatesToTheNextKey(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		settle(t, p, draw(t, p, order1("default", "a", 6)), placed, 6)
		last := draw(t, p, order1("default", "b", 4))
		wantKey(t, p, "default", "k1", StateActive, 6, 4) // full, but not spent before it is counted
		if claim := draw(t, p, order1("default", "c", 1)); claim.AppKey != "k2" {
			t.Fatalf("drawn on %s, want k2", claim.AppKey)
		}
		settle(t, p, last, placed, 4)
		wantKey(t, p, "default", "k1", StateSpent, 10, 0)
		wantKey(t, p, "default", "k2", StateActive, 0, 1)
		want := []string{"pool", "added k1", "added k2", "spent k1", "rotated k2"}
		if got := kinds(t, p, "default"); !slices.Equal(got, want) {
			t.Fatalf("events %q, want %q", got, want)
		}
		wantBooks(t, p, "default")
	})
}

func TestAReadyKeyMayBeSpentBeforeItsTurn(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 20, 10)
		settle(t, p, draw(t, p, order1("default", "a", 9)), placed, 9)
		settle(t, p, draw(t, p, order1("default", "b", 20)), placed, 20) // k2, while k1 stays active
		wantKey(t, p, "default", "k2", StateSpent, 20, 0)
		settle(t, p, draw(t, p, order1("default", "c", 1)), placed, 1)
		wantKey(t, p, "default", "k3", StateActive, 0, 0)
		wantBooks(t, p, "default")
	})
}

func TestLowAndExhaustedAreToldOnce(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		settings(t, p, "default", Settings{Count: CountLines, Width: 1, Low: 5})
		add(t, p, Key{Pool: "default", AppKey: "k1", Limit: 10})
		first := len(kinds(t, p, "default"))
		six := draw(t, p, order1("default", "six", 6)) // 4 left: low
		draw(t, p, order1("default", "one", 1))        // still low
		three := draw(t, p, order1("default", "three", 3))
		settle(t, p, three, refused, 0) // 3 left: neither again
		draw(t, p, order1("default", "three more", 3))
		settle(t, p, six, refused, 0)                   // 6 left: recovered
		draw(t, p, order1("default", "six more", 2))    // 4 left: low again
		add(t, p, Key{Pool: "default", AppKey: "k2"})   // recovered
		draw(t, p, order1("default", "thousand", 1000)) // 4 left: low a third time
		want := []string{"low", "exhausted", "low", "added k2", "low"}
		if got := kinds(t, p, "default")[first:]; !slices.Equal(got, want) {
			t.Fatalf("events %q, want %q", got, want)
		}
	})
}

func TestAddingAKeyAgainKeepsItsCount(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		k := Key{Pool: "default", AppKey: "1001", Account: "buyer-7", Change: Change{By: "root"}}
		if diff := cmp.Diff(Info{
			Pool: "default", AppKey: "1001", State: StateActive, Limit: 1000, Left: 1000, Account: "buyer-7", Alipay: "none",
			Source: "own", Version: 1,
		}, add(t, p, k)); diff != "" {
			t.Fatalf("a new key: %s", diff)
		}
		settle(t, p, draw(t, p, order1("default", "all", 1000)), placed, 1000)
		before := kinds(t, p, "default")
		if again := add(t, p, k); again.Used != 1000 || again.State != StateSpent || again.Version != 1 {
			t.Fatalf("added again: %+v", again)
		}
		if after := kinds(t, p, "default"); !slices.Equal(before, after) {
			t.Fatalf("adding the same again left events: %q", after[len(before):])
		}
		k.Limit = 1200
		if raised := add(t, p, k); raised.Used != 1000 || raised.Left != 200 || raised.State != StateActive || raised.Version != 2 {
			t.Fatalf("limit raised: %+v", raised)
		}
		settle(t, p, draw(t, p, order1("default", "some", 100)), placed, 100)
		k.Limit = 500
		if lowered := add(t, p, k); lowered.Used != 1100 || lowered.Left != 0 || lowered.State != StateSpent {
			t.Fatalf("limit lowered: %+v", lowered)
		}
		if left, err := p.Left(t.Context(), "default"); left != 0 || err != nil {
			t.Fatalf("%d left, %v", left, err)
		}
		infos := keys(t, p, "default")
		if diff := cmp.Diff(infos[0], add(t, p, k)); diff != "" || len(infos) != 1 {
			t.Fatalf("keys and add differ: %s", diff)
		}
	})
}

func TestWidthIsHowManyKeysAreActive(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10, 10)
		states := func() (list string) {
			for _, k := range keys(t, p, "default") {
				list += string(k.State[0])
			}
			return list
		}
		for _, c := range []struct {
			width int
			want  string
		}{{2, "aar"}, {3, "aaa"}, {1, "arr"}, {1000, "aaa"}} {
			settings(t, p, "default", Settings{Count: CountLines, Width: c.width})
			if got := states(); got != c.want {
				t.Fatalf("width %d: %s, want %s", c.width, got, c.want)
			}
		}
		settings(t, p, "default", Settings{Count: CountLines, Width: 1})
		settle(t, p, draw(t, p, order1("default", "a", 10)), placed, 10)
		wantKey(t, p, "default", "k2", StateActive, 0, 0) // went back to the head of the ready ones
		wantBooks(t, p, "default")
	})
}

// TestABenchedKeyStartsNothingAndFinishesWhatRuns also checks that a late success does not revive it.
func TestABenchedKeyStartsNothingAndFinishesWhatRuns(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		running := draw(t, p, order1("default", "running", 2))
		waiting := draw(t, p, order1("default", "waiting", 3))
		unsend(t, p, waiting, worker.CodeThrottled)
		for range 2 {
			if info, err := p.Alter(t.Context(), "default", "k1", Bench, Change{By: "root", Why: "risk control"}); err != nil || info.State != StateBenched || info.Left != 0 {
				t.Fatalf("bench: %+v, %v", info, err)
			}
		}
		if moved := draw(t, p, by(order1("default", "waiting", 3), "owner-2", 2)); moved.AppKey != "k2" || moved.Turn != worker.TurnSend {
			t.Fatalf("a waiting order went to %s with turn %s", moved.AppKey, moved.Turn)
		}
		settle(t, p, running, placed, 2)
		wantKey(t, p, "default", "k1", StateBenched, 2, 0)
		wantKey(t, p, "default", "k2", StateActive, 0, 3)
		for range 2 {
			if info, err := p.Alter(t.Context(), "default", "k1", Restore, Change{By: "root"}); err != nil || info.State != StateReady || info.Left != 8 {
				t.Fatalf("restore: %+v, %v", info, err)
			}
		}
		want := []string{"pool", "added k1", "added k2", "benched k1", "rotated k2", "restored k1"}
		if got := kinds(t, p, "default"); !slices.Equal(got, want) {
			t.Fatalf("events %q, want %q", got, want)
		}
		wantBooks(t, p, "default")
	})
}

func TestAnAuthorizationFailureBenchesAndTheOrderMoves(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		first := draw(t, p, order1("default", "r", 3))
		unsend(t, p, first, worker.CodeUnauthorized)
		_, err := p.Draw(t.Context(), new(by(order1("default", "r", 3), "owner-0", 1)))
		wantCode(t, err, worker.CodeFenced) // the claim still fences
		if second := draw(t, p, by(order1("default", "r", 3), "owner-2", 2)); second.AppKey != "k2" {
			t.Fatalf("drawn on %s, want k2", second.AppKey)
		}
		wantKey(t, p, "default", "k1", StateBenched, 0, 0)
		events, _ := p.Events(t.Context(), "default")
		if e := events[3]; e.Kind != worker.EventBenched || e.Why != "unauthorized" || e.AppKey != "k1" {
			t.Fatalf("event %+v", e)
		}
	})
}

func TestAKeySpentOnTheBenchStaysSpent(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		claim := draw(t, p, order1("default", "r", 10))
		second := draw(t, p, onKey(order1("default", "s", 1), "k1"))
		if _, err := p.Alter(t.Context(), "default", "k1", Bench, Change{Why: "probe"}); err != nil {
			t.Fatal(err)
		}
		settle(t, p, claim, placed, 10)
		settle(t, p, second, refused, 0)
		wantKey(t, p, "default", "k1", StateSpent, 10, 0)
		if info, err := p.Alter(t.Context(), "default", "k1", Restore, Change{}); err != nil || info.State != StateSpent {
			t.Fatalf("restore: %+v, %v", info, err)
		}
	})
}

func TestKeysOfAnAccount(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		add(t, p, Key{Pool: "default", AppKey: "theirs", Limit: 10, Account: "buyer-7"})
		if claim := draw(t, p, with(order1("default", "r", 2), "buyer-7")); claim.AppKey != "theirs" {
			t.Fatalf("drawn on %s, want theirs", claim.AppKey)
		}
		if list, err := p.AppKeys(t.Context(), "default"); err != nil || !slices.Equal(list, []string{"k1", "theirs"}) {
			t.Fatalf("app keys %q, %v", list, err)
		}
		if pools, err := p.Pools(t.Context()); err != nil || !slices.Equal(pools, []string{"default"}) {
			t.Fatalf("pools %q, %v", pools, err)
		}
	})
}

func TestAdministrationRefusesWhatIsWrong(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		for field, k := range map[string]Key{
			"pool":    {Pool: "a}b", AppKey: "k"},
			"app_key": {Pool: "p", AppKey: "k.used"},
			"limit":   {Pool: "p", AppKey: "k", Limit: -1},
			"account": {Pool: "p", AppKey: "k", Account: strings.Repeat("a", 65)},
			"alipay":  {Pool: "p", AppKey: "k", Alipay: "company"},
		} {
			if _, err := p.Add(t.Context(), k); err == nil || !strings.HasPrefix(err.Error(), field+":") {
				t.Errorf("%s: got %v", field, err)
			}
		}
		for field, s := range map[string]Settings{
			"count": {Count: "kilos", Width: 1},
			"width": {Count: CountLines},
			"low":   {Count: CountLines, Width: 1, Low: -1},
		} {
			if err := p.Configure(t.Context(), "p", s, Change{}); err == nil || !strings.HasPrefix(err.Error(), field+":") {
				t.Errorf("%s: got %v", field, err)
			}
		}
		if got, err := p.Settings(t.Context(), "p"); err != nil || got.Count != DefaultSettings.Count || got.Width != 1 {
			t.Errorf("settings of a pool that is not there: %+v, %v", got, err)
		}
		if err := p.Configure(t.Context(), "", DefaultSettings, Change{}); err == nil {
			t.Error("a pool without a name was configured")
		}
		_, err := p.Left(t.Context(), "p")
		wantCode(t, err, worker.CodeNoPool)
		if pools, err := p.Pools(t.Context()); err != nil || len(pools) != 0 {
			t.Errorf("pools %q, %v", pools, err)
		}
	})
}
