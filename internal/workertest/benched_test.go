package workertest_test

import (
	"testing"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
)

// TestOnlyAWordOnTheKeyBenchesIt: a time-out, a broken gateway and throttling say nothing about a key. It stays in use, and the
// next one untouched.
func TestOnlyAWordOnTheKeyBenchesIt(t *testing.T) {
	t.Parallel()
	for kind, state := range map[string]keypool.State{
		"cut_before": keypool.StateActive, "cut_after": keypool.StateActive, "http_500": keypool.StateActive,
		"http_502_html": keypool.StateActive, "throttled": keypool.StateActive, "auth_401": keypool.StateBenched,
	} {
		times := int64(1)
		if state == keypool.StateBenched {
			times = 0 // always: a token that is turned down once is replaced by a new one
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, processes(t))
			r.addKey("1000001", 1000)
			r.addKey("1000002", 1000)
			r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: kind, AppKey: "1000001", Count: times}))
			r.work()
			r.ask(r.request("one", 0))
			r.result("one")
			if key := r.key("1000001"); key.State != state {
				t.Errorf("the key is %s, want %s", key.State, state)
			}
			if next := r.key("1000002"); state == keypool.StateActive && next.Used+next.Held != 0 {
				t.Errorf("the next key was used: %+v", next)
			}
		})
	}
}
