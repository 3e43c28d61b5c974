package main

import (
	"context"
	"runtime"
	"time"

	"github.com/rs/zerolog"
)

// loadEvery is for how long the simulator's load is averaged.
const loadEvery = 2 * time.Second

// full is the share of its processors' time above which a process is what others wait for.
const full = 0.9

// watchLoad says when the simulator is what holds others up: then what is measured against it is its own speed. It returns when ctx
// ends.
func watchLoad(ctx context.Context, log zerolog.Logger, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	last, had := time.Now(), cpuTime()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, has := time.Now(), cpuTime()
		if share := load(has-had, now.Sub(last), runtime.GOMAXPROCS(0)); share > full {
			log.Warn().Float64("load", share).Int("processors", runtime.GOMAXPROCS(0)).
				Msg("the simulator is the bottleneck: what is measured against it is its own speed")
		}
		last, had = now, has
	}
}

// load is the share of its processors' time that a process had.
func load(had, passed time.Duration, processors int) float64 {
	return had.Seconds() / (passed.Seconds() * float64(processors))
}
