package worker

import (
	"sync"
	"sync/atomic"
)

// failures counts how often each request failed unexpectedly in this process. How often it was delivered would say nothing: it
// also comes again after it was throttled, waited for a store, or was handed back by a worker that stopped.
type failures struct {
	counts sync.Map // subject → *atomic.Int64; few requests ever have one
}

// add counts one more and gives the sum.
func (f *failures) add(subject string) int {
	count, _ := f.counts.LoadOrStore(subject, new(atomic.Int64))
	return int(count.(*atomic.Int64).Add(1))
}

func (f *failures) forget(subject string) { f.counts.Delete(subject) }
