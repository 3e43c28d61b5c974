package keypool

import (
	"math"
	"testing"

	"autopurchase/worker"
)

// TestRoomIsThatOfTheRoomiestUsableKey: what one key can still take counts, not the sum; spent and benched keys have no room.
func TestRoomIsThatOfTheRoomiestUsableKey(t *testing.T) {
	singles(t, func(t *testing.T, p *Pool) {
		room := func(account string, want worker.Size) {
			t.Helper()
			if got, err := p.Room(t.Context(), "default", worker.Payer{Account: account}); err != nil || got != want {
				t.Errorf("room for account %q: %+v, %v, want %+v", account, got, err, want)
			}
		}
		lines := func(n int64) worker.Size { return worker.Size{Lines: n, Units: math.MaxInt64} }
		room("", lines(0)) // a pool that is not there
		quiet(t, p, "default", 10, 7)
		add(t, p, Key{Pool: "default", AppKey: "theirs", Limit: 20, Account: "them"})
		room("", lines(20))
		room("them", lines(20))
		room("nobody", lines(0))
		ours := order1("default", "r1", 6)
		claim := draw(t, p, ours)
		settle(t, p, claim, worker.ClaimPlaced, 6)
		draw(t, p, order1("default", "r2", 3)) // held counts too: 1 is left on the first key
		big := order1("default", "r3", 18)
		big.Account = "them"
		draw(t, p, big)
		room("", lines(7))
		room("them", lines(2))
		settings(t, p, "default", Settings{Count: CountUnits, Width: 1})
		room("them", worker.Size{Lines: math.MaxInt64, Units: 2})
	})
}
