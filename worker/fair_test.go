package worker

import "testing"

// called counts whom a call reached, by tenant.
func called(guests []*guest) map[string]int {
	reached := map[string]int{}
	for _, g := range guests {
		select {
		case <-g.called:
			reached[g.tenant]++
		default:
		}
	}
	return reached
}

func crowd(l *lobby, tenant string, orders int) (guests []*guest) {
	for range orders {
		g := newGuest(party{pool: "default"}, tenant, Size{Lines: 1, Units: 1})
		l.enter(g)
		guests = append(guests, g)
	}
	return guests
}

// TestRoomIsSharedByWeight: a tenant with a thousand orders before the others does not take all the room there is.
func TestRoomIsSharedByWeight(t *testing.T) {
	for name, c := range map[string]struct {
		shares map[string]int
		rooms  []int64
		want   map[string]int
	}{
		"alike":            {nil, []int64{30}, map[string]int{"many": 10, "some": 10, "few": 10}},
		"by weight":        {map[string]int{"many": 1, "some": 3, "few": 1}, []int64{50}, map[string]int{"many": 10, "some": 30, "few": 10}},
		"in small pieces":  {map[string]int{"some": 3}, []int64{1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5}, map[string]int{"many": 10, "some": 30, "few": 10}},
		"what others left": {nil, []int64{300}, map[string]int{"many": 200, "some": 60, "few": 40}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLobby(10_000)
			guests := append(append(crowd(l, "many", 1000), crowd(l, "some", 60)...), crowd(l, "few", 40)...)
			for _, room := range c.rooms {
				l.call(party{pool: "default"}, Size{Lines: room, Units: room}, c.shares)
			}
			got := called(guests)
			for tenant, want := range c.want {
				if got[tenant] != want {
					t.Errorf("%s: %d called, want %d of %v", tenant, got[tenant], want, got)
				}
			}
		})
	}
}

// TestWhoComesLaterHasNothingToCatchUpOn, and a small order passes a large one of its own tenant.
func TestWhoComesLaterHasNothingToCatchUpOn(t *testing.T) {
	l := newLobby(1000)
	first := crowd(l, "first", 200)
	l.call(party{pool: "default"}, Size{Lines: 100, Units: 100}, nil)
	large := newGuest(party{pool: "default"}, "second", Size{Lines: 50, Units: 50})
	l.enter(large)
	second := crowd(l, "second", 50)
	l.call(party{pool: "default"}, Size{Lines: 20, Units: 20}, nil)
	if got := called(append(first, second...)); got["first"] != 110 || got["second"] != 10 {
		t.Errorf("called %v, want 110 and 10", got)
	}
}
