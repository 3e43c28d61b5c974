package main

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// TestAnOverloadedSimulatorSaysSo: a process that has all of its processors' time is what others wait for; an idle one is not.
func TestAnOverloadedSimulatorSaysSo(t *testing.T) {
	for share, c := range map[float64]struct {
		had, passed time.Duration
		processors  int
	}{0.5: {time.Second, time.Second, 2}, 1: {4 * time.Second, time.Second, 4}, 0: {0, time.Second, 1}} {
		if got := load(c.had, c.passed, c.processors); got != share {
			t.Errorf("%+v is a load of %v", c, got)
		}
	}

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	said := &tattler{has: cancel}
	var busy sync.WaitGroup
	busy.Go(func() {
		for n := 0; ctx.Err() == nil; n++ { // is overloaded
			_ = strings.Repeat("x", n%1000)
		}
	})
	watchLoad(ctx, zerolog.New(said), 50*time.Millisecond)
	busy.Wait()
	if !strings.Contains(said.text.String(), "the simulator is the bottleneck") {
		t.Error("a simulator that is busy all the time says nothing")
	}
}

// tattler is a log that tells when something is in it.
type tattler struct {
	text bytes.Buffer
	has  func()
}

func (l *tattler) Write(line []byte) (int, error) {
	defer l.has()
	return l.text.Write(line)
}
