package worker

import (
	"slices"
)

// turns is how much each tenant of a pool was given of its room, measured by its weight, while it has orders waiting.
type turns map[turn]float64

type turn struct{ pool, tenant string }

// call calls those of a party that fit into the room together. Room goes to the tenant that was given least for its weight, and of
// its orders to the one that waits longest; smaller ones pass one that does not fit.
func (l *lobby) call(p party, room Size, shares map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.welcome(p.pool)
	for {
		next := l.next(p, room)
		if next < 0 {
			return
		}
		g := l.guests[next]
		l.guests = slices.Delete(l.guests, next, next+1)
		room = Size{room.Lines - g.size.Lines, room.Units - g.size.Units}
		l.served[turn{g.pool, g.tenant}] += float64(g.size.Lines) / float64(max(1, shares[g.tenant]))
		close(g.called)
	}
}

// next is the place of who is called next; -1 if nobody fits.
func (l *lobby) next(p party, room Size) int {
	best := -1
	for i, g := range l.guests {
		if g.party != p || !g.size.Fits(room) {
			continue
		}
		if best < 0 || l.served[turn{g.pool, g.tenant}] < l.served[turn{g.pool, l.guests[best].tenant}] {
			best = i
		}
	}
	return best
}

// welcome forgets the tenants of a pool that no longer wait, and lets those that have just come begin where the one that was given
// least stands: who was away has nothing to catch up on.
func (l *lobby) welcome(pool string) {
	here, least := map[turn]bool{}, -1.0
	for _, g := range l.guests {
		here[turn{g.pool, g.tenant}] = true
	}
	for t, given := range l.served {
		switch {
		case t.pool != pool:
		case !here[t]:
			delete(l.served, t)
		case least < 0 || given < least:
			least = given
		}
	}
	for t := range here {
		if _, known := l.served[t]; !known && t.pool == pool {
			l.served[t] = max(0, least)
		}
	}
}
