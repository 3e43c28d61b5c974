package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A purchase whose outcome is on record in the ledger needs nothing of its place at work any more: whoever bought it goes on to the
// next, and somebody else tells what it ended in and acknowledges it meanwhile. There are as many who tell as there are places at
// work, up to maxTellers: it takes them a moment each, and where there are thousands of places those wait for 1688. While all of them are
// busy, such as with a broker that is slow, those at work wait, so that no more than twice as many are in hand.
const maxTellers = 256

// telling is what is left to do about one delivery.
type telling func()

// tellers starts those who tell, and gives what ends them once nobody is at work any more.
func (w *Worker) tellers() (end func()) {
	var all sync.WaitGroup
	for range min(w.config.Concurrent, maxTellers) {
		all.Go(func() {
			for tell := range w.tellings {
				tell()
			}
		})
	}
	return func() {
		close(w.tellings)
		all.Wait()
	}
}

// attend sees one delivery to where its outcome is on record, or hands it back, and gives what is left to do then; nil for nothing.
func (w *Worker) attend(ctx context.Context, d *Delivery) (tell telling) {
	ctx = d.carry(ctx)
	w.inFlight.Add(1)
	w.shielded(ctx, d, func() { tell = w.handle(ctx, d) })
	if tell == nil {
		w.inFlight.Add(-1)
		return nil
	}
	left := tell
	return func() {
		defer w.inFlight.Add(-1)
		w.shielded(ctx, d, left)
	}
}

// shielded keeps a panic in one request from ending the process.
func (w *Worker) shielded(ctx context.Context, d *Delivery, step func()) {
	defer func() {
		if cause := recover(); cause != nil {
			w.postpone(ctx, d, &Trouble{Code: CodeInternal, Reason: "panic", Err: fmt.Errorf("%v", cause)})
		}
	}()
	step()
}

// tell publishes what a purchase ended in, and acknowledges the request; or hands it back if it has not ended.
func (b *buyer) tell(ctx context.Context, result *Result, err error, started time.Time) {
	if err == nil {
		result, err = b.publish(ctx, result)
	}
	if errors.Is(err, errMerged) {
		b.joined(ctx, b.delivery)
		return
	}
	if errors.Is(err, errDecided) {
		err = b.delivery.Receipt.Ack(ctx)
	}
	if err != nil {
		b.postpone(ctx, b.delivery, AsTrouble(err))
		return
	}
	b.failures.forget(b.delivery.Subject)
	b.finish(b.delivery, *result, time.Since(started))
}
