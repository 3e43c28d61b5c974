package worker

import (
	"context"
	"slices"
	"time"
)

// drawRoom draws, and waits while no key has room. It says when the last draw began.
func (o *deal) drawRoom(ctx context.Context, preview Previewing) (drawing time.Time, err error) {
	draw := o.drawing(o.order())
	draw.Preview = preview
	for {
		drawing = time.Now()
		err = o.draw(ctx, &draw)
		if err == nil || !AsTrouble(err).Code.wantsRoom() || !o.awaitRoom(ctx, AsTrouble(err)) {
			return drawing, err
		}
	}
}

// awaitRoom keeps the order in hand until there may be room for it or its deadline has passed, and says whether to draw again:
// not if it need not or must not wait. If not even the smallest order of any pool would find room, nobody fetches meanwhile.
func (o *deal) awaitRoom(ctx context.Context, t *Trouble) bool {
	if o.expired(time.Now()) {
		return false
	}
	o.gate.vain(o.errandMost())
	if !o.roomSomewhere(ctx, o.request.Pool) {
		o.pause(t, o.request.Pool)
	}
	g := newGuest(party{o.request.Pool, t.Payer}, o.request.Tenant, SizeOf(o.order().Lines))
	if !o.lobby.enter(g) {
		return false
	}
	defer o.lobby.leave(g)
	o.observe(Event{Stage: StageWaiting, Tenant: o.request.Tenant, RequestID: o.request.ID, Reference: o.order().Reference,
		Pool: o.request.Pool, Attempt: o.delivery.Attempt, Code: t.Code, Reason: t.Reason,
		Context: o.delivery.Context})
	o.stepAside()
	late, cancel := o.untilDeadline(ctx)
	defer cancel()
	select {
	case <-g.called:
	case <-late.Done():
	case <-o.lobby.over:
		return false
	}
	return o.comeBack(ctx)
}

func (b *buyer) untilDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.request.Deadline.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, b.request.Deadline)
}

// roomSomewhere says whether a key of this pool or of any other has room: then something may be bought.
func (w *Worker) roomSomewhere(ctx context.Context, pool string) bool {
	some := func(pool string) bool {
		left, err := w.Stock.Left(ctx, pool)
		return err == nil && left > 0
	}
	if some(pool) {
		return true
	}
	pools, err := w.Stock.Pools(ctx)
	return err == nil && slices.ContainsFunc(pools, some)
}

// errandMost is how long after an errand in vain the next one is sent. Where nobody else may wait in hand, it handed an order back.
func (w *Worker) errandMost() time.Duration {
	if w.lobby.full() {
		return maxDelay
	}
	return errandMost
}

// place is from where a request is handled.
type place int

const (
	atWork   place = iota // one of Config.Concurrent
	outside               // waits for room; somebody else has its place at work
	returned              // has waited, and is handled beside those at work
)

// stepAside gives up the place while waiting. The first time somebody new takes it over.
func (b *buyer) stepAside() {
	if b.place == returned {
		<-b.returning
	} else {
		b.gate.relieve()
		b.deputize()
	}
	b.place = outside
}

// comeBack waits for a place among those that have waited; false if ctx ends first.
func (b *buyer) comeBack(ctx context.Context) bool {
	select {
	case b.returning <- struct{}{}:
		b.place = returned
		return true
	case <-ctx.Done():
		return false
	}
}

// depart makes up for the place that was taken over: one of those at work may go.
func (b *buyer) depart() {
	if b.place == returned {
		<-b.returning
	}
	if b.place != atWork {
		b.surplus.Add(1)
	}
}

// relieved says whether there is one too many at work.
func (w *Worker) relieved() bool {
	if w.surplus.Add(-1) >= 0 {
		return true
	}
	w.surplus.Add(1)
	return false
}
