package index

import (
	"context"
	"database/sql"

	"autopurchase/worker"
)

// asker is who can be asked: the file, or a transaction.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func places(ctx context.Context, from asker) ([]worker.Place, error) {
	return each(ctx, from, func(rows *sql.Rows) (p worker.Place, err error) {
		var stored int64
		err = rows.Scan(&p.Stream, &p.Sequence, &stored)
		p.At = moment(stored)
		return p, err
	}, `SELECT stream, sequence, stored FROM place ORDER BY stream`)
}

const columns = `r.id, r.tenant, r.request_id, r.state, r.code, (SELECT text FROM reason WHERE id = r.reason), r.pool, r.app_keys, r.order_ids, r.sellers, r.offers,
	r.lines, r.products, r.attempt, r.latest, r.asked, r.decided, r.answered, r.asked_in, r.decided_in, r.moved_at, r.moved_in,
	(SELECT text FROM reason WHERE id = r.dead), r.dead_in, r.tracking`

// query gives the requests that a condition picks.
func query(ctx context.Context, from asker, where string, args ...any) ([]row, error) {
	return each(ctx, from, scan, `SELECT `+columns+` FROM request r `+where, args...)
}

func scan(rows *sql.Rows) (r row, err error) {
	var keys, orders, sellers, offers, tracking string
	var asked, decided, answered, moved int64
	err = rows.Scan(&r.id, &r.Tenant, &r.RequestID, &r.State, &r.Code, &r.Reason, &r.Pool, &keys, &orders, &sellers, &offers,
		&r.Lines, &r.Products, &r.Attempt, &r.Latest, &asked, &decided, &answered, &r.askedIn, &r.decidedIn, &moved, &r.movedIn, &r.dead, &r.deadIn, &tracking)
	r.AppKeys, r.OrderIDs, r.Sellers, r.Offers, r.Tracking = list(keys), list(orders), list(sellers), list(offers), list(tracking)
	r.asked, r.AskedAt, r.DecidedAt, r.answered, r.movedAt = moment(asked), moment(asked), moment(decided), moment(answered), moment(moved)
	return r, err
}

// each reads all rows of an answer.
func each[T any](ctx context.Context, from asker, read func(*sql.Rows) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		value, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, rows.Err()
}

// prepared gives a statement of the batch.
func (b *batch) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if statement, found := b.statements[text]; found {
		return statement, nil
	}
	statement, err := b.tx.PrepareContext(ctx, text)
	if err == nil {
		b.statements[text] = statement
	}
	return statement, err
}

func (b *batch) close() {
	for _, statement := range b.statements {
		_ = statement.Close()
	}
}

// QueryContext asks within the transaction.
func (b *batch) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := b.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

func (b *batch) run(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := b.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

func (b *batch) exec(ctx context.Context, query string, args ...any) error {
	_, err := b.run(ctx, query, args...)
	return err
}
