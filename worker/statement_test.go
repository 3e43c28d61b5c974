package worker

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// at is so many milliseconds after the beginning.
func at(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)).UTC() }

func each[T any](items ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func broken[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}

// bought is a result with one order on a key.
func bought(id string, ms int, appKey string, products int64, alsoOn ...string) Result {
	return Result{Tenant: "acme", RequestID: id, Outcome: OutcomePlaced, Code: CodePlaced, DecidedAt: at(ms), Orders: []ResultOrder{
		{OrderID: "1" + id, OutOrderID: "acme." + id + "-1", AppKey: appKey, AlsoOn: alsoOn, Products: products},
	}}
}

// with adds an order to a result.
func with(r Result, n int, appKey string, products int64) Result {
	r.Orders = append(slices.Clone(r.Orders), ResultOrder{
		OrderID: fmt.Sprint(n, r.RequestID), OutOrderID: Reference(r.Tenant, r.RequestID, n), AppKey: appKey, Products: products,
	})
	return r
}

// parked is a result of which an order is unknown.
func parked(r Result) Result {
	r.Outcome, r.Code = OutcomeUnknown, CodeAbsent
	r.Unknown = []OpenOrder{{OutOrderID: Reference(r.Tenant, r.RequestID, 9), AppKey: "k", Products: 100}}
	return r
}

// aside is about another message than the request's.
func aside(r Result) Result {
	r.Aside = true
	return r
}

func journaled(kind EventKind, ms int, appKey string, cleared int64) PoolEvent {
	return PoolEvent{Pool: "default", Kind: kind, AppKey: appKey, At: at(ms), Cleared: cleared, By: "li"}
}

func stated(t *testing.T, events []PoolEvent, results ...Result) Statement {
	t.Helper()
	s, err := StatementOf("default", "k", each(events...), each(results...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// brief is a row as the tests compare it.
func brief(rows []Row) (texts []string) {
	for _, r := range rows {
		texts = append(texts, fmt.Sprintf("%d %s %s +%d -%d =%d", r.At.UnixMilli()-1_000_000, r.Kind, r.OutOrderID, r.Products, r.Cleared, r.Count))
	}
	return texts
}

func TestStatement(t *testing.T) {
	none := []PoolEvent(nil)
	for name, c := range map[string]struct {
		events  []PoolEvent
		results []Result
		want    []string
		used    int64
	}{
		"nothing": {},
		"orders in order of time, and no other key's": {
			none, []Result{bought("b", 20, "k", 3), bought("a", 10, "k", 2), bought("c", 15, "other", 7)},
			[]string{"10 order acme.a-1 +2 -0 =2", "20 order acme.b-1 +3 -0 =5"}, 5,
		},
		"an order that may be on several keys counts on each": {
			none, []Result{bought("a", 1, "other", 2, "third", "k"), bought("b", 2, "k", 1, "other")},
			[]string{"1 order acme.a-1 +2 -0 =2", "2 order acme.b-1 +1 -0 =3"}, 3,
		},
		"a result that is aside counts nothing": {
			none, []Result{bought("a", 1, "k", 2), aside(bought("a", 2, "k", 9))},
			[]string{"1 order acme.a-1 +2 -0 =2"}, 2,
		},
		"a later result counts what the unknown one did not": {
			none, []Result{parked(bought("a", 1, "k", 2)), bought("b", 2, "k", 1), with(bought("a", 3, "k", 2), 2, "k", 5)},
			[]string{"1 order acme.a-1 +2 -0 =2", "2 order acme.b-1 +1 -0 =3", "3 order acme.a-2 +5 -0 =8"}, 8,
		},
		"unknown twice, and then less than before": {
			none, []Result{parked(with(bought("a", 1, "k", 2), 2, "k", 3)), parked(with(bought("a", 2, "k", 2), 2, "k", 3)), bought("a", 3, "k", 1)},
			[]string{"1 order acme.a-1 +2 -0 =2", "1 order acme.a-2 +3 -0 =5", "3 correction acme.a-1 +0 -1 =4", "3 correction acme.a-2 +0 -3 =1"}, 1,
		},
		"an unknown one that is found to be absent": {
			none, []Result{parked(Result{Tenant: "acme", RequestID: "a", DecidedAt: at(1)}), {Tenant: "acme", RequestID: "a", Outcome: OutcomeRefused, DecidedAt: at(2)}},
			nil, 0,
		},
		"two tenants with one request id": {
			none, []Result{parked(bought("a", 1, "k", 2)), func() Result { r := bought("a", 2, "k", 4); r.Tenant = "beta"; return r }()},
			[]string{"1 order acme.a-1 +2 -0 =2", "2 order acme.a-1 +4 -0 =6"}, 6,
		},
		"an order that 1688 split is one row": {
			none, []Result{func() Result {
				r := bought("a", 1, "k", 2)
				r.Orders = append(r.Orders, ResultOrder{OrderID: "2a", OutOrderID: "acme.a-1", AppKey: "k"})
				return r
			}()},
			[]string{"1 order acme.a-1 +2 -0 =2"}, 2,
		},
		"what was done to the key, after the order of the same moment": {
			[]PoolEvent{journaled(EventAdded, 0, "k", 0), journaled(EventAdded, 1, "other", 0), journaled(EventTokens, 2, "k", 0), journaled(EventSpent, 5, "k", 0)},
			[]Result{bought("a", 5, "k", 2)},
			[]string{"0 added  +0 -0 =0", "5 order acme.a-1 +2 -0 =2", "5 spent  +0 -0 =2"}, 2,
		},
		"a reset": {
			[]PoolEvent{journaled(EventReset, 5, "k", 2), journaled(EventReset, 6, "other", 2)}, []Result{bought("a", 4, "k", 2), bought("b", 6, "k", 1)},
			[]string{"4 order acme.a-1 +2 -0 =2", "5 reset  +0 -2 =0", "6 order acme.b-1 +1 -0 =1"}, 1,
		},
		"a reset between the orders of one request": {
			[]PoolEvent{journaled(EventReset, 5, "k", 2), journaled(EventEnabled, 6, "k", 0)}, []Result{with(bought("a", 7, "k", 2), 2, "k", 1)},
			[]string{"6 enabled  +0 -0 =0", "7 order acme.a-1 +2 -0 =2", "5 reset  +0 -2 =0", "7 order acme.a-2 +1 -0 =1"}, 1,
		},
		"a reset of what is not on record any more": {
			[]PoolEvent{journaled(EventReset, 5, "k", 9)}, []Result{bought("a", 4, "k", 2)},
			[]string{"4 earlier  +7 -0 =7", "4 order acme.a-1 +2 -0 =9", "5 reset  +0 -9 =0"}, 0,
		},
	} {
		got := stated(t, c.events, c.results...)
		if rows := brief(got.Rows); !reflect.DeepEqual(rows, c.want) || got.Used != c.used || got.Closing != c.used || got.Opening != 0 {
			t.Errorf("%s: used %d, opening %d, closing %d, rows\n%q, want %d\n%q", name, got.Used, got.Opening, got.Closing, rows, c.used, c.want)
		}
	}
}

// TestStatementRowsSayWhatTheyAreAbout looks at every field of two rows.
func TestStatementRowsSayWhatTheyAreAbout(t *testing.T) {
	event := journaled(EventReset, 9, "k", 3)
	event.Limit, event.State, event.Version, event.Why = 1000, "active", 4, "a new month"
	event.Account, event.Alipay, event.Source, event.Print, event.Step, event.Verdict = "buyer", "none", "own", "a1b2", "alipay", "waived"
	event.Sealed = "what nobody is to see"
	order := bought("a", 1, "k", 3, "second", "third")
	order.Orders = append(order.Orders, ResultOrder{OrderID: "2a", OutOrderID: "acme.a-1", AppKey: "k", AlsoOn: order.Orders[0].AlsoOn})
	want := []Row{
		{At: at(1), Kind: RowOrder, Tenant: "acme", RequestID: "a", OutOrderID: "acme.a-1", OrderIDs: []string{"1a", "2a"},
			AlsoOn: []string{"second", "third"}, Products: 3, Count: 3},
		{At: at(9), Kind: "reset", Cleared: 3, KeyThen: KeyThen{Limit: 1000, State: "active", Version: 4, Account: "buyer", Alipay: "none",
			Source: "own", Print: "a1b2", Step: "alipay", Verdict: "waived"}, By: "li", Why: "a new month"},
	}
	if got := stated(t, []PoolEvent{event}, order); !reflect.DeepEqual(got.Rows, want) {
		t.Errorf("got %+v", got.Rows)
	}
}

func TestStatementOfABrokenRecord(t *testing.T) {
	away := errors.New("the broker is away")
	if _, err := StatementOf("default", "k", broken[PoolEvent](away), each[Result]()); !errors.Is(err, away) {
		t.Errorf("journal: %v", err)
	}
	if _, err := StatementOf("default", "k", each[PoolEvent](), broken[Result](away)); !errors.Is(err, away) {
		t.Errorf("results: %v", err)
	}
}

func TestStatementBetween(t *testing.T) {
	whole := stated(t, []PoolEvent{journaled(EventReset, 25, "k", 3)},
		bought("a", 10, "k", 1), bought("b", 20, "k", 2), with(bought("c", 30, "k", 4), 2, "k", 5))
	for _, c := range []struct {
		from, to         time.Time
		opening, closing int64
		rows             int
	}{
		{time.Time{}, time.Time{}, 0, 9, 5},
		{at(10), at(20), 0, 1, 1},
		{at(11), at(25), 1, 3, 1},
		{at(20), at(26), 1, 0, 2},
		{at(26), time.Time{}, 0, 9, 2},
		{at(31), time.Time{}, 9, 9, 0},
		{time.Time{}, at(1), 0, 0, 0},
		{at(25), at(10), 0, 0, 0},
	} {
		got := whole.Between(c.from, c.to)
		if got.Opening != c.opening || got.Closing != c.closing || len(got.Rows) != c.rows || got.Used != 9 {
			t.Errorf("%v to %v: %d, %d, %q", c.from, c.to, got.Opening, got.Closing, brief(got.Rows))
		}
	}
}

// TestStatementsAddUp makes records at random. The count is the sum of what the last results say less what was cleared, no row
// goes below zero, and every way of cutting the statement agrees with the whole.
func TestStatementsAddUp(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		events, results, want := randomRecord(r)
		whole := stated(t, events, results...)
		if whole.Used != want {
			t.Fatalf("seed %d: used %d, want %d: %q", seed, whole.Used, want, brief(whole.Rows))
		}
		checkRows(t, whole)
		var paged []Row
		for after, more := 0, true; more; after = len(paged) {
			var page Statement
			page, more = whole.Page(after, 1+r.IntN(5))
			checkRows(t, page)
			paged = append(paged, page.Rows...)
		}
		if !slices.EqualFunc(paged, whole.Rows, func(a, b Row) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("seed %d: the pages are not the whole", seed)
		}
		cut := at(r.IntN(1000))
		before, after := whole.Between(time.Time{}, cut), whole.Between(cut, time.Time{})
		checkRows(t, before)
		checkRows(t, after)
		if before.Closing != after.Opening || len(before.Rows)+len(after.Rows) != len(whole.Rows) {
			t.Errorf("seed %d: cut at %v: %q and %q", seed, cut, brief(before.Rows), brief(after.Rows))
		}
	}
}

func checkRows(t *testing.T, s Statement) {
	t.Helper()
	count := s.Opening
	for _, row := range s.Rows {
		if count += row.Products - row.Cleared; row.Count != count || count < 0 {
			t.Fatalf("row %+v: counted %d", row, count)
		}
	}
	if count != s.Closing {
		t.Fatalf("closing %d, the rows say %d", s.Closing, count)
	}
}

// randomRecord gives a journal and results as they may come, and what the key has used: of each request the last result counts.
func randomRecord(r *rand.Rand) (events []PoolEvent, results []Result, used int64) {
	last := map[string]Result{}
	for i := range r.IntN(40) {
		id := fmt.Sprint("r", r.IntN(30))
		before, again := last[id]
		if again && before.Outcome != OutcomeUnknown {
			continue
		}
		result := bought(id, i*20+r.IntN(40), []string{"k", "other"}[r.IntN(2)], 1+r.Int64N(9))
		if again {
			result.Orders = before.Orders
		}
		if r.IntN(3) == 0 {
			result = with(result, 2, "k", r.Int64N(9))
		}
		if r.IntN(3) == 0 {
			result = parked(result)
		}
		results, last[id] = append(results, result), result
	}
	for _, result := range last {
		for _, order := range result.Orders {
			if order.AppKey == "k" {
				used += order.Products
			}
		}
	}
	for used > 0 && r.IntN(3) == 0 {
		cleared := 1 + r.Int64N(used)
		used -= cleared
		events = append(events, journaled(EventReset, r.IntN(1000), "k", cleared))
	}
	return events, results, used
}
