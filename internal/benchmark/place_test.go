package benchmark

import (
	"slices"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
)

// TestOnePlaceEach opens measurements on the same servers: one that is alive is left alone by the next, and one that is gone without
// a word is cleared away.
func TestOnePlaceEach(t *testing.T) {
	r := newRig(t)
	open := func() *Rig {
		t.Helper()
		other, err := Open(t.Context(), Config{Place: NewPlace(), NATS: bus.Config{URL: r.natsURL}, Redis: keypool.Config{URL: r.redisURL}})
		r.must(err)
		return other
	}
	places := func() []bus.Apart {
		t.Helper()
		all, err := r.Rig.bus.Aparts(t.Context())
		r.must(err)
		slices.Sort(all)
		return slices.Compact(all)
	}
	alive := open()
	w, err := alive.workers(t.Context(), 2, 0)
	r.must(err)
	dead := open()
	for _, step := range dead.undo[:3] { // its connections, and nothing else
		r.must(step(t.Context()))
	}
	next := open()
	if got, want := places(), []bus.Apart{alive.place, next.place}; len(got) != 2 || !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) {
		t.Errorf("there are %v, want %v", got, want)
	}
	if pools, err := next.keys.Pools(t.Context()); err != nil || slices.Contains(pools, dead.Pool) || len(pools) != 2 {
		t.Errorf("pools %v: %v", pools, err)
	}
	r.must(next.Close(t.Context()))
	r.do(w.run, 50)
	if left, err := r.Rig.bus.Depth(t.Context()); err != nil || left.Waiting != 0 {
		t.Errorf("the queue has %+v: %v", left, err)
	}
	r.must(alive.Close(t.Context()))
	if got := places(); len(got) != 0 {
		t.Errorf("left over: %v", got)
	}
}

// TestOnlyWhatIsApartIsRemoved asks for the removal of what others use.
func TestOnlyWhatIsApartIsRemoved(t *testing.T) {
	r := newRig(t)
	apart, err := keypool.Open(t.Context(), keypool.Config{URL: r.redisURL, Apart: true})
	r.must(err)
	t.Cleanup(func() { r.must(apart.Close()) })
	for name, pool := range map[string]*keypool.Pool{"a measurement": apart, "the queue": r.keys} {
		if pool.RemovePool(t.Context(), r.Pool) == nil {
			t.Errorf("%s removes the queue's pool", name)
		}
	}
	if keys, err := r.keys.Keys(t.Context(), r.Pool); err != nil || len(keys) != 4 {
		t.Errorf("%d keys are left: %v", len(keys), err)
	}
	if r.Rig.bus.Remove(t.Context(), "") == nil {
		t.Error("the queue's streams are removed")
	}
}
