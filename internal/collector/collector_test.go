package collector

import (
	"runtime/debug"
	"testing"
)

// TestGarbageMayLieWhereLittleLives, unless an operator said how long.
func TestGarbageMayLieWhereLittleLives(t *testing.T) {
	for _, c := range []struct {
		orders           int
		variable, value  string
		from, percentage int
	}{
		{orders: 64, from: 100, percentage: rare},
		{orders: few, from: 100, percentage: rare},
		{orders: few + 1, from: 100, percentage: often},
		{orders: few + 1, from: rare, percentage: often},
		{orders: 64, variable: "GOGC", value: "50", from: 50, percentage: 50},
		{orders: 64, variable: "GOMEMLIMIT", value: "1GiB", from: 100, percentage: 100},
	} {
		t.Setenv("GOGC", "")
		t.Setenv("GOMEMLIMIT", "")
		if c.variable != "" {
			t.Setenv(c.variable, c.value)
		}
		before := debug.SetGCPercent(c.from)
		Ease(c.orders)
		if got := debug.SetGCPercent(before); got != c.percentage {
			t.Errorf("%+v: %d percent", c, got)
		}
	}
}
