package index

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"autopurchase/worker"
)

// How many requests a part of a list has.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// List gives a part of the requests that a filter picks, the newest first: by when they were asked. While requests arrive, what
// Next leads to neither repeats nor leaves out any that was there before. Errors are an *worker.Invalid for a page that is none,
// and those of the file.
func (x *Index) List(ctx context.Context, filter worker.Filter, page worker.Page) (worker.Listing, error) {
	page.Limit = cmp.Or(page.Limit, defaultLimit)
	if page.Limit < 1 || page.Limit > maxLimit {
		return worker.Listing{}, &worker.Invalid{Field: "limit", Reason: fmt.Sprintf("must be 1 to %d requests", maxLimit)}
	}
	first := page.After == ""
	after, err := parsePosition(page.After)
	if err != nil {
		return worker.Listing{}, err
	}
	most := page.Limit + 1
	if first {
		most = worker.CountBound
	}
	found, err := x.find(ctx, filter, after, most)
	if err != nil {
		return worker.Listing{}, err
	}
	var listing worker.Listing
	if first {
		listing.Total = len(found)
	}
	if len(found) > page.Limit {
		found = found[:page.Limit]
		listing.Next = found[page.Limit-1].String()
	}
	listing.Requests, err = x.summaries(ctx, found)
	if n := fitting(listing.Requests); n < len(listing.Requests) {
		listing.Requests, listing.Next = listing.Requests[:n], found[n-1].String()
	}
	return listing, err
}

// maxBytes is how long a part is at most, written: half of what one message of NATS takes by default.
const maxBytes = 512 << 10

// fitting gives how many requests fit into a part: one at least.
func fitting(requests []worker.Summary) int {
	bytes := 0
	for i, request := range requests {
		text, _ := json.Marshal(request) // has nothing that cannot be written
		if bytes += len(text) + 1; bytes > maxBytes && i > 0 {
			return i
		}
	}
	return len(requests)
}

// Count counts the requests that a filter picks, up to worker.CountBound.
func (x *Index) Count(ctx context.Context, filter worker.Filter) (int, error) {
	found, err := x.find(ctx, filter, newest, worker.CountBound)
	return len(found), err
}

// find gives where the requests are in the list, behind a position, at most so many.
func (x *Index) find(ctx context.Context, filter worker.Filter, after position, most int) ([]position, error) {
	if hopeless(filter) {
		return nil, nil
	}
	few, err := x.few(ctx, filter)
	if err != nil {
		return nil, err
	}
	text, args := search(filter, after, most)
	if few {
		text, args = searchFew(filter, after, most)
	}
	return each(ctx, x.read, func(rows *sql.Rows) (p position, err error) { return p, rows.Scan(&p.at, &p.id) }, text, args...)
}

// hopeless says that a filter has a text which no request can have.
func hopeless(f worker.Filter) bool {
	return slices.ContainsFunc([]string{f.Tenant, f.AppKey, f.Seller, f.Offer, f.Order, f.Text}, func(text string) bool {
		return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F })
	})
}

// search writes the question. With a side it walks along that side's requests, with rare states along theirs, else along all in
// the index search, which alone decides every other condition; each is in the list's order, so that it ends as soon as it has
// enough.
func search(f worker.Filter, after position, most int) (string, []any) {
	q := &question{}
	if sides := sidesOf(f); len(sides) > 0 {
		q.add("SELECT s.at, s.request FROM side s CROSS JOIN request r ON r.id = s.request WHERE s.kind = ? AND s.value = ?", sides[0].kind, sides[0].value)
		for _, side := range sides[1:] {
			q.add(" AND EXISTS (SELECT 1 FROM side o WHERE o.kind = ? AND o.value = ? AND o.at = s.at AND o.request = s.request)", side.kind, side.value)
		}
		q.period("s.at", "s.request", f, after)
		q.conditions(f)
		q.having(f)
		q.add(" ORDER BY s.at DESC, s.request DESC LIMIT ?", most)
		return q.text.String(), q.args
	}
	q.add("SELECT r.at, r.id FROM request r INDEXED BY search WHERE true")
	if f.Text == "" && len(f.States) > 0 && !slices.Contains(f.States, worker.LifePlaced) {
		q = &question{}
		q.add("SELECT r.at, r.id FROM request r INDEXED BY by_state WHERE r.state <> 'placed'")
	}
	q.period("r.at", "r.id", f, after)
	q.conditions(f)
	q.having(f)
	q.add(" ORDER BY r.at DESC, r.id DESC LIMIT ?", most)
	return q.text.String(), q.args
}

type side struct {
	kind  kind
	value string
}

// sidesOf are the sides that a filter asks for, first the one that picks most narrowly.
func sidesOf(f worker.Filter) (sides []side) {
	for _, s := range []side{{sideOrder, f.Order}, {sideOffer, f.Offer}, {sideKey, f.AppKey}, {sideSeller, f.Seller}} {
		if s.value != "" {
			sides = append(sides, s)
		}
	}
	return sides
}

// question is a question in SQL with what it is about: no value is ever a part of the text.
type question struct {
	text strings.Builder
	args []any
}

func (q *question) add(text string, args ...any) {
	q.text.WriteString(text)
	q.args = append(q.args, args...)
}

// period bounds the walk. What has no place in lists is at 0.
func (q *question) period(at, id string, f worker.Filter, after position) {
	q.add(" AND "+at+" >= ?", max(nanos(f.From), 1))
	if !f.To.IsZero() {
		q.add(" AND "+at+" < ?", nanos(f.To))
	}
	if after != newest {
		q.add(" AND ("+at+", "+id+") < (?, ?)", after.at, after.id)
	}
}

func (q *question) conditions(f worker.Filter) {
	if f.Tenant != "" {
		q.add(" AND r.tenant = ?", f.Tenant)
	}
	oneOf(q, "r.state", f.States)
	oneOf(q, "r.code", f.Codes)
}

// reasonsLike are the reasons that have a text.
const reasonsLike = `SELECT id FROM reason WHERE text LIKE ? ESCAPE '\'`

// having has every request be asked for the text.
func (q *question) having(f worker.Filter) {
	if f.Text != "" {
		q.add(` AND (r.words LIKE ? ESCAPE '\' OR r.reason IN (`+reasonsLike+`) OR r.dead IN (`+reasonsLike+`))`, pattern(f.Text), pattern(f.Text), pattern(f.Text))
	}
}

func oneOf[T any](q *question, column string, values []T) {
	if len(values) == 0 {
		return
	}
	q.add(" AND " + column + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")")
	for _, value := range values {
		q.args = append(q.args, value)
	}
}

// pattern matches what has the text in it, whatever characters that has.
func pattern(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// summaries gives the requests at some positions, in their order.
func (x *Index) summaries(ctx context.Context, at []position) ([]worker.Summary, error) {
	summaries := make([]worker.Summary, 0, len(at))
	if len(at) == 0 {
		return summaries, nil
	}
	q := &question{}
	ids := make([]int64, 0, len(at))
	for _, p := range at {
		ids = append(ids, p.id)
	}
	oneOf(q, "r.id", ids)
	rows, err := query(ctx, x.read, "WHERE true"+q.text.String()+" ORDER BY r.at DESC, r.id DESC", q.args...)
	for _, r := range rows {
		summaries = append(summaries, r.Summary)
	}
	return summaries, err
}
