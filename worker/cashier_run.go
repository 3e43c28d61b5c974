package worker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Bills hands out results whose orders may have to be paid for.
type Bills interface {
	// Next waits for one. It returns ctx's cause when ctx ends, and a *Trouble with CodeNATSDown when the broker is out of reach.
	Next(ctx context.Context) (Bill, error)
}

// Bill is one delivery of a result. It is delivered again unless it is settled in time.
type Bill struct {
	Result  Result
	Attempt int // from 1
	// Alive shows the broker that it is being worked on, which it must hear within Every, or it is handed to somebody else too.
	Alive func()
	Every time.Duration
	// Done ends it for good.
	Done func(ctx context.Context) error
	// Again hands it back, to be delivered again after the delay.
	Again func(ctx context.Context, after time.Duration) error
}

const (
	cashiers     = 4 // at work at once in one process
	longestPause = time.Minute
	parting      = 20 * time.Second // how long what is under way may take once it is to stop; what is left is recovered from its record
)

// Run pays for what is due until ctx ends; what is under way then is finished if it does not take long. While a person has stopped payments, none is taken
// up.
func (c *Cashier) Run(ctx context.Context, bills Bills) {
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(parting, abandon) })()
	var running sync.WaitGroup
	for range cashiers {
		running.Go(func() {
			for c.open(ctx) {
				bill, err := bills.Next(ctx)
				if err != nil {
					wait(ctx, aSecond)
					continue
				}
				c.attend(work, bill)
			}
		})
	}
	running.Go(func() {
		for {
			select {
			case result := <-c.agreed: // what does not end now comes by again by itself
				_, _ = c.settleSafely(work, Bill{Result: result, Alive: func() {}, Every: longestPause})
			case <-ctx.Done():
				return
			}
		}
	})
	running.Wait()
}

// open waits until payments are not stopped; false once ctx has ended.
func (c *Cashier) open(ctx context.Context) bool {
	for ctx.Err() == nil {
		if time.Now().UnixNano()-c.going.Load() < int64(aSecond) { // it is asked again before each payment
			return true
		}
		if halt, err := c.Stopped(ctx); err == nil && !halt.Stopped {
			c.going.Store(time.Now().UnixNano())
			return true
		}
		wait(ctx, aSecond)
	}
	return false
}

// attend settles one result and says when it is to come again. What cannot be said to the broker is delivered again by itself.
func (c *Cashier) attend(ctx context.Context, b Bill) {
	again, err := c.settleSafely(ctx, b)
	if err != nil {
		trouble := AsTrouble(err)
		c.config.Observe(Event{Stage: StageRetrying, Tenant: b.Result.Tenant, RequestID: b.Result.RequestID, Attempt: b.Attempt, Code: trouble.Code,
			Reason: trouble.Reason, Err: trouble.Err})
		again = max(trouble.After, min(soon<<min(b.Attempt, 16), longestPause))
	}
	if again == 0 {
		_ = b.Done(ctx)
		return
	}
	_ = b.Again(ctx, again)
}

var errPanic = errors.New("paying ended in a panic")

// settleSafely keeps a panic over one bill from ending the process.
func (c *Cashier) settleSafely(ctx context.Context, b Bill) (again time.Duration, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = &Trouble{Code: CodeInternal, Reason: "a payment could not be handled", Err: errPanic}
		}
	}()
	ended := make(chan struct{})
	var beating sync.WaitGroup
	defer beating.Wait()
	defer close(ended)
	beating.Go(func() { b.beat(ended) })
	return c.Settle(ctx, b.Result)
}

// beat shows signs of life until it is over.
func (b Bill) beat(ended <-chan struct{}) {
	tick := time.NewTicker(max(b.Every, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.Alive()
		case <-ended:
			return
		}
	}
}
