package channel

import (
	"sync"
	"testing"
	"testing/synctest"
)

func TestWhoIsDoneWaitsForTheNextJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over, did := make(chan struct{}), 0
		c := newCrew(func(job) { did++ }, over)
		for range 3 {
			c.start(job{})
			synctest.Wait()
		}
		if did != 3 || c.idle.Load() != 1 {
			t.Errorf("%d of 3 jobs are done and %d wait for the next; one has done all three and waits", did, c.idle.Load())
		}
		close(over)
	})
}

func TestNoJobWaitsForAnotherAndFewStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 4 * maxIdle
		over := make(chan struct{})
		var running sync.WaitGroup
		running.Add(many)
		c := newCrew(func(job) {
			running.Done()
			running.Wait() // all at once, or never
		}, over)
		for range many {
			c.start(job{})
		}
		synctest.Wait()
		if waiting := c.idle.Load(); waiting != maxIdle {
			t.Errorf("%d wait for the next job, want %d", waiting, maxIdle)
		}
		close(over)
	})
}
