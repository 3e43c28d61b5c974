package worker

import (
	"context"
	"time"
)

// pause keeps the worker from fetching until the trouble's cause is gone, and says so once.
func (w *Worker) pause(t *Trouble, pool string) {
	if !t.Code.wantsRoom() {
		pool = "" // the cause is the same for every pool
	}
	p := Pause{Code: t.Code, Pool: pool, Reason: t.Reason, Since: time.Now()}
	if w.gate.shut(p) {
		w.observe(Event{Stage: StagePaused, Code: t.Code, Pool: pool, Reason: t.Reason})
	}
}

// probe asks again and again whether the causes of the pauses are gone, while there are any, and lets work go on.
func (w *Worker) probe(ctx context.Context) {
	for {
		pauses, moved := w.gate.state()
		if len(pauses) == 0 {
			select {
			case <-moved:
				continue
			case <-ctx.Done():
				return
			}
		}
		for _, p := range pauses {
			w.resume(ctx, p)
		}
		w.gate.send()
		if !wait(ctx, w.config.ProbeEvery) {
			return
		}
	}
}

// resume takes a pause away if its cause is gone.
func (w *Worker) resume(ctx context.Context, p Pause) {
	ctx, cancel := context.WithTimeout(ctx, w.config.ProbeTimeout)
	defer cancel()
	if w.cleared(ctx, p) {
		w.gate.open(p)
		w.observe(Event{Stage: StageResumed, Code: p.Code, Pool: p.Pool, Took: time.Since(p.Since)})
	}
}

func (w *Worker) cleared(ctx context.Context, p Pause) bool {
	switch p.Code {
	case CodeChannelDown:
		return w.Market.Ready(ctx) == nil
	case CodeNoKey, CodeNoPool:
		return w.roomSomewhere(ctx, p.Pool) && !w.crowded(p)
	case CodeRedisDown:
		_, err := w.Stock.Left(ctx, p.Pool)
		return err == nil || AsTrouble(err).Code != CodeRedisDown // it answers, whatever it says
	case CodeNATSDown:
		return w.Inbox.Ready(ctx) == nil
	default:
		return true
	}
}

// crowded says whether a pause must last since there is no place for who would have to wait for room. Once in a while it may end
// all the same: behind those who wait there may be some that need none.
func (w *Worker) crowded(p Pause) bool {
	return p.Code.wantsRoom() && w.lobby.full() && time.Since(p.Since) < maxDelay
}

// wait returns after d, or false as soon as ctx ends.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
