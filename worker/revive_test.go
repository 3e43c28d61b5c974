package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ward is an infirmary with one key, and 1688's word on it.
type ward struct {
	mu         sync.Mutex
	benched    bool
	well       bool // it passes the checks
	authorized bool
	failsAtJob bool // it is benched again as soon as it is restored
	away       error
	asked      []time.Duration // since the beginning
	restored   int
	began      time.Time
}

func (w *ward) Benched(context.Context) ([]BenchedKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away != nil || !w.benched {
		return nil, w.away
	}
	return []BenchedKey{{"default", "1000001"}}, nil
}

func (w *ward) Restore(_ context.Context, key BenchedKey, why string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if key != (BenchedKey{"default", "1000001"}) || why == "" {
		return errors.New("another key")
	}
	w.restored++
	w.benched = w.failsAtJob
	return nil
}

func (w *ward) Check(_ context.Context, _ string, what Check) Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if what == CheckTime {
		w.asked = append(w.asked, time.Since(w.began).Truncate(time.Minute))
	}
	if w.well && (w.authorized || what == CheckTime) {
		return Answer{Verdict: Placed}
	}
	return Answer{Verdict: Refused, Code: CodeUnauthorized}
}

// within runs a reviver on the ward for so long.
func (w *ward) within(t *testing.T, d time.Duration, step func()) (probes int) {
	ctx, stop := context.WithCancel(t.Context())
	w.began = time.Now()
	r := &Reviver{Infirmary: w, Prover: w, Observe: func(e Event) {
		if e.Stage == StageProbed && e.Code == CodeUnauthorized {
			probes++
		}
	}}
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	if step != nil {
		<-time.After(d / 2)
		w.mu.Lock()
		step()
		w.mu.Unlock()
		<-time.After(d / 2)
	} else {
		<-time.After(d)
	}
	stop()
	<-done
	return probes
}

func minutes(n ...int) (list []time.Duration) {
	for _, minutes := range n {
		list = append(list, time.Duration(minutes)*time.Minute)
	}
	return list
}

// TestABenchedKeyIsAskedAboutLessAndLessOften, at most an hour apart.
func TestABenchedKeyIsAskedAboutLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &ward{benched: true}
		probes := w.within(t, 4*time.Hour+10*time.Minute, nil)
		if want := minutes(1, 3, 7, 15, 31, 63, 123, 183, 243); !slices.Equal(w.asked, want) || probes != len(want) || w.restored != 0 {
			t.Errorf("asked after %v and told %d times, want %v", w.asked, probes, want)
		}
	})
}

// TestABenchedKeyComesBackOnceItPasses: with the secret alone it does not.
func TestABenchedKeyComesBackOnceItPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &ward{benched: true, well: true}
		w.within(t, 20*time.Minute, func() { w.authorized = true })
		if w.restored != 1 || w.benched {
			t.Errorf("restored %d times", w.restored)
		}
	})
}

// TestAKeyThatFailsAtItsJobIsNotTriedAgainAndAgain although it passes every check.
func TestAKeyThatFailsAtItsJobIsNotTriedAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &ward{benched: true, well: true, authorized: true, failsAtJob: true}
		w.within(t, 2*time.Hour, nil)
		if w.restored > 7 {
			t.Errorf("restored %d times", w.restored)
		}
	})
}

// TestARestoredKeyBeginsAnewAfterAnHourInUse, and a store that is away is waited for.
func TestARestoredKeyBeginsAnewAfterAnHourInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &ward{away: errors.New("away")}
		w.within(t, 6*time.Hour, func() { w.away, w.benched = nil, true })
		if first := w.asked[0]; first > 3*time.Hour+2*time.Minute {
			t.Errorf("first asked after %v", first)
		}
	})
}
