package chaos

import (
	"reflect"
	"slices"
	"testing"
)

func TestAPlanIsItsSeeds(t *testing.T) {
	config := Config{Orders: 1000, Faults: 300, Seed: 7}.withDefaults()
	faults := plan(config)
	if !reflect.DeepEqual(faults, plan(config)) {
		t.Error("the same seed gave two plans")
	}
	config.Seed++
	if reflect.DeepEqual(faults, plan(config)) {
		t.Error("two seeds gave the same plan")
	}
	if !slices.IsSortedFunc(faults, func(a, b fault) int { return a.Due - b.Due }) {
		t.Error("faults are not in the order in which they are due")
	}
	seen := map[Kind]int{}
	for _, f := range faults {
		seen[f.Kind]++
		if lasts := spans[f.Kind]; f.For < lasts.shortest || f.For > lasts.longest || f.Due < 0 || f.Due >= config.Orders {
			t.Errorf("%+v is out of bounds", f)
		}
	}
	for _, kind := range every() {
		if seen[kind] < 300/len(every()) {
			t.Errorf("%s comes %d times", kind, seen[kind])
		}
	}
}

// TestEveryKindHasAPart keeps a plan from naming what cannot be struck.
func TestEveryKindHasAPart(t *testing.T) {
	how := map[string][]string{
		"worker": {"kill", "term", "stop"}, "relay": {"kill", "term", "stop"},
		"redis": {"kill", "term", "cut", "freeze", "slow", "flush"}, "nats": {"kill", "term", "cut", "freeze", "slow"},
		"channel": {"cut", "freeze", "slow"}, "gateway": {"cut", "freeze", "slow"},
	}
	for kind := range spans {
		part, what := kind.part()
		if _, onSim := kind.onSim(); !onSim && !slices.Contains(how[part], what) {
			t.Errorf("%s: nothing does that", kind)
		}
	}
}
