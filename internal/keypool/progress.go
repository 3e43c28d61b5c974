package keypool

import (
	"time"

	"github.com/rs/zerolog"
)

const (
	tellEvery = 2 * time.Second
	lookEvery = 1024 // results between two looks at the clock
)

// progress says every few seconds how far the reading of results got.
type progress struct {
	log         zerolog.Logger
	done, total int64
	begun, told time.Time
}

func newProgress(log zerolog.Logger, total int64) *progress {
	now := time.Now()
	return &progress{log: log, total: total, begun: now, told: now}
}

// step is called after each result.
func (p *progress) step() {
	if p.done++; p.done%lookEvery == 0 && time.Since(p.told) >= tellEvery {
		p.told = time.Now()
		p.tell()
	}
}

func (p *progress) tell() {
	total := max(p.total, p.done) // some come while others are read
	left := time.Duration(float64(time.Since(p.begun)) / float64(p.done) * float64(total-p.done))
	p.log.Info().Int64("results", p.done).Int64("of", total).Dur("left_ms", left).
		Msg("comparing redis with what was bought: reading results")
}
