package index

import (
	"context"
	"database/sql"
	"strings"

	"autopurchase/worker"
)

const (
	// fewBound is up to how many ids are looked at one by one; a text that more have is soon found by walking along all requests.
	fewBound = 20_000
	// grams are so many of a text's at most: the others are compared in what these find.
	grams = 32
)

// few says whether a text is in the ids of few requests, so that it is found from there.
func (x *Index) few(ctx context.Context, f worker.Filter) (bool, error) {
	match, ok := trigrams(f.Text)
	if !ok || len(sidesOf(f)) > 0 {
		return false, nil
	}
	counts, err := each(ctx, x.read, func(rows *sql.Rows) (n int, err error) { return n, rows.Scan(&n) },
		`SELECT count(*) FROM (SELECT 1 FROM word WHERE word MATCH ? LIMIT ?)`, match, fewBound+1)
	return err == nil && counts[0] <= fewBound, err
}

// searchFew writes the question for such a text: the ids that have it, and the requests of the reasons that have it.
func searchFew(f worker.Filter, after position, most int) (string, []any) {
	match, _ := trigrams(f.Text)
	q := &question{}
	q.add(`SELECT at, id FROM (SELECT r.at, r.id FROM request r WHERE r.id IN (SELECT rowid / 2 FROM word WHERE word MATCH ?) AND r.words LIKE ? ESCAPE '\'`, match, pattern(f.Text))
	q.period("r.at", "r.id", f, after)
	q.conditions(f)
	for _, why := range []string{"reason", "dead"} {
		q.add(` UNION SELECT at, id FROM (SELECT r.at, r.id FROM request r INDEXED BY by_`+why+` WHERE r.`+why+` <> 1 AND r.`+why+` IN (`+reasonsLike+`)`, pattern(f.Text))
		q.period("r.at", "r.id", f, after)
		q.conditions(f)
		q.add(" ORDER BY r.at DESC, r.id DESC LIMIT ?)", most)
	}
	q.add(") ORDER BY at DESC, id DESC LIMIT ?", most)
	return q.text.String(), q.args
}

// trigrams asks for texts that have each three characters in a row that a text has; false if it has not so many.
func trigrams(text string) (string, bool) {
	runes := []rune(text)
	var all []string
	for i := 0; i+3 <= len(runes) && len(all) < grams; i++ {
		all = append(all, `"`+strings.ReplaceAll(string(runes[i:i+3]), `"`, `""`)+`"`)
	}
	return strings.Join(all, " AND "), len(all) > 0
}
