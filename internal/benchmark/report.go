package benchmark

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"
)

// Options say how long is measured, and with how much at a time.
type Options struct {
	Concurrent int                   // requests handled at the same time
	Pairs      int                   // runs of each side; fewer are made if the time is over before
	For        time.Duration         // about how long it all takes
	Told       func(done, total int) // is told how far it has got
}

// Report is what was found. Rates and ratios are the middle ones of runs that took turns.
type Report struct {
	WholeRatio  float64 `json:"whole_ratio"`  // purchases beside the bare loop, as many at a time
	WholeLowest float64 `json:"whole_lowest"` // of the pairs
	WholeHigh   float64 `json:"whole_highest"`
	DrawRatio   float64 `json:"draw_ratio"` // draws beside EVALSHA of one HINCRBY
	DrawLowest  float64 `json:"draw_lowest"`
	DrawHigh    float64 `json:"draw_highest"`

	Orders float64 `json:"orders_per_second"`
	Bare   float64 `json:"bare_per_second"`
	Draws  float64 `json:"draws_per_second"`
	Evals  float64 `json:"bare_draws_per_second"`

	Load    float64 `json:"load_per_second"` // at which the latencies were measured: half of what the slower side took while its requests came
	P50     float64 `json:"p50_ms"`          // from when a request is published to its acknowledgement, its result being on record
	P99     float64 `json:"p99_ms"`
	BareP50 float64 `json:"bare_p50_ms"`
	BareP99 float64 `json:"bare_p99_ms"`
	Steps   []Step  `json:"steps"`

	Allocations float64  `json:"allocations_per_order"`   // of the worker's process
	RoundTrips  *float64 `json:"round_trips_per_order"`   // one at a time; null where they cannot be counted
	Redis       float64  `json:"redis_trips_per_order"`   // of these
	NATS        float64  `json:"nats_trips_per_order"`    // of these
	Channel     float64  `json:"channel_trips_per_order"` // of these
	Bytes       float64  `json:"bytes_per_order"`         // over these wires, both ways

	Concurrent int     `json:"workers"`
	Pairs      int     `json:"pairs"` // that the purchases' ratio is of
	CPUs       int     `json:"cpus"`
	Seconds    float64 `json:"seconds"`

	uncounted error
}

