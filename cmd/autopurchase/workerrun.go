package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// run works until ctx ends and everything that was running has finished.
func (p *workerPart) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { p.stopped.Store(true) })()
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { p.pool.RunFlusher(beside, p.journal()) })
	running.Go(func() { p.reviver.Run(beside) })
	running.Go(func() { p.guard.run(beside) })
	running.Go(func() { p.patrol.run(beside) })
	running.Go(func() { p.outlook.run(beside) })
	running.Go(func() { p.cashier.Run(ctx, p.bills) })
	p.worker.Run(ctx)
	stop()
	running.Wait()
	p.flush() // what the last requests did to the pool is journaled too
}

// flush journals what waits. What cannot be journaled now waits in Redis for the next worker.
func (p *workerPart) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.pool.Flush(ctx, p.journal()); err != nil {
		p.log.Warn().Err(err).Msg("events of the key pool wait in Redis")
	}
}

// readiness says what a worker needs in order to work now.
func (p *workerPart) readiness() readiness {
	return readiness{
		"nats":    func(ctx context.Context) error { return cmp.Or(p.bus.Ready(ctx), p.inbox.Ready(ctx)) },
		"redis":   p.pool.Ping,
		"channel": p.channel.Ready,
		"worker":  p.working,
	}
}

func (p *workerPart) working(context.Context) error {
	if p.stopped.Load() {
		return errors.New("it was told to stop: it takes no more requests")
	}
	return nil
}

// organs are what must live in the process of a worker. What they work on may be away: they go on once it is back.
func (p *workerPart) organs() readiness {
	return readiness{"nats": p.bus.Alive, "inbox": p.inbox.Alive}
}
