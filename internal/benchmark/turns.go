package benchmark

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// side does something n times and says how long it took.
type side func(ctx context.Context, n int) (time.Duration, error)

// turns are the rates of runs of two sides that took turns, in things per second.
type turns struct {
	ours, bare []float64
}

// plan says how two sides take turns.
type plan struct {
	pairs int           // how many runs each side gets
	long  time.Duration // about how long one run takes
	until time.Time     // when no further pair is begun that would not be over by then; at least one is made. Zero: never
	told  func()        // is told of each pair; may be nil
}

// some is how many are done to find out how many a run is to do.
const some = 300

// take lets both sides run, the first one second in the next pair. A run is as long as bare needs for about the wanted time.
func (p plan) take(ctx context.Context, ours, bare side) (turns, error) {
	if _, err := ours(ctx, some); err != nil { // warms up scripts, connections and the heap
		return turns{}, err
	}
	n, err := p.size(ctx, bare)
	if err != nil {
		return turns{}, err
	}
	var t turns
	for pair := range p.pairs {
		began := time.Now()
		order := []func() error{
			func() error { return measured(ctx, ours, n, &t.ours) },
			func() error { return measured(ctx, bare, n, &t.bare) },
		}
		if pair%2 == 1 {
			slices.Reverse(order)
		}
		for _, turn := range order {
			if err := turn(); err != nil {
				return t, err
			}
		}
		if p.told != nil {
			p.told()
		}
		if !p.until.IsZero() && time.Now().Add(time.Since(began)).After(p.until) {
			break
		}
	}
	return t, nil
}

// size is how many things a run is to do.
func (p plan) size(ctx context.Context, bare side) (n int, err error) {
	took, err := bare(ctx, some)
	if err != nil {
		return 0, err
	}
	n = max(some, int(rate(some, took)*p.long.Seconds()))
	probe := max(1, n/4)
	if took, err = bare(ctx, probe); err != nil {
		return 0, err
	}
	return max(some, int(rate(probe, took)*p.long.Seconds())), nil
}

func measured(ctx context.Context, s side, n int, rates *[]float64) error {
	took, err := s(ctx, n)
	*rates = append(*rates, rate(n, took))
	return err
}

func rate(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

// ratios are ours to bare of each pair.
func (t turns) ratios() []float64 {
	ratios := make([]float64, len(t.ours))
	for i := range t.ours {
		ratios[i] = t.ours[i] / t.bare[i]
	}
	return ratios
}

func (t turns) line(name, unit string) string {
	r := t.ratios()
	return fmt.Sprintf("%-26s %7.0f %-12s bare %7.0f/s   ratio %.2f (%.2f–%.2f)",
		name, median(t.ours), unit, median(t.bare), median(r), slices.Min(r), slices.Max(r))
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
