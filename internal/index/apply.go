package index

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"autopurchase/worker"
)

// Apply takes in messages of the streams, those of each stream in their order. It is one transaction: all of them and how far
// the streams are read, or nothing. Messages that were read already change nothing. An error of another process that writes the
// same file may pass; the same messages may be applied again.
func (x *Index) Apply(ctx context.Context, entries []worker.Entry) error {
	return x.change(ctx, func(tx *sql.Tx) error {
		b := newBatch(tx)
		defer b.close()
		return b.apply(ctx, entries)
	})
}

// name identifies a request.
type name struct{ tenant, id string }

// pending is a request as it is stored and as the batch makes it.
type pending struct{ before, after row }

type tallied struct {
	tenant string
	state  worker.LifeState
}

type minuted struct {
	at   int64
	what string
}

// batch is what a transaction changes, gathered so that each row is written once.
type batch struct {
	tx         *sql.Tx
	statements map[string]*sql.Stmt
	rows       map[name]*pending
	reasons    map[string]int64
	tallies    map[tallied]int64
	minutes    map[minuted]int64
}

func newBatch(tx *sql.Tx) *batch {
	return &batch{tx: tx, statements: map[string]*sql.Stmt{}, rows: map[name]*pending{}, reasons: map[string]int64{}, tallies: map[tallied]int64{}, minutes: map[minuted]int64{}}
}

