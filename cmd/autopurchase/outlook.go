package main

import (
	"context"
	"sync"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// outlookLasts is how long it is said again when the pools will be used up.
const outlookLasts = time.Minute

// outlook knows when the pools will be used up, as it was reckoned within the last minute: reckoning reads what was ordered
// lately, which must hold nobody up who asks how the queue is. It is reckoned only if somebody asks.
type outlook struct {
	books *keyBooks
	asked chan struct{} // holds one: the answer is old

	mutex  sync.Mutex
	usedUp map[string]time.Time // by pool
	at     time.Time
}

func newOutlook(books *keyBooks) *outlook {
	return &outlook{books: books, asked: make(chan struct{}, 1), usedUp: map[string]time.Time{}}
}

// of fills in when the pools will be used up, as far as it is known.
func (o *outlook) of(pools []worker.PoolStatus) []worker.PoolStatus {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if time.Since(o.at) > outlookLasts {
		select {
		case o.asked <- struct{}{}:
		default: // it is being reckoned
		}
	}
	for i := range pools {
		pools[i].UsedUpAt = o.usedUp[pools[i].Pool]
	}
	return pools
}

// run reckons whenever somebody has asked and the answer was old, until ctx ends.
func (o *outlook) run(ctx context.Context) {
	for {
		select {
		case <-o.asked:
			o.reckon(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (o *outlook) reckon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, outlookLasts)
	defer cancel()
	usedUp := map[string]time.Time{}
	pools, err := o.books.pool.Pools(ctx)
	for _, pool := range pools {
		f, failed := o.books.forecast(ctx, bus.AskForecast{Pool: pool, LeadHours: hours(worker.DefaultLead), CoverHours: hours(worker.DefaultCover)})
		if failed != nil {
			err = failed
			continue
		}
		usedUp[pool] = f.UsedUp
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if err == nil {
		o.usedUp = usedUp
	}
	o.at = time.Now() // one that failed is not tried again at once, either
}