// Step is how long a worker waits in one step of a purchase.
type Step struct {
	Name string  `json:"step"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
}

// The shares of the time.
const (
	forDraws  = 0.2
	forWhole  = 0.45
	forPaced  = 0.08 // of each side, twice
	countedOf = 200  // purchases whose round trips are counted

	// pairsOverhead is how much longer a pair takes than its two runs: the requests are published before.
	pairsOverhead = 2.0
)

// Measure runs it all. ctx ends it early, with its cause as the error.
func (r *Rig) Measure(ctx context.Context, o Options) (Report, error) {
	m := &measurement{Rig: r, Options: o, began: time.Now(), total: 2*o.Pairs + 4}
	m.Report = Report{Concurrent: o.Concurrent, CPUs: runtime.GOMAXPROCS(0)}
	err := m.all(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	m.Seconds = round(time.Since(m.began).Seconds())
	return m.Report, err
}

type measurement struct {
	*Rig
	Options
	Report
	began       time.Time
	done, total int
	ours        *workers
	bare        *bare
}

func (m *measurement) all(ctx context.Context) (err error) {
	if m.ours, err = m.workers(ctx, m.Options.Concurrent, 0); err != nil {
		return err
	}
	if m.bare, err = m.bareLoop(ctx, m.Options.Concurrent); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{m.draw, m.whole, m.pace, m.counts} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// told says that so many of all the parts are done.
func (m *measurement) told(done int) {
	m.done = done
	if m.Told != nil {
		m.Told(done, m.total)
	}
}

func (m *measurement) turns(share, until float64) plan {
	long := time.Duration(share * float64(m.For) / float64(2*m.Options.Pairs) / pairsOverhead)
	return plan{pairs: m.Options.Pairs, long: long, until: m.began.Add(time.Duration(until * float64(m.For))), told: func() { m.told(m.done + 1) }}
}

func (m *measurement) draw(ctx context.Context) error {
	evals, err := m.evals(ctx)
	if err != nil {
		return err
	}
	t, err := m.turns(forDraws, forDraws).take(ctx, m.draws, evals)
	if err != nil {
		return err
	}
	m.Draws, m.Evals, m.DrawRatio = round(median(t.ours)), round(median(t.bare)), round(median(t.ratios()))
	m.DrawLowest, m.DrawHigh = round(slices.Min(t.ratios())), round(slices.Max(t.ratios()))
	m.told(m.Options.Pairs)
	return nil
}

func (m *measurement) whole(ctx context.Context) error {
	t, err := m.turns(forWhole, forDraws+forWhole).take(ctx, m.ours.run, m.bare.run)
	if err != nil {
		return err
	}
	m.Orders, m.Bare, m.WholeRatio = round(median(t.ours)), round(median(t.bare)), round(median(t.ratios()))
	m.WholeLowest, m.WholeHigh = round(slices.Min(t.ratios())), round(slices.Max(t.ratios()))
	m.Report.Pairs = len(t.ours)
	m.told(2 * m.Options.Pairs)
	return nil
}

// pace measures how long a purchase takes at half the load.
func (m *measurement) pace(ctx context.Context) error {
	load, err := halfLoad(ctx, max(some, int(min(m.Orders, m.Bare)*forPaced*m.For.Seconds())), m.ours.paced, m.bare.paced)
	if err != nil {
		return err
	}
	m.Load = round(load)
	n := max(some, int(m.Load*forPaced*m.For.Seconds()))
	var times steps
	m.ours.around = times.around
	ours, err := m.ours.paced(ctx, m.Load, n)
	m.ours.around = nil
	if err != nil {
		return err
	}
	m.told(m.done + 1)
	bare, err := m.bare.paced(ctx, m.Load, n)
	if err != nil {
		return err
	}
	m.told(m.done + 1)
	m.P50, m.P99 = percentile(ours.took, 0.5), percentile(ours.took, 0.99)
	m.BareP50, m.BareP99 = percentile(bare.took, 0.5), percentile(bare.took, 0.99)
	for i, name := range stepNames {
		m.Steps = append(m.Steps, Step{name, percentile(times.took[i], 0.5), percentile(times.took[i], 0.99)})
	}
	return nil
}

func (m *measurement) counts(ctx context.Context) (err error) {
	if m.Allocations, err = m.ours.allocations(ctx, 2*some); err != nil {
		return err
	}
	m.Allocations = round(m.Allocations)
	m.told(m.done + 1)
	t, err := m.counted(ctx, countedOf)
	switch {
	case errors.Is(err, errUncounted):
		m.uncounted = errUncounted
	case err != nil:
		return err
	default:
		sum := round(t.redis + t.nats + t.channel)
		m.Redis, m.NATS, m.Channel, m.RoundTrips = round(t.redis), round(t.nats), round(t.channel), &sum
		m.Bytes = round(t.redisBytes + t.natsBytes + t.channelBytes)
	}
	m.told(m.total)
	return nil
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// Write writes it for people.
func (r Report) Write(out io.Writer) error {
	text := fmt.Sprintf(`orders      %8.0f a second, %d at a time     bare loop %.0f     ratio %.2f (%.2f–%.2f, %d pairs)
draws       %8.0f a second, %d at a time     bare script %.0f   ratio %.2f (%.2f–%.2f)
latency     p50 %8.2f ms   p99 %8.2f ms     at %.0f orders a second; bare loop %.2f and %.2f ms
`, r.Orders, r.Concurrent, r.Bare, r.WholeRatio, r.WholeLowest, r.WholeHigh, r.Pairs,
		r.Draws, drawers, r.Evals, r.DrawRatio, r.DrawLowest, r.DrawHigh, r.P50, r.P99, r.Load, r.BareP50, r.BareP99)
	for _, s := range r.Steps {
		text += fmt.Sprintf("  %-10sp50 %8.2f ms   p99 %8.2f ms\n", s.Name, s.P50, s.P99)
	}
	if r.RoundTrips == nil {
		text += fmt.Sprintf("round trips      not counted: %v\n", r.uncounted)
	} else {
		text += fmt.Sprintf("round trips %8.2f an order, one at a time: Redis %.2f, NATS %.2f, channel %.2f; %.0f bytes both ways\n",
			*r.RoundTrips, r.Redis, r.NATS, r.Channel, r.Bytes)
	}
	_, err := fmt.Fprintf(out, "%sallocations %8.0f an order, in the worker's process\nmeasured for %.1f s on %d CPUs\n", text, r.Allocations, r.Seconds, r.CPUs)
	return err
}
