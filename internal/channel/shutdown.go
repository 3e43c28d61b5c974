package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// graceAfter is how long Shutdown waits for asks it had to cancel.
const graceAfter = time.Second

var (
	errGoingAway = &parting{websocket.CloseGoingAway, "the relay is going down"}
	errDrained   = &parting{closeDrained, "the relay is going down and has answered every ask that it took"}
)

// Workers is how many workers are connected.
func (s *Server) Workers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.desks)
}

// Shutdown takes no more asks and connections, lets running asks answer, and closes every connection with code 4001, by which
// a worker knows that an ask without a reply came too late to be started. When ctx ends first, what still runs is cancelled,
// the connections are closed with code 1001, their askers are left to look up, and ctx's cause is returned. Afterwards no
// goroutine of the server is left, unless a Desk ignores its context. A second call waits like the first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.asks.Wait()
		s.dismiss()
		s.sessions.Wait()
	}()
	select {
	case <-done:
		s.stop(errGoingAway)
		return nil
	case <-ctx.Done():
	}
	s.stop(errGoingAway)
	grace := time.NewTimer(graceAfter)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
	}
	return fmt.Errorf("order channel was closed with asks in work: %w", context.Cause(ctx))
}

// dismiss tells every worker that the relay goes away, behind the replies that are queued for it.
func (s *Server) dismiss() {
	s.mu.Lock()
	desks := slices.Clone(s.desks)
	s.mu.Unlock()
	for _, desk := range desks {
		if !desk.offer(outgoing{bye: errDrained}) {
			desk.end(errGoingAway)
		}
	}
}

// startAsk counts an ask in, unless the server is draining.
func (s *Server) startAsk() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.asks.Add(1)
	return true
}

// Ready returns nil while the relay takes workers and their asks.
func (s *Server) Ready(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return errors.New("the relay is going down: it takes no more orders")
	}
	return nil
}

// enter counts a connection in, unless the server is draining.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.sessions.Add(1)
	return true
}

func (s *Server) list(desk *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desks = append(s.desks, desk)
	if s.draining { // it came in between: dismiss may have passed
		desk.offer(outgoing{bye: errDrained})
	}
}

func (s *Server) unlist(desk *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desks = slices.DeleteFunc(s.desks, func(other *session) bool { return other == desk })
}

// turn picks the worker that gets the next push.
func (s *Server) turn() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.desks) == 0 || s.draining {
		return nil
	}
	s.next++
	return s.desks[s.next%len(s.desks)]
}
