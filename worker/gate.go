package worker

import (
	"context"
	"sync"
	"time"
)

// Pause is one reason why a worker does not fetch.
type Pause struct {
	Code    Code      `json:"code"`
	Pool    string    `json:"pool,omitempty"` // of CodeNoKey and CodeNoPool
	Reason  string    `json:"reason"`         // one sentence for people
	Since   time.Time `json:"since"`
	Workers int       `json:"workers,omitempty"` // in a QueueStatus: how many have it
}

// cause tells pauses apart: two pools can be out of keys at the same time.
type cause struct {
	code Code
	pool string
}

// gate keeps workers from fetching while there is a reason not to: no parked messages and no retry storm. Once the last reason
// is gone one goes ahead, and the others follow when it has come through: not every cause can be asked whether it is gone, such
// as a relay that is there and cannot reach 1688.
type gate struct {
	mu     sync.Mutex
	pauses map[cause]Pause
	moved  chan struct{}      // closed and replaced at every change
	fetch  context.Context    // what is fetched is fetched under it; nil while the gate is shut
	stop   context.CancelFunc // ends fetch
	ajar   bool               // one goes ahead
	scout  context.Context    // what that one fetches under; nil before and after

	errand   bool          // one goes ahead although there is a pause, see send
	next     time.Time     // when the next one does
	patience time.Duration // between two in vain
}

func newGate() *gate { return &gate{pauses: map[cause]Pause{}, moved: make(chan struct{})} }

// shut adds a pause; a second one for the same cause changes nothing.
func (g *gate) shut(p Pause) (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := cause{p.Code, p.Pool}
	if _, known := g.pauses[key]; known {
		return false
	}
	if len(g.pauses) == 0 {
		g.patience, g.next = aSecond, time.Now().Add(aSecond)
	}
	g.pauses[key] = p
	g.ajar = true
	if g.fetch != nil {
		g.stop()
		g.fetch = nil
	}
	g.signal()
	return true
}

// open takes a pause away.
func (g *gate) open(p Pause) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.pauses, cause{p.Code, p.Pool})
	g.signal()
}

// back says that whoever fetched under the context has come through, or cannot tell soon. If that one went ahead, the others
// follow it now; if it ran into a reason to stop, even one that is gone by now, the next one goes ahead.
func (g *gate) back(fetch context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.leads(fetch) {
		return
	}
	g.ajar = fetch.Err() != nil || len(g.pauses) > 0
	g.scout = nil
	if g.forRoom() && !time.Now().Before(g.next) { // it was not in vain, and there may be more of its kind
		g.patience, g.errand = aSecond, true
	}
	g.signal()
}

// ahead says whether whoever fetched under the context went ahead. It did not later if it did not now.
func (g *gate) ahead(fetch context.Context) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.leads(fetch)
}

func (g *gate) leads(fetch context.Context) bool { return g.scout != nil && g.scout == fetch }

// relieve lets the others follow who went ahead: it waits for room in a key, and the next one may need less.
func (g *gate) relieve() {
	g.mu.Lock()
	scout := g.scout
	g.mu.Unlock()
	g.back(scout)
}

func (g *gate) signal() {
	close(g.moved)
	g.moved = make(chan struct{})
}

// state gives the pauses and a channel that closes when they change.
func (g *gate) state() ([]Pause, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pauses := make([]Pause, 0, len(g.pauses))
	for _, p := range g.pauses {
		pauses = append(pauses, p)
	}
	return pauses, g.moved
}

// pass waits until nothing keeps the worker from fetching, and gives the context to fetch under. It ends when the gate is shut,
// so that nobody goes on asking for what could not be handled, or when ctx ends; false means that ctx ended first.
func (g *gate) pass(ctx context.Context) (context.Context, bool) {
	for {
		fetch, moved := g.fetching(ctx)
		if fetch != nil {
			return fetch, ctx.Err() == nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil, false
		}
	}
}

// fetching gives the context to fetch under, or nil and a channel that closes when that may have changed. All who pass share
// one context.
func (g *gate) fetching(ctx context.Context) (context.Context, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.scout != nil || len(g.pauses) > 0 && !(g.errand && g.forRoom()) {
		return nil, g.moved
	}
	if g.fetch == nil {
		g.fetch, g.stop = context.WithCancel(ctx)
	}
	if g.ajar {
		g.scout, g.errand = g.fetch, false
	}
	return g.fetch, g.moved
}
