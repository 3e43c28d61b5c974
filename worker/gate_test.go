package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateOpensWhenTheLastCauseIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		noKey, other, down := Pause{Code: CodeNoKey, Pool: "a"}, Pause{Code: CodeNoKey, Pool: "b"}, Pause{Code: CodeRedisDown}
		for _, p := range []Pause{noKey, other, down} {
			if !g.shut(p) || g.shut(p) {
				t.Errorf("%+v: the first time alone is news", p)
			}
		}
		passed := make(chan bool, 1)
		go func() { _, open := g.pass(t.Context()); passed <- open }()
		for _, p := range []Pause{down, noKey} {
			g.open(p)
			synctest.Wait()
			if len(passed) > 0 {
				t.Fatalf("it passed although %+v was not the last cause", p)
			}
		}
		g.open(other)
		if !<-passed {
			t.Error("it did not pass")
		}
	})
}

func TestGateLetsGoOfWhoStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.shut(Pause{Code: CodeNoKey})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, open := g.pass(ctx); open {
			t.Error("it passed a shut gate")
		}
		g.open(Pause{Code: CodeNoKey})
		if _, open := g.pass(ctx); open {
			t.Error("it passed although it was told to stop")
		}
	})
}

// TestShuttingTheGateEndsTheFetching: a worker that waits for a request must not take one that it cannot handle.
func TestShuttingTheGateEndsTheFetching(t *testing.T) {
	g := newGate()
	first, _ := g.pass(t.Context())
	second, _ := g.pass(t.Context())
	if first.Err() != nil || second.Err() != nil {
		t.Fatal("it ends before the gate is shut")
	}
	g.shut(Pause{Code: CodeNATSDown})
	if first.Err() == nil || second.Err() == nil {
		t.Error("it goes on although the gate is shut")
	}
	g.open(Pause{Code: CodeNATSDown})
	if again, open := g.pass(t.Context()); !open || again.Err() != nil {
		t.Error("the gate is open, and nothing can be fetched")
	}
}

func TestConfigNamesEverythingThatIsWrong(t *testing.T) {
	if _, err := New(Config{Instance: "w1"}, Ports{}); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	_, err := New(Config{Instance: "a b", Concurrent: -1, LookFor: -1, Grace: -1, MaxAttempts: -1}, Ports{})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 5 {
		t.Errorf("%v, want five problems", err)
	}
}

func TestTroubleIsFoundInAnyError(t *testing.T) {
	inner := &Trouble{Code: CodeNoKey, Reason: "no key has room"}
	if got := AsTrouble(&Trouble{Code: CodeFenced, Err: inner}); got.Code != CodeFenced {
		t.Errorf("%v", got)
	}
	if got := AsTrouble(context.Canceled); got.Code != CodeInternal || !errors.Is(got, context.Canceled) {
		t.Errorf("%v", got)
	}
}
