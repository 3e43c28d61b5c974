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

// TestOneGoesAheadAfterAPause: the others follow when it has come through, and not when it ran into the next pause, even if that
// one is over before it has said so.
func TestOneGoesAheadAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g, down := newGate(), Pause{Code: CodeChannelDown}
		passed := make(chan context.Context, 64)
		for range 3 {
			go func() {
				for fetch, open := g.pass(ctx); open; fetch, open = g.pass(ctx) {
					passed <- fetch
					<-fetch.Done()
				}
			}()
		}
		step := func(what string, want int, do func()) (last context.Context) {
			t.Helper()
			do()
			synctest.Wait()
			if got := len(passed); got != want {
				t.Fatalf("%s: %d passed, want %d", what, got, want)
			}
			for range want {
				last = <-passed
			}
			return last
		}
		first := step("before there was a reason to pause", 3, func() {})
		scout := step("after a pause", 1, func() { g.shut(down); g.open(down) })
		step("one from before the pause is done", 0, func() { g.back(first) })
		step("it ran into a pause", 0, func() { g.shut(down); g.back(scout) })
		scout = step("after that pause", 1, func() { g.open(down) })
		step("a pause that is over before it is back", 0, func() { g.shut(down); g.open(down) })
		scout = step("it is back from that", 1, func() { g.back(scout) })
		step("it has come through", 2, func() { g.back(scout) })
		scout = step("after another pause", 1, func() { g.shut(down); g.open(down) })
		step("it waits for room", 2, func() { g.relieve() })
		step("it comes back once more", 0, func() { g.back(scout) })
		cancel()
		synctest.Wait()
	})
}

// TestNobodyWaitsLongForASlowOne: the order of who goes ahead may take a minute.
func TestNobodyWaitsLongForASlowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := New(Config{Instance: "w1"}, Ports{Decode: func([]byte) (*Request, error) {
			<-time.After(time.Minute)
			panic("it never comes through")
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.gate.shut(Pause{Code: CodeChannelDown})
		w.gate.open(Pause{Code: CodeChannelDown})
		fetch, _ := w.gate.pass(t.Context())
		start := time.Now()
		go w.advance(t.Context(), fetch, &Delivery{Receipt: noReceipt{}})
		w.gate.pass(t.Context())
		if took := time.Since(start); took != w.config.ProbeTimeout {
			t.Errorf("the next one waited %v", took)
		}
		<-time.After(time.Hour)
	})
}

// noReceipt takes every end of a delivery.
type noReceipt struct{ Receipt }

func (noReceipt) Nak(context.Context, time.Duration) error { return nil }

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

// TestOneGoesOnAnErrand: while no key has room one goes ahead once in a while, more and more rarely if it is in vain, at once again
// if it is not; and none while there is another reason not to fetch.
func TestOneGoesOnAnErrand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := newGate()
		g.shut(Pause{Code: CodeNoKey})
		out := make(chan context.Context, 64)
		for range 3 {
			go func() {
				for fetch, open := g.pass(ctx); open; fetch, open = g.pass(ctx) {
					out <- fetch
					<-time.After(time.Millisecond)
				}
			}()
		}
		sent := func() (fetch context.Context) {
			g.send()
			synctest.Wait()
			select {
			case fetch = <-out:
			default:
			}
			if len(out) > 0 {
				t.Fatalf("%d more went ahead", len(out))
			}
			return fetch
		}
		if sent() != nil {
			t.Fatal("one went ahead at once")
		}
		for _, pause := range []int{1, 2, 4, 5, 5} {
			<-time.After(time.Duration(pause)*time.Second - 50*time.Millisecond)
			if sent() != nil {
				t.Fatalf("one went ahead before %d s were over", pause)
			}
			<-time.After(50 * time.Millisecond)
			fetch := sent()
			if fetch == nil || fetch.Err() != nil {
				t.Fatalf("none went ahead after %d s", pause)
			}
			g.vain(errandMost)
			g.relieve()
		}
		<-time.After(errandMost)
		fetch := sent()
		g.back(fetch)
		synctest.Wait()
		if len(out) != 1 {
			t.Fatal("none followed one that was not in vain")
		}
		fetch = <-out
		g.shut(Pause{Code: CodeRedisDown})
		g.back(fetch)
		<-time.After(time.Minute)
		if fetch.Err() == nil || sent() != nil {
			t.Error("one is out while Redis is down")
		}
		cancel()
		synctest.Wait()
	})
}
