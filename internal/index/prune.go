package index

import (
	"context"
	"database/sql"
	"errors"

	"autopurchase/worker"
)

// Oldest is what the streams still have: the first message of each. What is before it is gone.
type Oldest struct {
	Request, Result, Status, Dead worker.Place
}

// pruneBatch is how many requests are forgotten in one transaction, so that what is applied meanwhile does not wait long.
const pruneBatch = 512

// Prune forgets the requests of which the streams have nothing any more, and gives how many those were. What is known of the
// others stays, also what was in messages that are gone. It may be repeated.
func (x *Index) Prune(ctx context.Context, oldest Oldest) (pruned int, err error) {
	for n := 1; n > 0 && err == nil; pruned += n {
		n, err = x.pruneSome(ctx, oldest)
	}
	if err != nil || pruned == 0 {
		return pruned, err
	}
	return pruned, x.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM reason WHERE id <> 1 AND NOT EXISTS (SELECT 1 FROM request INDEXED BY by_reason WHERE reason <> 1 AND reason = reason.id)
			AND NOT EXISTS (SELECT 1 FROM request INDEXED BY by_dead WHERE dead <> 1 AND dead = reason.id)`)
		return err
	})
}

func (x *Index) pruneSome(ctx context.Context, oldest Oldest) (n int, err error) {
	return n, x.change(ctx, func(tx *sql.Tx) error {
		b := newBatch(tx)
		defer b.close()
		gone, err := b.gone(ctx, oldest)
		if err != nil {
			return err
		}
		n = len(gone)
		for i := range gone {
			if err := b.forget(ctx, &gone[i]); err != nil {
				return err
			}
		}
		return b.add(ctx)
	})
}

// gone gives some of the requests of which nothing is left. Those with a result are found by its place in its stream, those
// without by when they were asked: neither walks past the others.
func (b *batch) gone(ctx context.Context, oldest Oldest) ([]row, error) {
	const nothing = ` AND r.decided_in < ? AND r.asked_in < ? AND r.moved_in < ? AND r.dead_in < ? LIMIT ?`
	left := []any{oldest.Result.Sequence, oldest.Request.Sequence, oldest.Status.Sequence, oldest.Dead.Sequence, pruneBatch}
	decided, err := query(ctx, b, "INDEXED BY decided WHERE r.decided_in > 0"+nothing, left...)
	if err != nil || len(decided) > 0 {
		return decided, err
	}
	return query(ctx, b, "INDEXED BY by_state WHERE r.state = 'waiting' AND r.state <> 'placed' AND r.decided_in = 0 AND r.at < ?"+nothing,
		append([]any{nanos(oldest.Request.At)}, left...)...)
}

// forget removes a request, also from what was counted. What happened in the last day stays as it was.
func (b *batch) forget(ctx context.Context, r *row) error {
	errs := []error{
		b.exec(ctx, `DELETE FROM request WHERE id = ?`, r.id),
		b.exec(ctx, `DELETE FROM word WHERE rowid IN (?, ?)`, 2*r.id, 2*r.id+1),
	}
	for kind, values := range r.sides() {
		for _, value := range values {
			errs = append(errs, b.exec(ctx, `DELETE FROM side WHERE kind = ? AND value = ? AND at = ? AND request = ?`, kind, value, r.at(), r.id))
		}
	}
	if r.listed() {
		b.tallies[tallied{r.Tenant, r.State}]--
	}
	return errors.Join(errs...)
}
