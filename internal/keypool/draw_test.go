package keypool

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/worker"
)

// atOnce runs n jobs in 64 goroutines.
func atOnce(n int, job func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				job(i)
			}
		})
	}
	group.Wait()
}

func TestTheLastTenOfAThousandAreGrantedOnce(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 1000)
		settle(t, p, draw(t, p, order1("default", "before", 990)), worker.ClaimPlaced, 990)
		var granted, turnedDown atomic.Int64
		atOnce(50, func(i int) {
			_, err := p.Draw(t.Context(), new(order1("default", fmt.Sprintf("r-%d", i), 1)))
			switch trouble, _ := errors.AsType[*worker.Trouble](err); {
			case err == nil:
				granted.Add(1)
			case trouble != nil && trouble.Code == worker.CodeNoKey:
				turnedDown.Add(1)
			default:
				t.Errorf("draw %d: %v", i, err)
			}
		})
		if granted.Load() != 10 || turnedDown.Load() != 40 {
			t.Fatalf("%d granted and %d turned down, want 10 and 40", granted.Load(), turnedDown.Load())
		}
		wantKey(t, p, "default", "k1", StateActive, 990, 10)
		wantBooks(t, p, "default")
	})
}

func TestMixedSizesUntilThePoolIsDry(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 1000, 700, 1000, 30)
		var held, counted atomic.Int64
		atOnce(600, func(i int) {
			size := int64(i%50 + 1)
			claim, err := p.Draw(t.Context(), new(order1("default", fmt.Sprintf("r-%d", i), size)))
			if trouble, _ := errors.AsType[*worker.Trouble](err); trouble != nil && trouble.Code == worker.CodeNoKey {
				return
			}
			if err != nil {
				t.Errorf("draw %d: %v", i, err)
				return
			}
			if i%7 == 0 {
				held.Add(size) // its answer never comes
				return
			}
			part, size := worker.Part{State: worker.ClaimPlaced, Code: worker.CodePlaced}, claim.Products
			if i%5 == 0 {
				part, size = worker.Part{State: worker.ClaimRefused, Code: worker.CodeOutOfStock}, 0
			}
			if err := p.Settle(t.Context(), claim, &part, worker.Size{Lines: size}); err != nil {
				t.Errorf("settle %d: %v", i, err)
			}
			counted.Add(size)
		})
		used, holding := wantBooks(t, p, "default")
		if used != counted.Load() || holding != held.Load() {
			t.Fatalf("%d used and %d held, but %d and %d were drawn", used, holding, counted.Load(), held.Load())
		}
		if left, _ := p.Left(t.Context(), "default"); left >= 50 {
			t.Fatalf("%d left: the pool is not dry", left)
		}
	})
}

func TestWhatDoesNotFitGoesToTheNextKey(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 1000, 1000)
		settle(t, p, draw(t, p, order1("default", "before", 998)), worker.ClaimPlaced, 998)
		if claim := draw(t, p, order1("default", "three", 3)); claim.AppKey != "k2" {
			t.Fatalf("3 products went to %s, want k2", claim.AppKey)
		}
		if claim := draw(t, p, order1("default", "two", 2)); claim.AppKey != "k1" {
			t.Fatalf("2 products went to %s, want k1", claim.AppKey)
		}
		wantKey(t, p, "default", "k1", StateActive, 998, 2)
		wantKey(t, p, "default", "k2", StateReady, 0, 3)
	})
}

func TestDrawTroubles(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "empty")
		quiet(t, p, "small", 10)
		add(t, p, Key{Pool: "small", AppKey: "of-mine", Limit: 5, Account: "mine"})
		draw(t, p, order1("small", "full", 10))
		draw(t, p, by(order1("small", "taken", 1), "owner-1", 1))
		for _, c := range []struct {
			name string
			draw worker.Draw
			code worker.Code
		}{
			{"no such pool", order1("none", "r", 1), worker.CodeNoPool},
			{"a pool without keys", order1("empty", "r", 1), worker.CodeNoPool},
			{"larger than any key", order1("small", "r", 11), worker.CodeTooLarge},
			{"larger than the account's key", with(order1("small", "r", 6), "mine"), worker.CodeTooLarge},
			{"no key of the account", with(order1("small", "r", 1), "theirs"), worker.CodeNoKey},
			{"no room", order1("small", "r", 5), worker.CodeNoKey},
			{"another meaning", meaning(order1("small", "taken", 1), "other"), worker.CodeConflict},
			{"overtaken", by(order1("small", "taken", 1), "owner-2", 1), worker.CodeFenced},
			{"the pool is younger", older(by(order1("small", "r", 1), "owner-2", 2)), worker.CodeLost},
			{"an unknown key", onKey(order1("small", "r", 1), "k9"), worker.CodeInternal},
			{"nothing to buy", order1("small", "r", 0), worker.CodeInternal},
			{"a bad pool name", order1("a.b", "r", 1), worker.CodeInternal},
			{"more than can be counted", order1("small", "r", maxCount+1), worker.CodeTooLarge},
		} {
			_, err := p.Draw(t.Context(), &c.draw)
			if trouble, _ := errors.AsType[*worker.Trouble](err); trouble == nil || trouble.Code != c.code {
				t.Errorf("%s: got %v, want %s", c.name, err, c.code)
			}
		}
		if claim := draw(t, p, older(order1("small", "first", 1))); claim.Turn != worker.TurnSend {
			t.Errorf("a first delivery that is older than the pool: %s, want send", claim.Turn)
		}
	})
}

