package channel

import "sync/atomic"

// maxIdle is how many of a crew wait for the next job; the others end with theirs.
const maxIdle = 64

// crew does a session's jobs, each in a goroutine of its own, since it may wait for 1688. Whoever is done with one waits for the next:
// the stack of somebody new would first have to grow to what an ask needs, copied over each time.
type crew struct {
	do   func(job)
	jobs chan job        // taken from by those who wait
	over <-chan struct{} // closed when nobody is to wait any more
	idle atomic.Int64
}

func newCrew(do func(job), over <-chan struct{}) *crew {
	return &crew{do: do, jobs: make(chan job), over: over}
}

// start has a job done by one who waits, or by somebody new. It never blocks.
func (c *crew) start(j job) {
	select {
	case c.jobs <- j:
	default:
		go c.work(j)
	}
}

func (c *crew) work(j job) {
	for {
		c.do(j)
		if c.idle.Add(1) > maxIdle {
			c.idle.Add(-1)
			return
		}
		select {
		case j = <-c.jobs:
			c.idle.Add(-1)
		case <-c.over:
			return
		}
	}
}
