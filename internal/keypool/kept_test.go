package keypool

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

// TestOnlyWhatHasEndedIsForgottenInTheEnd: a settled claim has an end; one that is open, or open again, is kept.
func TestOnlyWhatHasEndedIsForgottenInTheEnd(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		kept := func(pool string) time.Duration {
			left, err := raw(t, p).TTL(t.Context(), namesOf(pool).claim+"r").Result()
			if err != nil {
				t.Fatal(err)
			}
			return left
		}
		for _, state := range []worker.ClaimState{drawn, sent, unknownOne, placed, partial, refused, cancelled} {
			pool := "kept-" + string(state)
			claim := reach(t, p, pool, state)
			ends := state.Settled() && state != unknownOne
			if left := kept(pool); ends != (left > ClaimsKept-time.Hour && left <= ClaimsKept) || !ends && left >= 0 {
				t.Errorf("%s is kept for %v", state, left)
			}
			if state == unknownOne {
				settle(t, p, claim, placed, 2)
				if kept(pool) < 0 {
					t.Error("one that was resolved is kept for good")
				}
			}
			if state != placed {
				continue
			}
			seen, _, err := p.Claim(t.Context(), pool, "r")
			if err == nil {
				_, err = p.Unbind(t.Context(), seen, worker.Part{State: unknownOne})
			}
			if left := kept(pool); err != nil || left >= 0 {
				t.Errorf("one that is open again is kept for %v: %v", left, err)
			}
		}
	})
}

// TestWithdrawnAndRefusedAreForgottenInTheEnd: as are those that nothing was ever drawn for.
func TestWithdrawnAndRefusedAreForgottenInTheEnd(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		quiet(t, p, "default", 100)
		_, err := p.Withdraw(t.Context(), worker.Withdrawal{Pool: "default", Reference: "w", Fingerprint: "print", Published: time.Now().Add(time.Hour)})
		if err == nil {
			_, err = p.Refuse(t.Context(), order1("default", "u", 1), worker.Part{State: refused, Code: worker.CodeRefused})
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, reference := range []string{"w", "u"} {
			if left := raw(t, p).TTL(t.Context(), namesOf("default").claim+reference).Val(); left <= 0 {
				t.Errorf("%s is kept for %v", reference, left)
			}
		}
	})
}

// TestAnOrdinaryClaimIsSmall: its hash stays within the 128 bytes of the allocator's class, so that it takes 300 in all.
func TestAnOrdinaryClaimIsSmall(t *testing.T) {
	singles(t, func(t *testing.T, p *Pool) {
		settings(t, p, "default", Settings{Count: CountLines, Width: 1})
		add(t, p, Key{Pool: "default", AppKey: "3852270", Limit: 1000})
		d := order1("default", "acme.PR-1000001-1", 3)
		d.Fingerprint, d.Owner = strings.Repeat("f", 22), "worker-1-abcdef:7k"
		claim := draw(t, p, d)
		part := worker.Part{State: placed, Code: worker.CodePlaced, Orders: []worker.PlacedOrder{{ID: "2257000000000000632", Total: 2619200, Postage: 4000}}}
		settled := claim
		err := p.Settle(t.Context(), &settled, &part, worker.Size{Lines: 3, Units: 30})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(settled.Part, draw(t, p, by(d, "another", 2)).Part); diff != "" {
			t.Errorf("it is read back as another: %s", diff)
		}
		if bytes := listpack(raw(t, p).HGetAll(t.Context(), namesOf("default").claim+d.Reference).Val()); bytes > 128 {
			t.Errorf("its hash takes %d bytes", bytes)
		}
	})
}

// listpack is how many bytes Redis's compact form takes: of each entry its kind, itself and its length, of the whole a head and an end.
func listpack(fields map[string]string) int {
	bytes := 7
	for name, value := range fields {
		bytes += 2 + len(name) + 2 + min(len(value), integer(value))
	}
	return bytes
}

// integer is how many bytes an integer takes besides, 64 for what is none.
func integer(value string) int {
	var n int64
	if _, err := fmt.Sscan(value, &n); err != nil || fmt.Sprint(n) != value {
		return fieldLimit
	}
	for i, most := range []int64{1<<7 - 1, 1<<12 - 1, 1<<15 - 1, 1<<23 - 1, 1<<31 - 1} {
		if n >= 0 && n <= most {
			return []int{0, 1, 2, 3, 4}[i]
		}
	}
	return 8
}
