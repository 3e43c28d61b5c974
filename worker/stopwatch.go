package worker

import (
	"sync"
	"time"
)

// stopwatches measure for how long this process has known something about an order, on its own clock, which never jumps: the
// ledger's may be set, or be another server's after a fail-over.
type stopwatches struct {
	mu      sync.Mutex
	started map[string]time.Time
}

// maxStopwatches bounds their memory, since others may end what they were started for. When there are as many, all start again:
// that makes a window longer, never shorter.
const maxStopwatches = 1 << 16

// read starts a watch if it is not running, and reads it.
func (s *stopwatches) read(name string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if start, running := s.started[name]; running {
		return time.Since(start)
	}
	if s.started == nil || len(s.started) >= maxStopwatches {
		s.started = map[string]time.Time{}
	}
	s.started[name] = time.Now()
	return 0
}

// stop ends a watch.
func (s *stopwatches) stop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.started, name)
}
