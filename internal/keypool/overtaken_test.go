package keypool

import (
	"context"
	"errors"
	"testing"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestAFirstDeliveryIsLookedUpIfItMayHaveBeenOvertakenBeforeALoss: whoever holds it has not sent it, but a later delivery may
// have, and what fenced the first one off is lost.
func TestAFirstDeliveryIsLookedUpIfItMayHaveBeenOvertakenBeforeALoss(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		forgetful(t, p, under("r", 3))
		for range 2 {
			_, err := p.Draw(t.Context(), new(older(order1("default", "acme.r-1", 3))))
			wantCode(t, err, worker.CodeLost)
			wantHeld(t, p, "k1", 0, 3)
		}
		if claim := draw(t, p, older(order1("default", "acme.waited-1", 3))); claim.Turn != worker.TurnSend {
			t.Errorf("one that nobody had before the loss: %s, want send", claim.Turn)
		}
	})
}

// TestASoleDeliveryIsSentAfterALoss: it was under way when the pool was lost, and in nobody else's hands until it was rebuilt.
func TestASoleDeliveryIsSentAfterALoss(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		s := forgetful(t, p, under("r", 3))
		only := sole(older(order1("default", "acme.r-1", 3)))
		for range 2 { // the second is a repeat after a lost reply
			if claim := draw(t, p, only); claim.Turn != worker.TurnSend || claim.AppKey != "k1" {
				t.Fatalf("got %+v, want it to be sent on k1", claim)
			}
		}
		for key, held := range map[string]int64{"k1": 3, "k2": 0, "k3": 0} {
			wantHeld(t, p, key, 0, held)
		}

		// What was asked before the pool is lost once more counts for nothing afterwards.
		s.lose(t, p)
		losses := 0
		only.Sole = func() bool {
			if losses++; losses == 1 {
				s.lose(t, p)
				return true
			}
			return false
		}
		_, err := p.Draw(t.Context(), &only)
		wantCode(t, err, worker.CodeLost)
	})
}

// sole is the draw for a request that nobody else can have been handed.
func sole(d worker.Draw) worker.Draw { d.Sole = func() bool { return true }; return d }

// TestAFirstDeliveryWhoseClaimIsBehindIsLookedUp: the claim says what was before a later delivery took it over.
func TestAFirstDeliveryWhoseClaimIsBehindIsLookedUp(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		request := under("r", 3)
		s := forgetful(t, p)
		first := order1("default", "acme.r-1", 3)
		unsend(t, p, draw(t, p, first), worker.CodeThrottled)
		s.flights = []worker.Request{request}
		s.results = []worker.Result{bought("gone", 2)}               // of which this Redis does not know
		raw(t, p).HDel(t.Context(), namesOf("default").pool, "born") // nor does it know that it is the same
		rebuild(t, p, s)
		_, err := p.Draw(t.Context(), &first)
		wantCode(t, err, worker.CodeLost)
	})
}

// decidedPool is a pool that verifies its Redis and was lost after an order for 3 had its result.
func decidedPool(t *testing.T, wrap func(*stored) History) *Pool {
	t.Helper()
	s := &stored{}
	p := open(t, workertest.Redis(t).URL, func(c *Config) { c.History = wrap(s) })
	rebuild(t, p, s)
	quiet(t, p, "default", 10)
	s.flushed(t, p)
	s.results = append(s.results, bought("decided", 3))
	s.lose(t, p)
	return p
}

// TestAFirstDeliveryThatIsDecidedIsNotSent: a later one was, and ended, before the pool was lost with its claim.
func TestAFirstDeliveryThatIsDecidedIsNotSent(t *testing.T) {
	p := decidedPool(t, func(s *stored) History { return s })
	_, err := p.Draw(t.Context(), new(older(order1("default", "acme.decided-1", 3))))
	wantCode(t, err, worker.CodeLost)
	for range 2 { // the second is a repeat after a lost reply
		if claim := draw(t, p, older(order1("default", "acme.waited-1", 3))); claim.Turn != worker.TurnSend {
			t.Errorf("one that has no result: %s, want send", claim.Turn)
		}
	}
	wantKey(t, p, "default", "k1", StateActive, 3, 3)
}

// mute is a history that does not tell of single results.
type mute struct{ *stored }

func (mute) Result(context.Context, string, string) (worker.Result, bool, error) {
	return worker.Result{}, false, errors.New("the broker is away")
}

func TestAFirstDeliveryWaitsUntilItIsKnownThatItIsUndecided(t *testing.T) {
	p := decidedPool(t, func(s *stored) History { return mute{s} })
	_, err := p.Draw(t.Context(), new(older(order1("default", "acme.waited-1", 3))))
	wantCode(t, err, worker.CodeNATSDown)
	wantKey(t, p, "default", "k1", StateActive, 3, 0)
}

// TestASoleDeliveryOfWhatWasCancelledIsNotSent: its result was published before it was delivered for the first time, and before the
// pool was lost and rebuilt; or just after that.
func TestASoleDeliveryOfWhatWasCancelledIsNotSent(t *testing.T) {
	s := &stored{}
	p := open(t, workertest.Redis(t).URL, func(c *Config) { c.History = s })
	rebuild(t, p, s)
	quiet(t, p, "default", 10)
	s.flushed(t, p)
	s.lose(t, p)
	only := sole(older(order1("default", "acme.r-1", 3)))
	over := worker.Result{Tenant: "acme", RequestID: "r", Outcome: worker.OutcomeCancelled, Code: worker.CodeCancelled, Reason: "cancelled by li"}
	s.results = append(s.results, over)
	_, err := p.Draw(t.Context(), &only)
	wantCode(t, err, worker.CodeLost)
	s.flights, s.results = []worker.Request{under("q", 3)}, append(s.results, worker.Result{Tenant: "acme", RequestID: "q",
		Outcome: over.Outcome, Code: over.Code, Reason: over.Reason})
	s.lose(t, p)
	again := order1("default", "acme.q-1", 3) // by a clock that is ahead of Redis's
	if claim := draw(t, p, again); claim.Turn != worker.TurnDone || claim.State != cancelled || claim.Part.Reason != "cancelled by li" {
		t.Errorf("%+v, want it to have ended", claim)
	}
	wantHeld(t, p, "k1", 0, 0)
}
