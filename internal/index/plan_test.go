package index

import (
	"database/sql"
	"strings"
	"testing"

	"autopurchase/worker"
)

// TestQuestionsUseIndexes asks SQLite how it would answer: a walk along an index in the list's order, and no sorting, which would
// read all before the first is known.
func TestQuestionsUseIndexes(t *testing.T) {
	x := fresh(t)
	for _, c := range []struct {
		filter worker.Filter
		want   string
	}{
		{worker.Filter{}, "SEARCH r USING COVERING INDEX search (at>?)"},
		{worker.Filter{Tenant: "acme", States: []worker.LifeState{worker.LifePlaced}, Codes: []worker.Code{worker.CodePlaced}, Text: "PR"}, "SEARCH r USING COVERING INDEX search (at>?)"},
		{worker.Filter{From: begun, To: begun}, "SEARCH r USING COVERING INDEX search (at>? AND at<?)"},
		{worker.Filter{States: []worker.LifeState{worker.LifeUnknown}}, "SEARCH r USING COVERING INDEX by_state (state=? AND at>?)"},
		{worker.Filter{Seller: "hill"}, "SEARCH s USING PRIMARY KEY (kind=? AND value=? AND at>?)"},
		{worker.Filter{Order: "1", Seller: "hill", Text: "PR"}, "SEARCH s USING PRIMARY KEY (kind=? AND value=? AND at>?)"},
	} {
		for _, after := range []position{newest, {1, 1}} {
			text, args := search(c.filter, after, 50)
			plan := planOf(t, x, text, args)
			if !strings.Contains(plan, strings.TrimSuffix(c.want, ")")) && !strings.Contains(plan, strings.Replace(c.want, "at>?)", "(at,", 1)) {
				t.Errorf("%+v: want %s in\n%s", c.filter, c.want, plan)
			}
			if strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan+"\n", "SCAN r\n") || strings.Contains(plan+"\n", "SCAN s\n") || strings.Contains(plan, "SCAN r ") || strings.Contains(plan, "SCAN s ") {
				t.Errorf("%+v reads all:\n%s", c.filter, plan)
			}
		}
	}
	plan := planOf(t, x, "SELECT "+columns+" FROM request r INDEXED BY decided WHERE r.decided_in > 0 ORDER BY r.decided_in DESC LIMIT 10", nil)
	if !strings.Contains(plan, "INDEX decided") || strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("latest: %s", plan)
	}
}

func planOf(t *testing.T, x *Index, text string, args []any) string {
	t.Helper()
	steps, err := each(bounded(t), x.read, func(rows *sql.Rows) (step string, err error) {
		var id, parent, unused int
		return step, rows.Scan(&id, &parent, &unused, &step)
	}, "EXPLAIN QUERY PLAN "+text, args...)
	must(t, err)
	return strings.Join(steps, "\n")
}
