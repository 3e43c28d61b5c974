package index

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver: SQLite in Go, so that the program stays one file without cgo

	"autopurchase/worker"
)

//go:embed schema.sql
var schema string

// What an index is told by, in the file's head: whose it is, and which schema. One of another schema is made again.
const (
	application = 0x61757075 // "aupu"
	version     = 4
)

const (
	readers  = 4       // questions that are answered at the same time
	cacheKiB = 4 << 10 // of pages that a connection keeps in memory
)

// ErrForeign is returned by Open for a file that is something else: it is not written over.
var ErrForeign = errors.New("is there and is no index of autopurchase: name another file, or remove it")

// Index is the read model in one file. It is safe for concurrent use: reading goes on while a batch is written.
type Index struct {
	path        string
	write, read *sql.DB
}

// Open opens the index in a file, which only this user may read, and makes an empty one if there is none or if it is one of an
// earlier version. It returns ErrForeign, wrapped, for a file that is something else.
func Open(ctx context.Context, path string) (*Index, error) {
	x, err := open(ctx, path)
	if errors.Is(err, errOutdated) {
		if err = remove(path); err == nil {
			x, err = open(ctx, path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", path, err)
	}
	return x, nil
}

var errOutdated = errors.New("is of another version")

func open(ctx context.Context, path string) (*Index, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite makes its other files like this one
	if err != nil {
		return nil, err
	}
	err = errors.Join(file.Chmod(0o600), file.Close())
	if err != nil {
		return nil, err
	}
	x := &Index{path: path}
	if x.write, err = sql.Open("sqlite", address(path, "_txlock=immediate")); err != nil {
		return nil, err
	}
	x.write.SetMaxOpenConns(1)
	if x.read, err = sql.Open("sqlite", address(path, "_pragma=query_only(1)")); err != nil {
		return nil, errors.Join(err, x.write.Close())
	}
	x.read.SetMaxOpenConns(readers)
	x.read.SetMaxIdleConns(readers)
	if err := x.prepare(ctx); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// address names the file. A power failure may cost the last batches, which are read again, and never the file's order.
func address(path, extra string) string {
	file := url.URL{Scheme: "file", OmitHost: true, Path: path}
	return fmt.Sprintf("%s?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-%d)&%s", file.String(), cacheKiB, extra)
}

// prepare looks whose file it is, and makes the tables of an empty one.
func (x *Index) prepare(ctx context.Context) error {
	var owner, has, tables int
	row := x.write.QueryRowContext(ctx, `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id a, pragma_user_version v`)
	if err := row.Scan(&owner, &has, &tables); err != nil {
		return fmt.Errorf("%w (%w)", ErrForeign, err)
	}
	switch {
	case owner == 0 && tables == 0:
		return x.Reset(ctx)
	case owner != application:
		return ErrForeign
	case has != version:
		return errOutdated
	}
	return nil
}

// Reset empties the index, so that it is built again from the streams.
func (x *Index) Reset(ctx context.Context) error {
	return x.change(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"request", "reason", "place", "side", "word", "tally", "minute"} {
			if _, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;\n%s", application, version, schema))
		return err
	})
}

// Reread has a stream be read from its beginning once more, where its messages may be others now.
func (x *Index) Reread(ctx context.Context, stream string) error {
	return x.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM place WHERE stream = ?`, stream)
		return err
	})
}

// change runs steps as one transaction.
func (x *Index) change(ctx context.Context, steps func(*sql.Tx) error) error {
	tx, err := x.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := steps(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Close closes the file. What was applied is in it.
func (x *Index) Close() error { return errors.Join(x.read.Close(), x.write.Close()) }

func remove(path string) error {
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Places gives how far each stream was read.
func (x *Index) Places(ctx context.Context) ([]worker.Place, error) {
	return places(ctx, x.read)
}
