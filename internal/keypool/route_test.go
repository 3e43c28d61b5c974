package keypool

import (
	"strings"
	"testing"

	"autopurchase/worker"
)

func staying(d worker.Draw) worker.Draw { d.Stays = true; return d }

// accounts is a quiet pool with keys such as "a1", of the account that their first letter names; of "-" the account is not named.
func accounts(t *testing.T, p *Pool, appKeys ...string) {
	t.Helper()
	quiet(t, p, "default")
	for _, app := range appKeys {
		k := Key{Pool: "default", AppKey: strings.Trim(app, "-+"), Limit: 10, Account: app[:1]}
		if app[0] == '-' {
			k.Account = ""
		}
		if strings.HasSuffix(app, "+") {
			k.Alipay = "business"
		}
		add(t, p, k)
	}
}

func wantStates(t *testing.T, p *Pool, want map[string]State) {
	t.Helper()
	for _, k := range keys(t, p, "default") {
		if state, named := want[k.AppKey]; named && k.State != state {
			t.Errorf("%s is %s, want %s", k.AppKey, k.State, state)
		}
	}
}

// TestRiskControlStopsTheAccount with all its keys at once, gives the quota back, and sends the order elsewhere. Orders under way on
// the account end and count; nothing of it comes back but by a person.
func TestRiskControlStopsTheAccount(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "a2", "b1", "a3", "a4", "a5")
		alter(t, p, "a3", Bench)
		alter(t, p, "a4", Disable)
		limit(t, p, "a5", 1)
		spends := order1("default", "spends", 1)
		spends.OnKeys = []string{"a5"}
		settle(t, p, draw(t, p, spends), placed, 1)
		other, told := draw(t, p, order1("default", "under-way", 2)), draw(t, p, order1("default", "told", 3))
		unsend(t, p, told, worker.CodeRiskControl)
		unsend(t, p, told, worker.CodeRiskControl) // its reply was lost
		wantStates(t, p, map[string]State{"a1": StateStopped, "a2": StateStopped, "a3": StateStopped,
			"a4": StateDisabled, "a5": StateStopped, "b1": StateActive})
		wantKey(t, p, "default", "a1", StateStopped, 0, 2)
		if claim := draw(t, p, by(order1("default", "told", 3), "owner-2", 2)); claim.AppKey != "b1" || claim.Turn != worker.TurnSend {
			t.Errorf("%+v", claim)
		}
		settle(t, p, other, placed, 2)
		wantKey(t, p, "default", "a1", StateStopped, 2, 0)
		if info := alter(t, p, "a1", Revive); info.State != StateStopped {
			t.Errorf("the machine put it back: %+v", info)
		}
		_, err := p.Alter(t.Context(), "default", "a1", Enable, Change{})
		wantDenied(t, err, worker.DenyState, "app_key")
		if info := limit(t, p, "a5", 5); info.State != StateStopped {
			t.Errorf("a higher limit put it back: %+v", info)
		}
		for app, state := range map[string]State{"a1": StateReady, "a3": StateReady} {
			if info := alter(t, p, app, Restore); info.State != state {
				t.Errorf("%+v, want %s", info, state)
			}
		}
		wantBooks(t, p, "default")
		stopped := 0
		events, err := p.Events(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Kind == worker.EventStopped {
				if stopped++; e.Why != "risk_control" || e.State != "stopped" {
					t.Errorf("%+v", e)
				}
			}
		}
		if stopped != 4 {
			t.Errorf("%d keys are told of, want 4", stopped)
		}
	})
}

// TestAKeyWithoutAnAccountIsStoppedAlone: nobody said that it shares one.
func TestAKeyWithoutAnAccountIsStoppedAlone(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "-k1", "-k2")
		unsend(t, p, draw(t, p, order1("default", "a", 1)), worker.CodeRiskControl)
		wantStates(t, p, map[string]State{"k1": StateStopped, "k2": StateActive})
	})
}

// TestEachAccountGetsAnOrderOnce, whoever restores it meanwhile; then the order is turned down, with what each said, also by a pool
// that begins anew with a later delivery.
func TestEachAccountGetsAnOrderOnce(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "b1", "c1+")
		order := order1("default", "poison", 1)
		for i, app := range []string{"a1", "b1", "c1"} {
			claim := draw(t, p, by(order, "owner", i+1))
			if claim.AppKey != app {
				t.Fatalf("try %d is on %s, want %s", i, claim.AppKey, app)
			}
			why := worker.CodeRiskControl
			if app == "c1" {
				why = worker.CodeBusinessOnly
			}
			unsend(t, p, claim, why)
			if app != "c1" {
				alter(t, p, app, Restore)
			}
		}
		_, err := p.Draw(t.Context(), new(by(order, "owner", 4)))
		wantCode(t, err, worker.CodeBusinessOnly)
		for _, said := range []string{"a1 risk_control", "b1 risk_control", "c1 business_only"} {
			if !strings.Contains(err.Error(), said) {
				t.Errorf("%v does not say %s", err, said)
			}
		}
		claim, err := p.Refuse(t.Context(), by(order, "owner", 4), worker.Part{State: refused, Code: worker.CodeBusinessOnly})
		if err != nil || claim.State != refused {
			t.Errorf("%+v, %v", claim, err)
		}
		wantBooks(t, p, "default")
	})
}

