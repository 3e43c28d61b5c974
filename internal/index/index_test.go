package index

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

// story is what five requests come to, and two that are not decided.
func story() []worker.Entry {
	s := newStreams()
	return []worker.Entry{
		s.request("acme", "PR-1", "hill", "701", "702"),
		s.request("acme", "PR-2", "lake", "702"),
		s.result("acme", "PR-1", worker.OutcomePlaced, worker.CodePlaced, "", "225701", "225702"),
		s.request("beta", "PR-1", "hill", "703"),
		s.result("acme", "PR-2", worker.OutcomeRefused, worker.CodeOutOfStock, "Out of Stock: 50% left_over"),
		s.sent("acme", "PR-1", begun.Add(2*time.Hour), worker.Parcel{Number: "SF1300"}, worker.Parcel{Number: "SF1399"},
			worker.Parcel{Number: "SF1300", Carrier: "SF Express"}, worker.Parcel{Number: "SF1301", Replaces: "SF1399"}),
		s.status("acme", "PR-1", "paid", begun.Add(time.Hour)),
		s.result("beta", "PR-1", worker.OutcomeUnknown, worker.CodeAbsent, "not found"),
		s.request("beta", "x%_'\"", "", "704"),
		s.result("beta", "PR-1", worker.OutcomePlaced, worker.CodePlaced, "resolved by li as placed", "335701"),
		s.request("beta", "late", "lake", "705"),
		s.result("beta", "gone", worker.OutcomeCancelled, worker.CodeDeadline, "too late"),
		s.status("beta", "never", "paid", begun),
	}
}

func TestEveryFieldOfAFilter(t *testing.T) {
	x := fresh(t)
	must(t, x.Apply(bounded(t), story()))
	for _, c := range []struct {
		filter worker.Filter
		want   string
	}{
		{worker.Filter{}, " beta.gone beta.late beta.x%_'\" beta.PR-1 acme.PR-2 acme.PR-1"},
		{worker.Filter{States: []worker.LifeState{worker.LifePlaced}}, " beta.PR-1 acme.PR-1"},
		{worker.Filter{States: []worker.LifeState{worker.LifeWaiting, worker.LifeCancelled}}, " beta.gone beta.late beta.x%_'\""},
		{worker.Filter{States: []worker.LifeState{worker.LifeUnknown}}, ""},
		{worker.Filter{Codes: []worker.Code{worker.CodeOutOfStock, worker.CodeDeadline}}, " beta.gone acme.PR-2"},
		{worker.Filter{Tenant: "acme"}, " acme.PR-2 acme.PR-1"},
		{worker.Filter{AppKey: "k-2"}, " acme.PR-1"},
		{worker.Filter{Seller: "hill"}, " beta.PR-1 acme.PR-1"},
		{worker.Filter{Seller: "hill", Tenant: "beta"}, " beta.PR-1"},
		{worker.Filter{Offer: "702"}, " acme.PR-2 acme.PR-1"},
		{worker.Filter{Offer: "702", Seller: "hill"}, " acme.PR-1"},
		{worker.Filter{Offer: "70"}, ""},
		{worker.Filter{Order: "225702"}, " acme.PR-1"},
		{worker.Filter{Order: "2257"}, ""},
		{worker.Filter{Text: "2257"}, " acme.PR-1"},
		{worker.Filter{Text: "sf130"}, " acme.PR-1"},
		{worker.Filter{Text: "SF1399"}, ""},
		{worker.Filter{Text: "r-1"}, " beta.PR-1 acme.PR-1"},
		{worker.Filter{Text: "zz"}, ""},
		{worker.Filter{Text: "1"}, " beta.PR-1 acme.PR-1"},
		{worker.Filter{Text: "225702\n2257"}, ""},
		{worker.Filter{Text: "R-1"}, " beta.PR-1 acme.PR-1"},
		{worker.Filter{Text: "out of STOCK"}, " acme.PR-2"},
		{worker.Filter{Text: "resolved by li"}, " beta.PR-1"},
		{worker.Filter{Text: "not found"}, ""}, // its latest result says something else
		{worker.Filter{Text: "PR-1", AppKey: "k-3"}, " beta.PR-1"},
		{worker.Filter{From: begun.Add(4 * time.Second)}, " beta.gone beta.late beta.x%_'\" beta.PR-1"},
		{worker.Filter{From: begun.Add(2 * time.Second), To: begun.Add(4 * time.Second)}, " acme.PR-2"},
	} {
		if got := ids(t, x, c.filter); got != c.want {
			t.Errorf("%+v:\ngot  %s\nwant %s", c.filter, got, c.want)
		}
	}
}