func with(d worker.Draw, account string) worker.Draw  { d.Account = account; return d }
func meaning(d worker.Draw, other string) worker.Draw { d.Fingerprint = other; return d }
func onKey(d worker.Draw, appKey string) worker.Draw  { d.OnKeys = strings.Fields(appKey); return d }
func older(d worker.Draw) worker.Draw                 { d.Published = time.Now().Add(-time.Hour); return d }

func TestAPoolCountsLinesOrUnits(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "units", 100)
		settings(t, p, "units", Settings{Count: CountUnits, Width: 1})
		claim := draw(t, p, order1("units", "r", 3))
		if claim.Products != 30 {
			t.Fatalf("%d held, want 30 units", claim.Products)
		}
		settings(t, p, "units", Settings{Count: CountLines, Width: 1}) // the claim keeps the unit it was drawn in
		if settled := settle(t, p, claim, worker.ClaimPartial, 2); settled.Products != 20 {
			t.Fatalf("%d counted, want 20 units", settled.Products)
		}
		wantKey(t, p, "units", "k1", StateActive, 20, 0)
	})
}

// TestALookUpWhoseReplyWasLostStaysALookUp: the repeat must not be taken for that of the delivery which marked it sent.
func TestALookUpWhoseReplyWasLostStaysALookUp(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		first := order1("default", "r", 1)
		for range 2 {
			if claim := draw(t, p, first); claim.Turn != worker.TurnSend {
				t.Fatalf("the first delivery is told to %s", claim.Turn)
			}
		}
		for range 3 {
			if claim := draw(t, p, by(first, "owner-2", 2)); claim.Turn != worker.TurnLookUp {
				t.Fatalf("a later delivery is told to %s an order that was sent", claim.Turn)
			}
		}
		if err := p.Unsend(t.Context(), new(draw(t, p, by(first, "owner-2", 2))), worker.CodeThrottled); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if claim := draw(t, p, by(first, "owner-2", 2)); claim.Turn != worker.TurnSend {
				t.Fatalf("one that provably never left is told to %s", claim.Turn)
			}
		}
	})
}

// TestAClaimThatMovesIsNotSentAgainOnceMore: who sends it is told how often it was sent in vain, whichever key it is on by then.
func TestAClaimThatMovesIsNotSentAgainOnceMore(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		unsend(t, p, draw(t, p, order1("default", "r", 1)), worker.CodeAbsent)
		if _, err := p.Alter(t.Context(), "default", "k1", Bench, Change{}); err != nil {
			t.Fatal(err)
		}
		claim := draw(t, p, by(order1("default", "r", 1), "owner-2", 2))
		if claim.AppKey != "k2" || claim.Turn != worker.TurnSend || claim.Resent != 1 {
			t.Fatalf("got %+v, want it to be sent on k2, once in vain", claim)
		}
	})
}

func TestOnKeyBindsAFactWhateverTheRoom(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		draw(t, p, order1("default", "full", 10))
		lost := onKey(older(by(order1("default", "found", 4), "owner-2", 2)), "k1")
		for range 2 { // the second is a repeat after a lost reply
			claim := draw(t, p, lost)
			if claim.AppKey != "k1" || claim.State != worker.ClaimSent || claim.Turn != worker.TurnLookUp {
				t.Fatalf("got %+v, want a sent claim on k1 to look up", claim)
			}
		}
		wantKey(t, p, "default", "k1", StateActive, 0, 14)
		if left, _ := p.Left(t.Context(), "default"); left != 10 {
			t.Fatalf("%d left, want 10", left)
		}
	})
}

// TestAnOrderFoundElsewhereMovesItsClaim: the claim says k1, 1688 has the order under k2.
func TestAnOrderFoundElsewhereMovesItsClaim(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		draw(t, p, order1("default", "sent", 2))
		unsend(t, p, draw(t, p, order1("default", "drawn", 3)), worker.CodeThrottled)
		for _, reference := range []string{"sent", "drawn"} {
			_, err := p.Draw(t.Context(), new(onKey(by(order1("default", reference, 4), "owner-2", 1), "k2")))
			wantCode(t, err, worker.CodeFenced)
			claim := draw(t, p, onKey(by(order1("default", reference, 4), "owner-2", 2), "k2"))
			if claim.AppKey != "k2" || claim.Turn != worker.TurnLookUp || claim.Products != 4 {
				t.Fatalf("%s: got %+v", reference, claim)
			}
		}
		wantKey(t, p, "default", "k1", StateActive, 0, 0)
		wantKey(t, p, "default", "k2", StateReady, 0, 8)
		wantBooks(t, p, "default")
	})
}

func TestAMissingCounterIsNotZero(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10, 10)
		claim := draw(t, p, order1("default", "r", 1))
		raw(t, p).HDel(t.Context(), namesOf("default").pool, "k1.used")
		_, err := p.Draw(t.Context(), new(order1("default", "s", 1)))
		wantCode(t, err, worker.CodeRedisDown)
		err = p.Settle(t.Context(), &claim, new(worker.Part{State: worker.ClaimPlaced}), worker.Size{Lines: 1})
		wantCode(t, err, worker.CodeRedisDown)
		_, err = p.Keys(t.Context(), "default")
		wantCode(t, err, worker.CodeRedisDown)
		_, err = p.Add(t.Context(), Key{Pool: "default", AppKey: "k1", Limit: 10})
		wantCode(t, err, worker.CodeRedisDown)
	})
}