func (b *batch) apply(ctx context.Context, entries []worker.Entry) error {
	read, err := places(ctx, b.tx)
	if err != nil {
		return err
	}
	at := map[string]worker.Place{}
	for _, place := range read {
		at[place.Stream] = place
	}
	for _, e := range entries {
		if e.Sequence <= at[e.Stream].Sequence {
			continue
		}
		at[e.Stream] = worker.Place{Stream: e.Stream, Sequence: e.Sequence, At: e.At}
		if err := b.take(ctx, e); err != nil {
			return err
		}
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	for _, place := range at {
		if err := b.exec(ctx, `INSERT INTO place VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence, stored = excluded.stored`,
			place.Stream, place.Sequence, nanos(place.At)); err != nil {
			return err
		}
	}
	return nil
}

// take takes in one message, if it is one about a request. A result aside is about another message than the request.
func (b *batch) take(ctx context.Context, e worker.Entry) error {
	about := e.Request != nil || e.Status != nil || e.Dead != nil || e.Result != nil && !e.Result.Aside
	if !about || e.RequestID == "" {
		return nil
	}
	p, found := b.rows[name{e.Tenant, e.RequestID}]
	if !found {
		stored, err := b.load(ctx, e.Tenant, e.RequestID)
		if err != nil {
			return err
		}
		p = &pending{before: stored, after: stored}
		b.rows[name{e.Tenant, e.RequestID}] = p
	}
	p.after.take(e)
	return nil
}

// load gives a request as it is stored; one that is not has no id.
func (b *batch) load(ctx context.Context, tenant, id string) (row, error) {
	rows, err := query(ctx, b, "WHERE r.tenant = ? AND r.request_id = ?", tenant, id)
	if err != nil || len(rows) == 0 {
		return row{Summary: worker.Summary{Tenant: tenant, RequestID: id, State: worker.LifeWaiting}}, err
	}
	return rows[0], nil
}

// flush writes the rows and what follows from them. A request of which only a status is known has its row already, but no place in
// lists: the streams are read side by side.
func (b *batch) flush(ctx context.Context) error {
	for _, p := range b.rows {
		if err := b.write(ctx, p); err != nil {
			return err
		}
		b.count(&p.before, -1)
		b.count(&p.after, 1)
	}
	return b.add(ctx)
}

// write stores a request and its sides.
func (b *batch) write(ctx context.Context, p *pending) error {
	r := &p.after
	reason, err := b.reason(ctx, r.Reason)
	if err != nil {
		return err
	}
	dead, err := b.reason(ctx, r.dead)
	if err != nil {
		return err
	}
	columns := []any{nil, r.Tenant, r.RequestID, r.at(), r.State, r.Code, reason, r.words(), r.Pool, lines(r.AppKeys), lines(r.OrderIDs),
		lines(r.Sellers), lines(r.Offers), r.Lines, r.Products, r.Attempt, r.Latest, nanos(r.asked), nanos(r.DecidedAt), nanos(r.answered),
		r.askedIn, r.decidedIn, nanos(r.movedAt), r.movedIn, dead, r.deadIn, lines(r.Tracking)}
	if r.id > 0 {
		columns[0] = r.id
	}
	done, err := b.run(ctx, `INSERT OR REPLACE INTO request VALUES (`+strings.Repeat("?, ", len(columns)-1)+`?)`, columns...)
	if err != nil {
		return err
	}
	if r.id == 0 {
		if r.id, err = done.LastInsertId(); err != nil {
			return err
		}
	}
	return errors.Join(b.writeWords(ctx, p), b.writeSides(ctx, p))
}

// writeWords has its ids be found by a part of them.
func (b *batch) writeWords(ctx context.Context, p *pending) error {
	var errs [2]error
	if p.before.id == 0 {
		errs[0] = b.exec(ctx, `INSERT INTO word (rowid, text) VALUES (?, ?)`, 2*p.after.id, p.after.RequestID)
	}
	if numbers := p.after.numbers(); numbers != p.before.numbers() {
		errs[1] = b.exec(ctx, `INSERT OR REPLACE INTO word (rowid, text) VALUES (?, ?)`, 2*p.after.id+1, numbers)
	}
	return errors.Join(errs[:]...)
}

// writeSides replaces what has changed, all of them if its place in lists has.
func (b *batch) writeSides(ctx context.Context, p *pending) error {
	moved := p.before.at() != p.after.at()
	before, after := p.before.sides(), p.after.sides()
	for kind := sideKey; kind <= sideOrder; kind++ {
		if !moved && lines(before[kind]) == lines(after[kind]) {
			continue
		}
		for _, value := range before[kind] {
			if err := b.exec(ctx, `DELETE FROM side WHERE kind = ? AND value = ? AND at = ? AND request = ?`, kind, value, p.before.at(), p.after.id); err != nil {
				return err
			}
		}
		for _, value := range after[kind] {
			if err := b.exec(ctx, `INSERT OR IGNORE INTO side VALUES (?, ?, ?, ?)`, kind, value, p.after.at(), p.after.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// reason gives the number of a reason.
func (b *batch) reason(ctx context.Context, text string) (id int64, err error) {
	if id, found := b.reasons[text]; found {
		return id, nil
	}
	if err := b.exec(ctx, `INSERT OR IGNORE INTO reason (text) VALUES (?)`, text); err != nil {
		return 0, err
	}
	statement, err := b.prepared(ctx, `SELECT id FROM reason WHERE text = ?`)
	if err != nil {
		return 0, err
	}
	err = statement.QueryRowContext(ctx, text).Scan(&id)
	b.reasons[text] = id
	return id, err
}

func lines(list []string) string { return strings.Join(list, "\n") }

func list(lines string) []string {
	if lines == "" {
		return nil
	}
	return strings.Split(lines, "\n")
}

// kept is how long minutes are kept.
const kept = 24 * time.Hour

// add adds up what was counted.
func (b *batch) add(ctx context.Context) error {
	for key, n := range b.tallies {
		if err := b.exec(ctx, `INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`, key.tenant, key.state, n); err != nil {
			return err
		}
	}
	oldest := time.Now().Add(-kept).Unix() / 60
	for key, n := range b.minutes {
		if key.at < oldest {
			continue
		}
		if err := b.exec(ctx, `INSERT INTO minute VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`, key.at, key.what, n); err != nil {
			return err
		}
	}
	return b.exec(ctx, `DELETE FROM minute WHERE at < ?`, oldest)
}