func TestHostileText(t *testing.T) {
	x := fresh(t)
	must(t, x.Apply(bounded(t), story()))
	for text, want := range map[string]string{
		"%": ` beta.x%_'" acme.PR-2`, "_": ` beta.x%_'" acme.PR-2`, "50%": " acme.PR-2", "5_%": "", `\`: "", `'`: ` beta.x%_'"`, `"`: ` beta.x%_'"`, "'; DROP TABLE request; --": "",
		"PR-1\n": "", "\x00": "", "PR\x00": "", "\u202e": "", "\xff": "", strings.Repeat("%_", 2000): "", strings.Repeat("采", 4000): "",
	} {
		if got := ids(t, x, worker.Filter{Text: text}); got != want {
			t.Errorf("%.20q: got %q, want %q", text, got, want)
		}
		ids(t, x, worker.Filter{Tenant: text, AppKey: text, Seller: text, Offer: text, Order: text})
	}
}

func TestSummary(t *testing.T) {
	x := fresh(t)
	must(t, x.Apply(bounded(t), story()))
	listing, err := x.List(bounded(t), worker.Filter{Order: "225701"}, worker.Page{})
	must(t, err)
	want := worker.Summary{
		Tenant: "acme", RequestID: "PR-1", State: worker.LifePlaced, Code: worker.CodePlaced, Pool: "default", AppKeys: []string{"k-2"},
		OrderIDs: []string{"225701", "225702"}, Sellers: []string{"hill"}, Offers: []string{"701", "702"}, Lines: 2, Products: 2, Attempt: 1,
		Latest: "shipped", Tracking: []string{"SF1300 SF Express", "SF1301"}, AskedAt: begun.Add(time.Second), DecidedAt: begun.Add(3 * time.Second),
	}
	if !reflect.DeepEqual(listing.Requests, []worker.Summary{want}) {
		t.Errorf("got  %+v\nwant %+v", listing.Requests, want)
	}
}

func TestPages(t *testing.T) {
	x, s := fresh(t), newStreams()
	var entries []worker.Entry
	for i := range 25 {
		e := s.request("acme", strings.Repeat("n", i+1), "hill", "701")
		e.At = begun.Add(time.Duration(i/5) * time.Second) // five each at the same time
		entries = append(entries, e)
	}
	must(t, x.Apply(bounded(t), entries))
	var seen []string
	page := worker.Page{Limit: 4}
	for {
		listing, err := x.List(bounded(t), worker.Filter{Seller: "hill"}, page)
		must(t, err)
		if first := page.After == ""; first != (listing.Total == 25) {
			t.Errorf("total is %d", listing.Total)
		}
		for _, r := range listing.Requests {
			seen = append(seen, r.RequestID)
		}
		must(t, x.Apply(bounded(t), []worker.Entry{s.request("acme", "more"+page.After, "hill", "701")}))
		if page.After = listing.Next; page.After == "" {
			break
		}
	}
	if len(seen) != 25 || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != 25 {
		t.Errorf("the pages have %d requests: %v", len(seen), seen)
	}
	for _, after := range []string{"x", "1", "1.2.3", "1.2 ", "-", strings.Repeat("9", 40) + ".1"} {
		if _, err := x.List(bounded(t), worker.Filter{}, worker.Page{After: after}); !invalidField(err, "after") {
			t.Errorf("after %q: %v", after, err)
		}
	}
	if _, err := x.List(bounded(t), worker.Filter{}, worker.Page{Limit: 501}); !invalidField(err, "limit") {
		t.Errorf("limit: %v", err)
	}
}

