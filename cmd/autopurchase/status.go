package main

import (
	"context"
	"sync"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

const (
	// beatEvery is how often a worker says on purchase.queue.status.<instance> how it is.
	beatEvery = 5 * time.Second
	// askFor is how long the stores have to say how the queue is: an answer without what is down is better than none.
	askFor = 600 * time.Millisecond
)

// reporter tells how one worker is, and how the queue is.
type reporter struct {
	part    *workerPart
	name    string
	atOnce  int
	started time.Time
	outlook *outlook
}

// serve begins to tell.
func (r *reporter) serve(ctx context.Context) error {
	_, err := r.part.bus.ServeStatus(context.WithoutCancel(ctx), bus.Speaker{Instance: r.name, Every: beatEvery, Self: r.self, Whole: r.whole})
	return err
}

// self says how this worker is. It asks nobody.
func (r *reporter) self() worker.Instance {
	vitals := r.part.worker.Vitals()
	return worker.Instance{
		Instance: r.name, InFlight: vitals.InFlight, Finished: vitals.Finished, Concurrent: r.atOnce,
		Pauses: vitals.Pauses, Crowds: vitals.Waiting, Relay: r.part.channel.Relay(), Started: r.started, At: time.Now().UTC(),
	}
}

// whole says how the queue is. What cannot be asked now is left out and named: that there is an answer at all, and why it stands
// still, matters most when something is down.
func (r *reporter) whole(ctx context.Context, alive []worker.Instance) worker.QueueStatus {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	status := worker.QueueStatus{At: time.Now().UTC()}
	var pools []worker.PoolStatus
	var errNATS, errRedis error
	var asking sync.WaitGroup
	asking.Go(func() { errNATS = r.part.bus.Measure(ctx, &status) })
	asking.Go(func() { pools, errRedis = r.part.pool.Standing(ctx) })
	asking.Wait()
	for _, pool := range r.outlook.of(pools) {
		status.AddPool(pool)
	}
	if errNATS != nil {
		status.Unasked = append(status.Unasked, worker.UnaskedNATS)
	}
	if errRedis != nil {
		status.Unasked = append(status.Unasked, worker.UnaskedRedis)
	}
	status.Merge(alive)
	return status
}
