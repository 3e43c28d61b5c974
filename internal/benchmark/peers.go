package benchmark

import (
	"context"
	"errors"
	"slices"
	"time"

	"autopurchase/schemas"
)

// What other queues need to be measured beside the worker: see the module autopurchase/bench.

// Comparison is what two sides reached that took turns: things a second, and ours to the other's, each the middle one.
type Comparison struct {
	Ours    float64 `json:"ours_per_second"`
	Other   float64 `json:"other_per_second"`
	Ratio   float64 `json:"ratio"`
	Lowest  float64 `json:"lowest"` // of the pairs' ratios
	Highest float64 `json:"highest"`
	Pairs   int     `json:"pairs"`
}

// Compare lets two sides take turns, each of which does something n times and says how long it took. A run is as long as the other one
// needs for about the wanted time. Errors are the sides'.
func Compare(ctx context.Context, pairs int, long time.Duration, ours, other func(ctx context.Context, n int) (time.Duration, error)) (Comparison, error) {
	t, err := plan{pairs: pairs, long: long}.take(ctx, ours, other)
	if err != nil {
		return Comparison{}, err
	}
	r := t.ratios()
	return Comparison{
		Ours: round(median(t.ours)), Other: round(median(t.bare)), Ratio: round(median(r)), Lowest: round(slices.Min(r)), Highest: round(slices.Max(r)),
		Pairs: len(r),
	}, nil
}

// Ours is the whole worker with so many requests at a time; it publishes what it takes.
func (r *Rig) Ours(ctx context.Context, concurrent int) (func(ctx context.Context, n int) (time.Duration, error), error) {
	w, err := r.workers(ctx, concurrent, 0)
	if err != nil {
		return nil, err
	}
	return w.run, nil
}

// Errand is what is done for one purchase whatever queue it comes from: as much as the bare loop does. It is safe for concurrent use.
type Errand struct{ bare *bare }

// Errand opens connections for so many at a time.
func (r *Rig) Errand(ctx context.Context, concurrent int) (*Errand, error) {
	l, err := r.bareLoop(ctx, concurrent)
	return &Errand{l}, err
}

// Buy claims, calls and settles.
func (e *Errand) Buy(ctx context.Context) error {
	drawn := count.EvalSha(ctx, e.bare.redis, e.bare.keys).Err()
	asked := e.bare.peer.call()
	return errors.Join(drawn, asked, count.EvalSha(ctx, e.bare.redis, e.bare.keys).Err())
}

// Publish stores the result and returns once the broker has it on record.
func (e *Errand) Publish(ctx context.Context, subject string) error {
	_, err := e.bare.js.Publish(ctx, subject, e.bare.result)
	return err
}

// Result is what is published.
func (e *Errand) Result() []byte { return e.bare.result }

// Body is a request as it is published, of that id.
func Body(id string) []byte { return schemas.AppendRequest(nil, request("default", id)) }