func invalidField(err error, field string) bool {
	invalid, ok := errors.AsType[*worker.Invalid](err)
	return ok && invalid.Field == field
}

// TestRebuiltEqualsGrown reads the streams in batches of any size, side by side in any order, with repeats and restarts.
func TestRebuiltEqualsGrown(t *testing.T) {
	rebuilt := fresh(t)
	must(t, rebuilt.Apply(bounded(t), story()))
	want := contents(t, rebuilt)
	for round := range 20 {
		random := rand.New(rand.NewPCG(1688, uint64(round)))
		path := filepath.Join(t.TempDir(), "index.db")
		x := opened(t, path)
		for _, part := range batches(random, story()) {
			must(t, x.Apply(bounded(t), part))
			if random.IntN(2) == 0 {
				must(t, x.Apply(bounded(t), part)) // again
			}
			if random.IntN(4) == 0 {
				must(t, x.Close())
				x = opened(t, path)
			}
		}
		if got := contents(t, x); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d:\ngot  %+v\nwant %+v", round, got, want)
		}
	}
	must(t, rebuilt.Reset(bounded(t)))
	if got := ids(t, rebuilt, worker.Filter{}); got != "" {
		t.Errorf("after a reset there is %s", got)
	}
	must(t, rebuilt.Apply(bounded(t), story()))
	if got := contents(t, rebuilt); !reflect.DeepEqual(got, want) {
		t.Errorf("after a reset:\ngot  %+v\nwant %+v", got, want)
	}
}

