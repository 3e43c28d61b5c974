package worker

import (
	"context"
	"slices"
	"sync"
	"time"
)

// party are those who wait for the same: room on one of these keys of a pool.
type party struct {
	pool  string
	payer Payer
}

// guest is an order that waits.
type guest struct {
	party
	tenant string
	size   Size
	since  time.Time
	called chan struct{} // closed when there may be room
}

func newGuest(of party, tenant string, size Size) *guest {
	return &guest{party: of, tenant: tenant, size: size, since: time.Now(), called: make(chan struct{})}
}

// lobby is where orders wait for which no key has room now, so that smaller ones can pass them. Their deliveries stay open:
// nothing is handed back only to be delivered again and again in vain, and who waits goes on as soon as there is room.
type lobby struct {
	places int
	over   chan struct{} // closed when nobody may wait any longer

	mu     sync.Mutex
	guests []*guest      // the longest waiting first
	came   chan struct{} // closed and replaced when one comes
	served turns
}

func newLobby(places int) *lobby {
	return &lobby{places: places, over: make(chan struct{}), came: make(chan struct{}), served: turns{}}
}

// enter returns false if there is no place.
func (l *lobby) enter(g *guest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.guests) >= l.places {
		return false
	}
	l.guests = append(l.guests, g)
	close(l.came)
	l.came = make(chan struct{})
	return true
}

// leave takes a guest out; one that was called has left already.
func (l *lobby) leave(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.guests = slices.DeleteFunc(l.guests, func(other *guest) bool { return other == g })
}

// Crowd are the orders that wait in a worker's hands for room in a pool.
type Crowd struct {
	Pool   string    `json:"pool"`
	Orders int       `json:"orders"`
	Least  Size      `json:"least"` // of the smallest of them, in each measure
	Since  time.Time `json:"since"`
}

// crowds says who waits, by pool.
func (l *lobby) crowds() []Crowd {
	l.mu.Lock()
	defer l.mu.Unlock()
	var crowds []Crowd
	for _, g := range l.guests {
		at := slices.IndexFunc(crowds, func(c Crowd) bool { return c.Pool == g.pool })
		if at < 0 {
			at = len(crowds)
			crowds = append(crowds, Crowd{Pool: g.pool, Least: g.size, Since: g.since})
		}
		c := &crowds[at]
		c.Orders++
		c.Least = Size{min(c.Least.Lines, g.size.Lines), min(c.Least.Units, g.size.Units)}
	}
	return crowds
}

// parties says for what is waited, and gives a channel that closes when somebody comes.
func (l *lobby) parties() (map[party]struct{}, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	parties := map[party]struct{}{}
	for _, g := range l.guests {
		parties[g.party] = struct{}{}
	}
	return parties, l.came
}

// full says whether there is no place left.
func (l *lobby) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.guests) >= l.places
}

// usher asks again and again how much room there is, while anybody waits for some, until ctx ends and nobody may wait.
func (w *Worker) usher(ctx context.Context) {
	defer close(w.lobby.over)
	for {
		parties, came := w.lobby.parties()
		if len(parties) == 0 {
			select {
			case <-came:
				continue
			case <-ctx.Done():
				return
			}
		}
		for p := range parties {
			w.lead(ctx, p)
		}
		if !wait(ctx, w.config.ProbeEvery) {
			return
		}
	}
}

// lead calls those of a party for whom there is room.
func (w *Worker) lead(ctx context.Context, p party) {
	ctx, cancel := context.WithTimeout(ctx, w.config.ProbeTimeout)
	defer cancel()
	room, err := w.Stock.Room(ctx, p.pool, p.payer)
	if err != nil || room.Lines <= 0 || room.Units <= 0 {
		return
	}
	if shares, err := w.Stock.Shares(ctx, p.pool); err == nil {
		w.lobby.call(p, room, shares)
	}
}
