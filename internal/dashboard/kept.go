package dashboard

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errSlow says that something is not known yet.
var errSlow = errors.New("is still being worked out")

// shelf keeps answers so that everybody who looks at the same thing within a moment asks once. An answer that takes longer than a
// page wants to wait goes on being worked out, and is there for the next one. It is safe for concurrent use.
type shelf[T any] struct {
	ask   func(ctx context.Context, about string) (T, error)
	fresh time.Duration // an answer that is no older is as good as a new one
	wait  time.Duration // how long a page waits for a new one
	limit time.Duration // how long working it out may take

	keeper *keeper
	mu     sync.Mutex
	kept   map[string]*kept[T]
}

// keeper is what all shelves of a dashboard share.
type keeper struct {
	ctx     context.Context // ends with the dashboard
	running sync.WaitGroup
}

// kept is one answer, or the question under way.
type kept[T any] struct {
	value   T
	err     error
	at      time.Time     // when it was answered; zero if never
	flight  chan struct{} // closed when the answer under way is there; nil if none is
	touched time.Time
}

// maxKept is how many answers a shelf keeps.
const maxKept = 200

func newShelf[T any](k *keeper, fresh, wait, limit time.Duration, ask func(context.Context, string) (T, error)) *shelf[T] {
	return &shelf[T]{ask: ask, fresh: fresh, wait: wait, limit: limit, keeper: k, kept: map[string]*kept[T]{}}
}

// get gives the answer about something: a fresh one, or after a while the last one if it is not much older, or errSlow.
func (s *shelf[T]) get(ctx context.Context, about string) (value T, err error) {
	k, flight := s.look(about)
	if flight != nil {
		timer := time.NewTimer(s.wait)
		defer timer.Stop()
		select {
		case <-flight:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.at.IsZero() || time.Since(k.at) > s.wait+10*s.fresh {
		return value, errSlow
	}
	return k.value, k.err
}

// look finds what is there, and the flight to wait for if it is not fresh.
func (s *shelf[T]) look(about string) (*kept[T], <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kept[about]
	if k == nil {
		s.tidy()
		k = &kept[T]{}
		s.kept[about] = k
	}
	k.touched = time.Now()
	if !k.at.IsZero() && time.Since(k.at) < s.fresh {
		return k, nil
	}
	if k.flight == nil {
		k.flight = make(chan struct{})
		s.keeper.running.Go(func() { s.fly(about, k) })
	}
	return k, k.flight
}

// fly works an answer out.
func (s *shelf[T]) fly(about string, k *kept[T]) {
	ctx, cancel := context.WithTimeout(s.keeper.ctx, s.limit)
	defer cancel()
	value, err := s.ask(ctx, about)
	s.mu.Lock()
	defer s.mu.Unlock()
	k.value, k.err, k.at = value, err, time.Now()
	close(k.flight)
	k.flight = nil
}

// tidy makes room for one more: what nobody asked for lately goes.
func (s *shelf[T]) tidy() {
	for len(s.kept) >= maxKept {
		oldest := ""
		for about, k := range s.kept {
			if oldest == "" || k.touched.Before(s.kept[oldest].touched) {
				oldest = about
			}
		}
		delete(s.kept, oldest)
	}
}

// forget has everything asked for anew: something was changed.
func (s *shelf[T]) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.kept)
}
