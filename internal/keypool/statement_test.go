package keypool

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// TestARebuildCountsWhatAStatementShows makes records at random, and reads each of them both ways: what a person is shown, order
// by order, is what a pool is rebuilt to.
func TestARebuildCountsWhatAStatementShows(t *testing.T) {
	for seed := range uint64(200) {
		record := randomRecord(rand.New(rand.NewPCG(seed, 2)))
		past, err := recall(t.Context(), zerolog.Nop(), "default", nil, record)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range past.keys {
			s, err := worker.StatementOf("default", k.appKey, record.Events(t.Context(), "default"), record.Results(t.Context(), "default"))
			if err != nil {
				t.Fatal(err)
			}
			if s.Used != k.counts(k.used) {
				t.Errorf("seed %d: key %s is rebuilt to %d, its statement says %d", seed, k.appKey, k.counts(k.used), s.Used)
			}
		}
	}
}

// randomRecord has results that replace unknown ones, orders that may be on several keys, and resets.
func randomRecord(r *rand.Rand) *stored {
	keys := []string{"a", "b", "c"}
	record := &stored{}
	for i, appKey := range keys {
		record.events = append(record.events, worker.PoolEvent{Pool: "default", Sequence: int64(i + 1), Kind: worker.EventAdded, AppKey: appKey, Limit: 1000})
	}
	open, ended := map[string]worker.Result{}, map[string]bool{}
	for i := range 60 {
		id := fmt.Sprint("r", r.IntN(40))
		if ended[id] {
			continue
		}
		result := open[id]
		result.Tenant, result.RequestID, result.DecidedAt = "acme", id, decided.Add(time.Duration(i)*time.Second)
		result.Orders = append([]worker.ResultOrder{}, result.Orders...)
		for range r.IntN(3) {
			at := r.IntN(len(keys))
			order := worker.ResultOrder{OrderID: fmt.Sprint(i), AppKey: keys[at], Products: 1 + r.Int64N(9),
				OutOrderID: worker.Reference("acme", id, len(result.Orders)+1)}
			if r.IntN(4) == 0 {
				order.AlsoOn = []string{keys[(at+1)%3], keys[(at+2)%3]}
			}
			result.Orders = append(result.Orders, order)
		}
		result.Outcome, result.Unknown = worker.OutcomePlaced, nil
		if ended[id] = r.IntN(3) > 0; !ended[id] {
			result.Outcome, result.Unknown = worker.OutcomeUnknown, []worker.OpenOrder{{OutOrderID: worker.Reference("acme", id, 9), AppKey: "a", Products: 5}}
			open[id] = result
		}
		record.results = append(record.results, result)
	}
	for i := range r.IntN(4) {
		record.events = append(record.events, worker.PoolEvent{Pool: "default", Sequence: int64(4 + i), Kind: worker.EventReset, AppKey: keys[r.IntN(3)],
			Cleared: 1 + r.Int64N(40), At: decided.Add(time.Duration(r.IntN(60)) * time.Second)})
	}
	return record
}
