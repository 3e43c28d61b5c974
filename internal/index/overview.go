package index

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"autopurchase/worker"
)

// Tallies counts the requests of each tenant in each state, all that are on record.
func (x *Index) Tallies(ctx context.Context) (map[string]map[worker.LifeState]int64, error) {
	type tally struct {
		tallied
		n int64
	}
	counted, err := each(ctx, x.read, func(rows *sql.Rows) (t tally, err error) { return t, rows.Scan(&t.tenant, &t.state, &t.n) },
		`SELECT tenant, state, n FROM tally WHERE n > 0`)
	tallies := map[string]map[worker.LifeState]int64{}
	for _, t := range counted {
		if tallies[t.tenant] == nil {
			tallies[t.tenant] = map[worker.LifeState]int64{}
		}
		tallies[t.tenant][t.state] = t.n
	}
	return tallies, err
}

// Latest gives the requests that came to their latest result last, at most so many.
func (x *Index) Latest(ctx context.Context, most int) ([]worker.Summary, error) {
	rows, err := query(ctx, x.read, "INDEXED BY decided WHERE r.decided_in > 0 ORDER BY r.decided_in DESC LIMIT ?", most)
	latest := make([]worker.Summary, 0, len(rows))
	for _, r := range rows {
		latest = append(latest, r.Summary)
	}
	return latest, err
}

// Series gives so many minutes up to the one that now is in, the oldest first, also those in which nothing happened. Those of
// more than a day ago are not kept.
func (x *Index) Series(ctx context.Context, now time.Time, minutes int) ([]worker.Minute, error) {
	first := now.Unix()/60 - int64(minutes) + 1
	series, times := make([]worker.Minute, minutes), make([]spread, minutes)
	for i := range series {
		series[i], times[i] = worker.Minute{At: time.Unix((first+int64(i))*60, 0).UTC(), Ended: map[worker.LifeState]int64{}}, spread{}
	}
	_, err := each(ctx, x.read, func(rows *sql.Rows) (none struct{}, err error) {
		var at, n int64
		var what string
		if err = rows.Scan(&at, &what, &n); err == nil && n > 0 {
			gather(&series[at-first], times[at-first], what, n)
		}
		return none, err
	}, `SELECT at, what, n FROM minute WHERE at >= ? AND at < ?`, first, first+int64(minutes))
	for i := range series {
		series[i].Median, series[i].P90, series[i].P99 = times[i].at(0.5), times[i].at(0.9), times[i].at(0.99)
	}
	return series, err
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
