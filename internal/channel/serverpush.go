package channel

import (
	"context"
	"errors"
	"fmt"

	"autopurchase/worker"
)

// The reasons for which a push was not confirmed.
var (
	// ErrNoWorker is returned by Push when no worker is connected.
	ErrNoWorker = errors.New("no worker is connected")
	// ErrUnconfirmed is returned by Push, wrapped, when the connection ended first: the worker may have taken the push.
	ErrUnconfirmed = errors.New("push was not confirmed")
)

// Push hands what 1688 pushed to one connected worker, in turn, and returns nil once that one has confirmed it. Otherwise it
// may be repeated, to whichever worker: ErrNoWorker, ErrUnconfirmed, or ctx's cause when ctx ends first.
func (s *Server) Push(ctx context.Context, push worker.Push) error {
	desk := s.turn()
	if desk == nil {
		return ErrNoWorker
	}
	select {
	case desk.hands <- struct{}{}:
	case <-desk.ctx.Done():
		return fmt.Errorf("%w: the worker is gone", ErrUnconfirmed)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-desk.hands }()
	return desk.push(ctx, s.lastPush.Add(1), push)
}

func (s *session) push(ctx context.Context, id uint64, push worker.Push) error {
	text, err := appendPush(nil, id, &push)
	if err != nil || len(text) > maxFrame {
		return fmt.Errorf("push %s: %w: it does not fit into a frame", push.ID, ErrUnconfirmed)
	}
	confirmed := make(chan struct{})
	s.expect(id, confirmed)
	defer s.forget(id)
	select {
	case s.queue <- outgoing{text: &text}:
	case <-s.ctx.Done():
		return fmt.Errorf("%w: the worker is gone", ErrUnconfirmed)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-confirmed:
		return nil
	case <-s.ctx.Done():
		return fmt.Errorf("%w: the worker is gone", ErrUnconfirmed)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *session) expect(id uint64, confirmed chan struct{}) {
	s.mu.Lock()
	s.pushes[id] = confirmed
	s.mu.Unlock()
}

func (s *session) forget(id uint64) {
	s.mu.Lock()
	delete(s.pushes, id)
	s.mu.Unlock()
}

// confirmed ends the wait for a push. One that nobody waits for any more was or will be pushed again: nothing is lost.
func (s *session) confirmed(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting, ok := s.pushes[id]; ok {
		close(waiting)
		delete(s.pushes, id)
	}
}
