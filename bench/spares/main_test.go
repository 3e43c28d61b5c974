package main

import (
	"math"
	"testing"
	"time"
)

var calm = world{perDay: 1_000_000, limit: 1000, lead: 48 * time.Hour, look: 24 * time.Hour, peak: 1, days: 20, plays: 3}

// TestWithoutSurprisesTheRuleIsRight checks the play against the arithmetic where nothing moves.
func TestWithoutSurprisesTheRuleIsRight(t *testing.T) {
	p := calm.plan()
	if p.ByRule != 3000 || math.Abs(float64(p.Spares-p.ByRule)) > 3 || p.LeastReady < 0 {
		t.Errorf("%+v", p)
	}
}

// TestWhatMovesWantsMore checks that each surprise takes more spares, and that one less than the plan runs dry.
func TestWhatMovesWantsMore(t *testing.T) {
	before := calm.plan().Spares
	for name, change := range map[string]func(*world){
		"a longer lead":   func(w *world) { w.lead *= 2 },
		"rarer looks":     func(w *world) { w.look *= 2 },
		"uneven days":     func(w *world) { w.swing = 0.2 },
		"smaller keys":    func(w *world) { w.limit /= 2 },
		"more is ordered": func(w *world) { w.perDay *= 2 },
	} {
		w := calm
		change(&w)
		p := w.plan()
		if p.Spares <= before {
			t.Errorf("%s: %d spares, %d before", name, p.Spares, before)
		}
		if w.worst(p.Spares).dry || !w.worst(p.Spares-1).dry {
			t.Errorf("%s: %d is not the least number", name, p.Spares)
		}
	}
}

// TestADayIsWhole checks that the wave does not change how much is ordered on a day.
func TestADayIsWhole(t *testing.T) {
	w := calm
	w.peak = 2
	sum, most := 0.0, 0.0
	for minute := range 24 * 60 {
		sum, most = sum+w.share(minute), max(most, w.share(minute))
	}
	if math.Abs(sum-1) > 1e-9 || math.Abs(most*24*60-2) > 1e-3 {
		t.Errorf("a day has %v of its products, and %v times as many at its crest", sum, most*24*60)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	if err := calm.check(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*world){
		func(w *world) { w.limit = 0 }, func(w *world) { w.lead = -1 }, func(w *world) { w.look = 0 }, func(w *world) { w.peak = 3 }, func(w *world) { w.swing = 2 },
	} {
		w := calm
		change(&w)
		if w.check() == nil {
			t.Errorf("%+v is taken", w)
		}
	}
}
