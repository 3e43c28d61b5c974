package keypool

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

// reach brings a claim of 3 products on a key of its own pool into a state, held by owner-1 in attempt 1.
func reach(t *testing.T, p *Pool, pool string, state worker.ClaimState) worker.Claim {
	t.Helper()
	quiet(t, p, pool, 100)
	claim := draw(t, p, order1(pool, "r", 3))
	switch state {
	case worker.ClaimSent:
	case worker.ClaimDrawn:
		unsend(t, p, claim, worker.CodeThrottled)
	default:
		settle(t, p, claim, state, 2)
	}
	return claim
}

func unsend(t *testing.T, p *Pool, claim worker.Claim, why worker.Code) {
	t.Helper()
	if err := p.Unsend(t.Context(), &claim, why); err != nil {
		t.Fatalf("unsend: %v", err)
	}
}

const (
	drawn, sent, placed, partial   = worker.ClaimDrawn, worker.ClaimSent, worker.ClaimPlaced, worker.ClaimPartial
	refused, cancelled, unknownOne = worker.ClaimRefused, worker.ClaimCancelled, worker.ClaimUnknown
)

// TestEveryStateMeetsEveryDraw walks the whole table: what a draw of the same owner, of another owner in the same attempt, and
// of a later attempt finds.
func TestEveryStateMeetsEveryDraw(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		for state, want := range map[worker.ClaimState][3]string{
			drawn:      {"send", "fenced", "send"},
			sent:       {"send", "fenced", "look_up"},
			placed:     {"done", "done", "done"},
			partial:    {"done", "done", "done"},
			refused:    {"done", "done", "done"},
			cancelled:  {"done", "done", "done"},
			unknownOne: {"done", "done", "done"},
		} {
			for i, d := range []worker.Draw{order1("", "r", 3), by(order1("", "r", 3), "owner-2", 1), by(order1("", "r", 3), "owner-2", 2)} {
				d.Pool = fmt.Sprintf("%s-%d", state, i)
				reach(t, p, d.Pool, state)
				claim, err := p.Draw(t.Context(), &d)
				var got string
				if err != nil {
					got = string(worker.AsTrouble(err).Code)
				} else {
					got = string(claim.Turn)
				}
				if got != want[i] {
					t.Errorf("%s, draw %d: %s, want %s", state, i, got, want[i])
				}
				if err == nil && got != "done" && (claim.Owner != d.Owner || claim.Attempt != d.Attempt || claim.State != sent) {
					t.Errorf("%s, draw %d: held by %s in %d as %s", state, i, claim.Owner, claim.Attempt, claim.State)
				}
				if got == "done" && claim.Part.State != state {
					t.Errorf("%s, draw %d: part is %q", state, i, claim.Part.State)
				}
				wantBooks(t, p, d.Pool)
			}
		}
	})
}

// TestEveryStateMeetsEverySettle walks the whole table twice: by the owner, and by one who was overtaken or never was. Each
// cell is what the claim is afterwards, with used and held.
func TestEveryStateMeetsEverySettle(t *testing.T) {
	type cell struct{ state, used, held any }
	fenced := cell{"fenced", nil, nil}
	ends := []worker.ClaimState{placed, partial, refused, cancelled, unknownOne}
	open := []cell{{placed, 2, 0}, {partial, 2, 0}, {refused, 0, 0}, {cancelled, 0, 0}, {unknownOne, 0, 3}}
	same := func(c cell) []cell { return slices.Repeat([]cell{c}, len(ends)) }
	fact := []cell{open[0], open[1], open[2], {unknownOne, 0, 3}, {unknownOne, 0, 3}}
	owner := map[worker.ClaimState][]cell{
		drawn: open, sent: open, unknownOne: fact,
		placed: same(open[0]), partial: same(open[1]), refused: same(open[2]), cancelled: same(open[3]),
	}
	other := map[worker.ClaimState][]cell{
		drawn: same(fenced), sent: {open[0], open[1], open[2], fenced, fenced}, unknownOne: fact,
		placed: same(open[0]), partial: same(open[1]), refused: same(open[2]), cancelled: same(open[3]),
	}
	walk := func(t *testing.T, p *Pool, name string, table map[worker.ClaimState][]cell, change func(*worker.Claim)) {
		for state, row := range table {
			for i, end := range ends {
				pool := fmt.Sprintf("%s-%s-%s", name, state, end)
				claim := reach(t, p, pool, state)
				change(&claim)
				for range 2 { // a repeat changes nothing
					settled := claim
					err := p.Settle(t.Context(), &settled, new(worker.Part{State: end, Code: worker.Code(end)}), worker.Size{Lines: 2, Units: 20})
					got := cell{settled.State, nil, nil}
					if err != nil {
						got.state = string(worker.AsTrouble(err).Code)
					} else {
						k := keys(t, p, pool)[0]
						got.used, got.held = int(k.Used), int(k.Held)
					}
					if got != row[i] {
						t.Errorf("%s: got %v, want %v", pool, got, row[i])
					}
				}
				wantBooks(t, p, pool)
			}
		}
	}
	backends(t, func(t *testing.T, p *Pool) {
		walk(t, p, "owner", owner, func(*worker.Claim) {})
		walk(t, p, "other", other, func(c *worker.Claim) { c.Owner = "owner-0" })
		walk(t, p, "late", other, func(c *worker.Claim) { c.Attempt = 0 })
	})
}