// TestAnOrderWaitsForAnAccountThatHasNotTurnedItDown, and is not called for room on one that has.
func TestAnOrderWaitsForAnAccountThatHasNotTurnedItDown(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "a2", "b1")
		draw(t, p, order1("default", "fills-a1", 1))
		full := order1("default", "fills-b1", 10)
		full.Account = "b"
		draw(t, p, full)
		unsend(t, p, draw(t, p, order1("default", "waits", 1)), worker.CodeRiskControl)
		alter(t, p, "a1", Restore)
		_, err := p.Draw(t.Context(), new(by(order1("default", "waits", 1), "owner-2", 2)))
		wantCode(t, err, worker.CodeNoKey)
		payer := worker.AsTrouble(err).Payer
		if room, err := p.Room(t.Context(), "default", payer); err != nil || room.Lines != 0 {
			t.Errorf("%+v: room %+v, %v", payer, room, err)
		}
		add(t, p, Key{Pool: "default", AppKey: "c1", Limit: 4, Account: "c"})
		if room, err := p.Room(t.Context(), "default", payer); err != nil || room.Lines != 4 {
			t.Errorf("%+v: room %+v, %v", payer, room, err)
		}
	})
}

// TestAnOrderStaysWithItsAccount if its address is there: it moves to that account's next key, waits for one, and is turned down with it.
func TestAnOrderStaysWithItsAccount(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "b1", "a2")
		order := staying(order1("default", "at-home", 1))
		unsend(t, p, draw(t, p, order), worker.CodeUnauthorized)
		second := draw(t, p, by(order, "owner", 2))
		if second.AppKey != "a2" {
			t.Fatalf("on %s, want a2", second.AppKey)
		}
		unsend(t, p, second, worker.CodeUnauthorized)
		for attempt := 3; attempt < 5; attempt++ { // it is remembered where the claim has no key
			_, err := p.Draw(t.Context(), new(by(order, "owner", attempt)))
			wantCode(t, err, worker.CodeNoKey)
			payer := worker.AsTrouble(err).Payer
			if room, err := p.Room(t.Context(), "default", payer); err != nil || payer.Like == "" || room.Lines != 0 {
				t.Errorf("%+v: room %+v, %v", payer, room, err)
			}
		}
		alter(t, p, "a1", Revive)
		third := draw(t, p, by(order, "owner", 5))
		if third.AppKey != "a1" {
			t.Fatalf("on %s, want a1", third.AppKey)
		}
		unsend(t, p, third, worker.CodeRiskControl)
		_, err := p.Draw(t.Context(), new(by(order, "owner", 6)))
		wantCode(t, err, worker.CodeRiskControl)
		roams := draw(t, p, order1("default", "roams", 1))
		if roams.AppKey != "b1" {
			t.Errorf("another order is on %s", roams.AppKey)
		}
	})
}

// TestAnotherKeyOfTheSameAccountComesFirst: it has the same buyer, the same address book and the same agreements.
func TestAnotherKeyOfTheSameAccountComesFirst(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "b1", "a2")
		unsend(t, p, draw(t, p, order1("default", "x", 1)), worker.CodeUnauthorized)
		if claim := draw(t, p, by(order1("default", "x", 1), "owner", 2)); claim.AppKey != "a2" {
			t.Errorf("on %s, want a2", claim.AppKey)
		}
		if claim := draw(t, p, order1("default", "y", 1)); claim.AppKey != "b1" {
			t.Errorf("another order is on %s, want the active b1", claim.AppKey)
		}
	})
}

// TestABusinessKeyIsDrawnOnceASellerAskedForOne, without any rule, and the order is turned down where there is none.
func TestABusinessKeyIsDrawnOnceASellerAskedForOne(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "b1", "c1+")
		unsend(t, p, draw(t, p, order1("default", "x", 1)), worker.CodeBusinessOnly)
		wantStates(t, p, map[string]State{"a1": StateActive})
		if claim := draw(t, p, by(order1("default", "x", 1), "owner", 2)); claim.AppKey != "c1" {
			t.Errorf("on %s, want c1", claim.AppKey)
		}
		only := order1("default", "y", 1)
		only.Account = "a"
		unsend(t, p, draw(t, p, only), worker.CodeBusinessOnly)
		_, err := p.Draw(t.Context(), new(by(only, "owner", 2)))
		wantCode(t, err, worker.CodeBusinessOnly)
	})
}

// TestAPreviewThatIsTurnedDownIsRememberedToo, unless somebody else has the claim by now.
func TestAPreviewThatIsTurnedDownIsRememberedToo(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "b1")
		order := order1("default", "x", 1)
		for range 2 {
			if err := p.Leave(t.Context(), order, "a1", worker.CodeRiskControl); err != nil {
				t.Fatal(err)
			}
		}
		wantStates(t, p, map[string]State{"a1": StateStopped, "b1": StateActive})
		alter(t, p, "a1", Restore)
		alter(t, p, "b1", Disable)
		_, err := p.Draw(t.Context(), new(by(order, "owner", 2)))
		wantCode(t, err, worker.CodeNoKey)
		alter(t, p, "b1", Enable)
		claim := draw(t, p, by(order, "owner", 3))
		if err := p.Leave(t.Context(), by(order, "late", 2), "a1", worker.CodeUnauthorized); err != nil {
			t.Fatal(err)
		}
		if settled := settle(t, p, claim, placed, 1); settled.AppKey != "b1" || settled.State != placed {
			t.Errorf("%+v", settled)
		}
		wantStates(t, p, map[string]State{"a1": StateBenched})
	})
}

// TestAStoppedAccountStaysStoppedWhenRedisForgets: the journal has it.
func TestAStoppedAccountStaysStoppedWhenRedisForgets(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		accounts(t, p, "a1", "a2", "b1")
		unsend(t, p, draw(t, p, order1("default", "x", 1)), worker.CodeRiskControl)
		alter(t, p, "a2", Restore)
		history := &stored{}
		history.flushed(t, p)
		if err := raw(t, p).FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		rebuild(t, p, history)
		wantStates(t, p, map[string]State{"a1": StateStopped, "a2": StateReady, "b1": StateActive})
		wantBooks(t, p, "default")
	})
}
