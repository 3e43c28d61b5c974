package worker

import (
	"context"
	"slices"
	"sync"
	"time"
)

// basket is where requests wait in a worker's hands for others that they may be bought together with. Their deliveries stay open:
// whatever becomes of the worker, the broker delivers them again.
type basket struct {
	window time.Duration // 0: nothing waits
	places int

	mu      sync.Mutex
	waiting int
	open    map[string]*batch // by what its requests have in common
}

// batch are requests that are to be bought together.
type batch struct {
	common  string
	members []Request     // in the order in which they came
	closed  chan struct{} // when nobody joins any more
	timer   *time.Timer
	settled chan struct{} // closed once the first of them is through with it, or has failed
	into    string        // set before settled is closed, if it was asked for: the merged request,
	asked   []string      // and who is in it
}

func newBasket(window time.Duration, places int) *basket {
	return &basket{window: window, places: places, open: map[string]*batch{}}
}

// enter puts a request with others of its kind, and says whether it is the first of them; nil if it does not wait.
func (k *basket) enter(r Request) (b *batch, first bool) {
	if k.window == 0 || !r.mergeable(k.window, time.Now()) {
		return nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.waiting >= k.places {
		return nil, false
	}
	k.waiting++
	common := r.company()
	b = k.open[common]
	if b != nil && !b.takes(r) {
		k.shut(b)
		b = nil
	}
	if first = b == nil; first {
		b = &batch{common: common, closed: make(chan struct{}), settled: make(chan struct{})}
		b.timer = time.AfterFunc(k.window, func() { k.close(b) })
		k.open[common] = b
	}
	if !b.has(r.ID) {
		b.members = append(b.members, r)
	}
	if b.lines() == MaxSKUs {
		k.shut(b)
	}
	return b, first
}

// leave makes room for another one.
func (k *basket) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting--
}

// close lets nobody join any more.
func (k *basket) close(b *batch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shut(b)
}

func (k *basket) shut(b *batch) {
	if k.open[b.common] != b {
		return
	}
	delete(k.open, b.common)
	b.timer.Stop()
	close(b.closed)
}

// takes says whether a request fits in.
func (b *batch) takes(r Request) bool {
	return b.has(r.ID) || b.lines()+len(r.Lines) <= MaxSKUs && !slices.ContainsFunc(b.members, func(m Request) bool { return !m.agrees(r) })
}

func (b *batch) has(id string) bool {
	return slices.ContainsFunc(b.members, func(m Request) bool { return m.ID == id })
}

func (b *batch) lines() (n int) {
	for _, m := range b.members {
		n += len(m.Lines)
	}
	return n
}

// gather waits until nobody joins the batch any more: the window is over, it is full, or the worker was told to stop. Those behind the
// first wait until that one is through with it, and take no place at work meanwhile: it needs one.
func (b *buyer) gather(ctx context.Context, batch *batch, first bool) error {
	defer b.basket.leave()
	b.stepAside()
	select {
	case <-batch.closed:
	case <-b.lobby.over:
		b.basket.close(batch)
	case <-ctx.Done():
		b.basket.close(batch)
	}
	if !first {
		select {
		case <-batch.settled:
		case <-ctx.Done():
		}
	}
	if b.comeBack(ctx) {
		return nil
	}
	if first {
		close(batch.settled) // each for itself
	}
	return &Trouble{Code: CodeFenced, Reason: "told to stop", Err: context.Cause(ctx)}
}