// batches deals the streams out, each in its order.
func batches(random *rand.Rand, entries []worker.Entry) (parts [][]worker.Entry) {
	queues := map[string][]worker.Entry{}
	for _, e := range entries {
		queues[e.Stream] = append(queues[e.Stream], e)
	}
	for len(queues) > 0 {
		var part []worker.Entry
		for range 1 + random.IntN(3) {
			for _, stream := range slices.Sorted(maps.Keys(queues)) {
				if random.IntN(2) == 0 {
					continue
				}
				part, queues[stream] = append(part, queues[stream][0]), queues[stream][1:]
				if len(queues[stream]) == 0 {
					delete(queues, stream)
				}
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// content is all that an index tells.
type content struct {
	listing worker.Listing
	latest  []worker.Summary
	tallies map[string]map[worker.LifeState]int64
	series  []worker.Minute
	places  []worker.Place
}

func contents(t *testing.T, x *Index) content {
	t.Helper()
	ctx := bounded(t)
	var c content
	var errs [5]error
	c.listing, errs[0] = x.List(ctx, worker.Filter{}, worker.Page{})
	c.latest, errs[1] = x.Latest(ctx, 10)
	c.tallies, errs[2] = x.Tallies(ctx)
	c.series, errs[3] = x.Series(ctx, begun.Add(10*time.Minute), 60)
	c.places, errs[4] = x.Places(ctx)
	must(t, errors.Join(errs[:]...))
	return c
}

func TestOverview(t *testing.T) {
	x := fresh(t)
	must(t, x.Apply(bounded(t), story()))
	c := contents(t, x)
	if want := (map[string]map[worker.LifeState]int64{
		"acme": {worker.LifePlaced: 1, worker.LifeRefused: 1},
		"beta": {worker.LifePlaced: 1, worker.LifeWaiting: 2, worker.LifeCancelled: 1},
	}); !reflect.DeepEqual(c.tallies, want) {
		t.Errorf("tallies: got %v, want %v", c.tallies, want)
	}
	if got := names(worker.Listing{Requests: c.latest}); got != " beta.gone beta.PR-1 acme.PR-2 acme.PR-1" {
		t.Errorf("latest: %s", got)
	}
	if len(c.series) != 60 || !c.series[59].At.Equal(begun.Add(10*time.Minute)) {
		t.Fatalf("%d minutes up to %v", len(c.series), c.series[59].At)
	}
	m := c.series[49]
	if m.Asked != 5 || !reflect.DeepEqual(m.Ended, map[worker.LifeState]int64{worker.LifePlaced: 2, worker.LifeRefused: 1, worker.LifeCancelled: 1}) {
		t.Errorf("its first minute: %+v", m)
	}
	for _, took := range []struct{ got, want time.Duration }{{m.Median, 3 * time.Second}, {m.P90, 6 * time.Second}, {m.P99, 6 * time.Second}} {
		if took.got < took.want || float64(took.got) > 1.1*float64(took.want) {
			t.Errorf("took %v, want at least %v and hardly more", took.got, took.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	x := fresh(t)
	entries := story()
	must(t, x.Apply(bounded(t), entries[:3]))
	got, err := x.Places(bounded(t))
	must(t, err)
	want := []worker.Place{{Stream: "REQUESTS", Sequence: 2, At: entries[1].At}, {Stream: "RESULTS", Sequence: 1, At: entries[2].At}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNoBuyersData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	x := opened(t, path)
	must(t, x.Apply(bounded(t), story()))
	for _, end := range []string{"", "-wal"} {
		body, err := os.ReadFile(path + end)
		must(t, err)
		if end == "-wal" && !bytes.Contains(body, []byte("225701")) {
			t.Error("the file has not even its orders: this test looks in the wrong place")
		}
		if bytes.Contains(body, []byte(marker)) {
			t.Errorf("%s has a buyer's data", path+end)
		}
		info, err := os.Stat(path + end)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path+end, info.Mode())
		}
	}
}

func TestWhoseFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	x := opened(t, path)
	must(t, x.Apply(bounded(t), story()))
	_, err := x.write.Exec("PRAGMA user_version = 99")
	must(t, errors.Join(err, x.Close()))
	x = opened(t, path)
	if got := ids(t, x, worker.Filter{}); got != "" {
		t.Errorf("an index of another version keeps %s", got)
	}
	_, err = x.write.Exec("PRAGMA application_id = 7")
	must(t, errors.Join(err, x.Close()))
	text := filepath.Join(t.TempDir(), "notes.txt")
	must(t, os.WriteFile(text, []byte(strings.Repeat("not a database at all\n", 100)), 0o600))
	for _, path := range []string{path, text} {
		before, err := os.ReadFile(path)
		must(t, err)
		if _, err := Open(bounded(t), path); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was written over", path)
		}
	}
	if _, err := Open(bounded(t), filepath.Join(t.TempDir(), "no", "index.db")); err == nil {
		t.Error("a folder that is not there is fine")
	}
}

// TestDeadLettersAreFound by why they were written, whatever the result says, but give what no stream has a place in lists.
func TestDeadLettersAreFound(t *testing.T) {
	x, s := fresh(t), newStreams()
	must(t, x.Apply(bounded(t), []worker.Entry{
		s.request("acme", "PR-1", "hill", "701"), s.dead("acme", "PR-1", "field lines: Must not be empty"), s.dead("acme", "gone", "lines too"),
		s.dead("", "", "cannot be read"), s.dead("beta", "PR-2", "given up after 9 attempts"), s.request("beta", "PR-2", "hill", "701"), s.request("beta", "PR-3", "hill", "701"),
	}))
	for text, want := range map[string]string{"must not": " acme.PR-1", "up": " beta.PR-2", "attempts": " beta.PR-2", "lines": " acme.PR-1", "cannot be read": "", "": " beta.PR-3 beta.PR-2 acme.PR-1"} {
		if got := ids(t, x, worker.Filter{Text: text}); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := ids(t, x, worker.Filter{Text: "up", Seller: "hill"}); got != " beta.PR-2" {
		t.Errorf("of a seller: %q", got)
	}
	must(t, x.Apply(bounded(t), []worker.Entry{s.dead("beta", "PR-2", "something else")}))
	if got := ids(t, x, worker.Filter{Text: "attempts"}); got != "" {
		t.Errorf("by a letter before the latest: %q", got)
	}
}

// TestPrune forgets what no stream has, and nothing of which any still has a message.
func TestPrune(t *testing.T) {
	x := fresh(t)
	entries := story()
	must(t, x.Apply(bounded(t), entries))
	before := contents(t, x)
	prune := func(request, result, status uint64, want int) {
		t.Helper()
		n, err := x.Prune(bounded(t), Oldest{Request: worker.Place{Sequence: request, At: begun.Add(time.Hour)}, Result: worker.Place{Sequence: result}, Status: worker.Place{Sequence: status}, Dead: worker.Place{Sequence: 1}})
		must(t, err)
		if n != want {
			t.Errorf("%d were pruned, want %d", n, want)
		}
	}
	prune(0, 0, 0, 0)
	prune(1, 1, 1, 0)
	if after := contents(t, x); !reflect.DeepEqual(before, after) {
		t.Error("what was not to be pruned is other than before")
	}
	prune(3, 3, 1, 1) // acme's PR-2 has no status; PR-1 has one
	if got := ids(t, x, worker.Filter{}); got != " beta.gone beta.late beta.x%_'\" beta.PR-1 acme.PR-1" {
		t.Errorf("left: %s", got)
	}
	prune(6, 1, 1, 2) // no request is left, but every result
	if got := ids(t, x, worker.Filter{}); got != " beta.gone beta.PR-1 acme.PR-1" {
		t.Errorf("left: %s", got)
	}
	prune(6, 6, 4, 4)
	after := contents(t, x)
	if len(after.tallies) != 0 || ids(t, x, worker.Filter{})+ids(t, x, worker.Filter{Text: "PR-"})+ids(t, x, worker.Filter{Seller: "hill"}) != "" {
		t.Errorf("left: %+v", after)
	}
	if !reflect.DeepEqual(after.series, before.series) || !reflect.DeepEqual(after.places, before.places) {
		t.Error("what happened in the last hour, or how far the streams were read, is other than before")
	}
	for table, want := range map[string]int{"request": 0, "side": 0, "word": 0, "reason": 1} {
		var n int
		if must(t, x.read.QueryRow("SELECT count(*) FROM "+table).Scan(&n)); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}
	must(t, x.Apply(bounded(t), entries))
	if got := ids(t, x, worker.Filter{}); got != "" {
		t.Errorf("read again: %s", got)
	}
}

// TestPruneMany takes several transactions.
func TestPruneMany(t *testing.T) {
	x, s := fresh(t), newStreams()
	var entries []worker.Entry
	for i := range 2*pruneBatch + 3 {
		entries = append(entries, s.request("acme", fmt.Sprint("w", i), "hill", "701"), s.request("acme", fmt.Sprint("d", i), "hill", "701"), s.result("acme", fmt.Sprint("d", i), worker.OutcomePlaced, worker.CodePlaced, ""))
	}
	must(t, x.Apply(bounded(t), entries))
	last := entries[len(entries)-2]
	n, err := x.Prune(bounded(t), Oldest{Request: worker.Place{Sequence: last.Sequence, At: last.At}, Result: worker.Place{Sequence: 1 << 40}, Status: worker.Place{Sequence: 1}, Dead: worker.Place{Sequence: 1}})
	must(t, err)
	if left := ids(t, x, worker.Filter{}); n != 4*pruneBatch+5 || left != " acme."+last.RequestID {
		t.Errorf("%d were pruned; left %s", n, left)
	}
}
