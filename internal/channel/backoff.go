package channel

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// Backoff is how long a worker waits before it connects again. Each wait is drawn from the upper half of what it says here,
// so that workers which lost one relay together do not come back together.
type Backoff struct {
	First time.Duration // after a first loss, and after the relay went away on purpose; default 100 ms
	Max   time.Duration // doubled from First up to here while it keeps failing; default 5 s
	Slow  time.Duration // when a person has to act: token refused, other version, policy; default 30 s
}

func (b Backoff) withDefaults() Backoff {
	b.First = orDefault(b.First, 100*time.Millisecond)
	b.Max = orDefault(b.Max, 5*time.Second)
	b.Slow = orDefault(b.Slow, 30*time.Second)
	return b
}

// wait says how long to wait after failures in a row (from 1), the last with this cause.
func (b Backoff) wait(cause error, failures int) time.Duration {
	switch {
	case hopeless(cause):
		return jitter(b.Slow)
	case failures <= 1:
		return jitter(b.First)
	}
	return jitter(min(b.Max, b.First<<min(failures-1, 20)))
}

// hopeless says whether trying again soon cannot help.
func hopeless(cause error) bool {
	if refused, ok := errors.AsType[*refusal](cause); ok {
		return refused.status >= 400 && refused.status < 500 && refused.status != http.StatusTooManyRequests
	}
	if own, ok := errors.AsType[*parting](cause); ok {
		return own.code == closeBadFrame || own.code == closeBadVersion
	}
	return closedWith(cause, websocket.ClosePolicyViolation, closeBadFrame, closeBadVersion)
}

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}
