package chaos

import (
	"sync/atomic"
	"time"
)

// simClock is the fault that sets the simulator's clock.
const simClock Kind = "sim_clock"

// farthest is how far a fault may set the clock, either way.
const farthest = 5 * time.Minute

// tokenLife is how long the simulator's access tokens live: clocks that jump end them before their time.
const tokenLife = 3 * time.Minute

// clock is the simulator's. Its zero value is right; safe for concurrent use.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// set puts the clock ahead of the right time, or behind it; set(0) puts it right.
func (c *clock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// jump is how far a fault sets the clock: whole seconds, and not none.
func jump(f fault) time.Duration {
	seconds := uint64(farthest / time.Second)
	ahead := time.Duration(1+f.Target/2%seconds) * time.Second
	if f.Target%2 == 0 {
		return -ahead
	}
	return ahead
}