// TestEveryStateMeetsEveryUnsend: only the owner of an open claim may take it back.
func TestEveryStateMeetsEveryUnsend(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		for _, state := range []worker.ClaimState{drawn, sent, placed, partial, refused, cancelled, unknownOne} {
			for _, why := range []worker.Code{worker.CodeThrottled, worker.CodeUnauthorized} {
				pool := fmt.Sprintf("%s-%s", state, why)
				claim := reach(t, p, pool, state)
				stale := claim
				stale.Owner = "owner-0"
				wantCode(t, p.Unsend(t.Context(), &stale, why), worker.CodeFenced)
				for range 2 {
					if err := p.Unsend(t.Context(), &claim, why); state.Settled() {
						wantCode(t, err, worker.CodeFenced)
					} else if err != nil {
						t.Errorf("%s: %v", pool, err)
					}
				}
				if !state.Settled() && why == worker.CodeThrottled {
					wantKey(t, p, pool, "k1", StateActive, 0, 3)
				} else if !state.Settled() {
					wantKey(t, p, pool, "k1", StateBenched, 0, 0)
				}
				wantBooks(t, p, pool)
			}
		}
	})
}

func TestStepsOfAClaimThatIsNotThere(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		claim := worker.Claim{Pool: "default", Reference: "none", Owner: "owner-1", Attempt: 1}
		err := p.Settle(t.Context(), &claim, new(worker.Part{State: placed}), worker.Size{Lines: 1})
		wantCode(t, err, worker.CodeLost)
		wantCode(t, p.Unsend(t.Context(), &claim, worker.CodeThrottled), worker.CodeLost)
		err = p.Settle(t.Context(), &claim, new(worker.Part{State: sent}), worker.Size{Lines: 1})
		wantCode(t, err, worker.CodeInternal)
	})
}

// TestOneReservationAfterAHundredCrashes: a hundred deliveries of one request draw, and each dies before it has an answer.
func TestOneReservationAfterAHundredCrashes(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 100)
		for attempt := 1; attempt <= 100; attempt++ {
			claim := draw(t, p, by(order1("default", "r", 5), fmt.Sprintf("owner-%d", attempt), attempt))
			if attempt%3 == 0 {
				unsend(t, p, claim, worker.CodeThrottled)
			}
		}
		wantKey(t, p, "default", "k1", StateActive, 0, 5)
	})
}

func TestWhatIsCountedIsNeverMoreThanWasHeld(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 10)
		claim := draw(t, p, order1("default", "r", 4))
		if settled := settle(t, p, claim, placed, 400); settled.Products != 4 {
			t.Fatalf("%d counted, want 4", settled.Products)
		}
		claim = draw(t, p, order1("default", "s", 4))
		if settled := settle(t, p, claim, placed, -7); settled.Products != 0 {
			t.Fatalf("%d counted, want 0", settled.Products)
		}
		wantKey(t, p, "default", "k1", StateActive, 4, 0)
	})
}

// TestOutcomesComeBackWhole also holds the claim to Redis's compact form, whatever is said about it.
func TestOutcomesComeBackWhole(t *testing.T) {
	part := worker.Part{
		State: partial, Code: worker.CodePartial, Reason: strings.Repeat("库存不足 <&>\"", 40),
		Orders: []worker.PlacedOrder{{ID: "2257000000000000973", Total: 123456, Postage: 800, Discount: 7, Lines: []int{0, 49}}, {ID: "2257000000000000941"}},
	}
	for i := range worker.MaxSKUs {
		part.Failed = append(part.Failed, worker.FailedOffer{
			OfferID: fmt.Sprintf("6400000000%02d", i), SpecID: strings.Repeat("a", 32), Code: worker.CodeOutOfStock, Reason: strings.Repeat("缺", 60),
		})
	}
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 100)
		d := by(meaning(order1("default", "acme.PR=2E1-1", 50), strings.Repeat("f", 32)), strings.Repeat("owner", 20), 1)
		claim := draw(t, p, d)
		settled := claim
		err := p.Settle(t.Context(), &settled, new(worker.Part{State: unknownOne, Code: worker.CodeAbsent, Reason: strings.Repeat("x", 5000)}), worker.Size{})
		if err != nil || len(settled.Part.Reason) != reasonLimit {
			t.Fatalf("%v, reason of %d bytes", err, len(settled.Part.Reason))
		}
		settled = claim
		err = p.Settle(t.Context(), &settled, &part, worker.Size{Lines: 30})
		if err != nil {
			t.Fatal(err)
		}
		again := draw(t, p, d)
		if diff := cmp.Diff(settled.Part, again.Part); diff != "" {
			t.Fatalf("the stored part differs: %s", diff)
		}
		want := part
		want.At, want.Reason = settled.Part.At, shorten(part.Reason, reasonLimit)
		want.Failed = slices.Clone(part.Failed)
		for i := range want.Failed {
			want.Failed[i].Reason = shorten(want.Failed[i].Reason, failedReasonLimit)
		}
		if diff := cmp.Diff(want, settled.Part); diff != "" {
			t.Fatalf("the part differs: %s", diff)
		}
		client, name := raw(t, p), namesOf("default").claim+d.Reference
		for field, value := range client.HGetAll(t.Context(), name).Val() {
			if len(value) > fieldLimit || len(field) > fieldLimit {
				t.Errorf("field %s has %d bytes", field, len(value))
			}
		}
		if encoding, err := client.ObjectEncoding(t.Context(), name).Result(); err == nil && encoding != "listpack" {
			t.Errorf("redis keeps the claim as %s", encoding)
		}
	})
}

func TestShortenKeepsCharactersWhole(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"short", "short"}, {"0123456789", "0123456789"}, {"0123456789a", "0123456…"}, {"库存不足", "库存…"}, {"a\xffb", "a\uFFFDb"},
	} {
		if got := shorten(c.in, 10); got != c.out {
			t.Errorf("%q: got %q, want %q", c.in, got, c.out)
		}
	}
}
