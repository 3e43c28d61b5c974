package worker

import "time"

// errandMost is how long after an errand in vain the next one is sent at the latest.
const errandMost = 5 * time.Second

// send lets one go ahead although no key has room, when it is time for that. The room may be held for an order that waits to be
// delivered again, to be looked up or to be sent at last, and it never would be while everybody waits for room. The broker
// delivers again before it delivers anew, so that such an order is found first.
func (g *gate) send() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.scout == nil && !g.errand && g.forRoom() && !time.Now().Before(g.next) {
		g.errand = true
		g.signal()
	}
}

// vain says that an order found no room. If it is the one that went ahead, the next one follows after twice the time, but not
// later than most.
func (g *gate) vain(most time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.scout != nil && g.forRoom() {
		g.patience = min(2*g.patience, most)
		g.next = time.Now().Add(g.patience)
	}
}

// forRoom says whether want of room is the only reason not to fetch. The mutex must be held.
func (g *gate) forRoom() bool {
	for cause := range g.pauses {
		if !cause.code.wantsRoom() {
			return false
		}
	}
	return len(g.pauses) > 0
}

// wantsRoom says whether more keys, or a pool's first one, are what is missing.
func (c Code) wantsRoom() bool { return Dispose(c).Next == RouteAnyKey }
