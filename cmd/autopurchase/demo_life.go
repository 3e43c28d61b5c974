package main

import (
	"context"
	"fmt"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

const (
	// demoLives is how many orders of a demo are paid for, sent and received: enough to see it.
	demoLives = 2000
	// demoLivesAtOnce is how many of them are on their way at the same time.
	demoLivesAtOnce = 64
	// demoLifeTimeout bounds it.
	demoLifeTimeout = time.Minute
)

// lives play the later life of a demo's orders: buyer and seller take the next step on the website as soon as the step before is on
// record here. What is counted are statuses that are stored, and what was paid is the simulator's own word.
type lives struct {
	stage   *stage
	waiting []sim1688.Order // not begun
	open    map[string]bool // order ids on their way
	seen    map[string]map[worker.OrderEvent]bool
	done    int
}

// live plays the later life of the orders until all are received, or the time is up.
func (s *stage) live(ctx context.Context, sum *summary) error {
	ctx, cancel := context.WithTimeout(ctx, demoLifeTimeout)
	defer cancel()
	l := &lives{stage: s, open: map[string]bool{}, seen: map[string]map[worker.OrderEvent]bool{}}
	for _, orders := range s.ordered() {
		l.waiting = append(l.waiting, orders...)
	}
	l.waiting = l.waiting[:min(len(l.waiting), demoLives)]
	sum.lives = len(l.waiting)
	if err := l.play(ctx); err != nil {
		return err
	}
	sum.Paid, sum.Shipped, sum.Received = l.count(worker.StatePaid), l.count(worker.StateShipped), l.count(worker.StateReceived)
	for _, orders := range s.ordered() {
		for _, order := range orders {
			sum.PaidTwice += max(len(order.Payments)-1, 0)
		}
	}
	return nil
}

// play begins orders, and takes each a step further when a status of it is stored.
func (l *lives) play(ctx context.Context) error {
	total := len(l.waiting)
	bar := newProgress(l.stage.term.err, "received", total)
	if err := l.begin(); err != nil || total == 0 {
		return err
	}
	wanted := bus.WatchOptions{Subjects: []string{"purchase.status." + demoTenant + ".*"}, Since: l.stage.began}
	for message, err := range l.stage.system.work.bus.Watch(ctx, wanted) {
		if err != nil {
			return err
		}
		status, err := schemas.DecodeStatus(message.Data)
		if err != nil {
			return fmt.Errorf("status on %s: %w", message.Subject, err)
		}
		if err := l.take(status); err != nil {
			return err
		}
		if bar.reach(l.done); l.done == total {
			break
		}
	}
	return nil
}

// begin has as many orders paid for as may be on their way.
func (l *lives) begin() error {
	for len(l.open) < demoLivesAtOnce && len(l.waiting) > 0 {
		next := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.open[next.OrderID], l.seen[next.OrderID] = true, map[worker.OrderEvent]bool{}
		if next.Status != "waitbuyerpay" { // it is paid for already
			continue
		}
		if err := l.stage.sim.Progress(sim1688.Progress{OrderID: next.OrderID, Step: "pay"}); err != nil {
			return err
		}
	}
	return nil
}

// take takes the next step after a status that is stored. The goods are received once it is known here which parcel they are in.
func (l *lives) take(status worker.Status) error {
	id := status.OrderID
	if !l.open[id] || l.seen[id][status.Event] {
		return nil
	}
	l.seen[id][status.Event] = true
	step := sim1688.Progress{OrderID: id}
	switch status.Event {
	case worker.OrderEvent(worker.StatePaid):
		step.Step, step.Parcels = "ship", []sim1688.Parcel{{Number: "SF" + id[len(id)-12:], Carrier: "顺丰速运"}}
	case worker.EventTracking:
		step.Step = "receive"
	case worker.OrderEvent(worker.StateReceived):
		delete(l.open, id)
		l.done++
		return l.begin()
	default:
		return nil
	}
	return l.stage.sim.Progress(step)
}

func (l *lives) count(state worker.OrderState) (n int) {
	for _, seen := range l.seen {
		if seen[worker.OrderEvent(state)] {
			n++
		}
	}
	return n
}
