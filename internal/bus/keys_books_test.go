package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

// stated is a statement with so many rows, each with words of so many bytes.
func stated(rows, words int) worker.Statement {
	s := worker.Statement{Pool: "default", AppKey: "1000001", Used: int64(rows), Closing: int64(rows)}
	for i := range rows {
		s.Rows = append(s.Rows, worker.Row{At: time.UnixMilli(int64(i)).UTC(), Kind: worker.RowOrder, Products: 1, Count: int64(i + 1), Why: strings.Repeat("x", words)})
	}
	return s
}

// TestStatementInParts: whatever the rows are like, each part fits into a message, and together they are the whole.
func TestStatementInParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rows, words, most, parts int }{
		{0, 0, 0, 1}, {1, 0, 0, 1}, {1000, 0, 0, 1}, {1001, 0, 0, 2}, {7, 0, 3, 3}, {6, 0, 3, 2}, {100, 100_000, 0, 20}, {3, 600_000, 0, 3},
	} {
		whole := stated(c.rows, c.words)
		b := connect(t, Config{URL: newServer(t)})
		stop, err := b.AdminKeys(t.Context(), KeysStatement.Answer(func(_ context.Context, q AskStatement) (StatementPage, error) {
			return q.Page(whole, 17), nil
		}))
		must(t, err)
		ask, parts, rows, closing := AskStatement{AppKey: "1000001", Most: c.most}, 0, 0, int64(0)
		for next := -1; next != 0; parts++ {
			page, err := KeysStatement.Ask(bounded(t), b, ask)
			must(t, err)
			if page.Opening != closing || page.Counted != 17 || page.Used != int64(c.rows) || page.Rows == nil || page.Pool != "default" || page.AppKey != "1000001" {
				t.Fatalf("%+v: part %d opens with %d, counted %d, used %d", c, parts, page.Opening, page.Counted, page.Used)
			}
			for _, row := range page.Rows {
				if rows++; row.Count != int64(rows) {
					t.Fatalf("%+v: row %d counts %d", c, rows, row.Count)
				}
			}
			closing, next = page.Closing, page.Next
			ask.After = next
		}
		if parts != c.parts || rows != c.rows {
			t.Errorf("%+v: %d rows in %d parts", c, rows, parts)
		}
		stop()
	}
}

func TestAskStatementRefuses(t *testing.T) {
	t.Parallel()
	b, _ := administered(t, nil)
	at := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for reason, ask := range map[string]AskStatement{
		"to: must be after from":        {AppKey: "1", From: at, To: at},
		"to: must be after from.":       {AppKey: "1", From: at, To: at.Add(-1)},
		"after: must be":                {AppKey: "1", After: -1},
		"most: must be 1 to 1000":       {AppKey: "1", Most: 1001},
		"app_key: must be 1 to 64":      {},
		"pool: must be 1 to 64 letters": {AppKey: "1", Pool: "a.b"},
	} {
		_, err := KeysStatement.Ask(bounded(t), b, ask)
		refusal, ok := errors.AsType[*AdminError](err)
		if !ok || refusal.Code != "invalid" || !strings.HasPrefix(refusal.Reason, strings.TrimSuffix(reason, ".")) {
			t.Errorf("%+v: %v", ask, err)
		}
	}
	reply, err := b.ask(bounded(t), "keypool.admin.statement", []byte(`{"app_key":"1","from":"2026-11-01"}`))
	if refusal, ok := errors.AsType[*AdminError](err); !ok || refusal.Reason != "from: has the wrong type" {
		t.Errorf("%s, %v", reply, err)
	}
}

func TestForecastDefaults(t *testing.T) {
	t.Parallel()
	b, _ := administered(t, nil)
	got, err := KeysForecast.Ask(bounded(t), b, AskForecast{})
	if err != nil || got.Pool != "default" || got.Prepare.LeadHours != 72 || got.Prepare.CoverHours != 168 || len(got.Rates) != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	none := 0
	if got, err = KeysForecast.Ask(bounded(t), b, AskForecast{LeadHours: &none, CoverHours: &none}); err != nil || got.Prepare.LeadHours != 0 || got.Prepare.CoverHours != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestASlowAnswerHasTime: statements and forecasts are given longer than other verbs.
func TestASlowAnswerHasTime(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	given := make(chan time.Duration, 2)
	note := func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		given <- time.Until(deadline)
	}
	stop, err := b.AdminKeys(t.Context(),
		KeysForecast.Answer(func(ctx context.Context, _ AskForecast) (f worker.Forecast, _ error) { note(ctx); return f, nil }),
		KeysList.Answer(func(ctx context.Context, _ ListKeys) ([]KeyInfo, error) { note(ctx); return nil, nil }))
	must(t, err)
	t.Cleanup(stop)
	_, err = KeysForecast.Ask(bounded(t), b, AskForecast{})
	must(t, err)
	_, err = KeysList.Ask(bounded(t), b, ListKeys{})
	must(t, err)
	if long, short := receive(t, given), receive(t, given); long < 50*time.Second || long > time.Minute || short > 5*time.Second {
		t.Errorf("%v and %v", long, short)
	}
}

// TestFeedReadsEachResultOnce, from a time on, over a restart of the broker.
func TestFeedReadsEachResultOnce(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	read := func(feed *Feed) []string { return idsOf(t, feed.News(bounded(t))) }
	everything := b.History().Feed(time.Unix(1, 0))
	if got := read(everything); len(got) != 0 {
		t.Errorf("of nothing: %q", got)
	}
	publish := func(id string) { must(t, b.Outbox().Publish(bounded(t), placed(id, "1"+id))) }
	publish("PR-1")
	publish("PR-2")
	if got := read(b.History().Feed(time.Now().Add(time.Hour))); len(got) != 0 {
		t.Errorf("since later: %q", got)
	}
	if got := read(everything); !slices.Equal(got, []string{"PR-1", "PR-2"}) {
		t.Errorf("%q", got)
	}
	for result, err := range b.History().Feed(time.Unix(1, 0)).News(bounded(t)) {
		if err != nil || result.RequestID != "PR-1" || result.Tenant != "acme" {
			t.Errorf("%+v, %v", result, err)
		}
		break
	}
	server.Restart()
	publish("PR-3")
	if got := read(everything); !slices.Equal(got, []string{"PR-3"}) {
		t.Errorf("%q", got)
	}
	if got := read(everything); len(got) != 0 {
		t.Errorf("again: %q", got)
	}
}

// TestFeedGoesOnAfterAnError: what was yielded is not yielded again.
func TestFeedGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	feed := b.History().Feed(time.Unix(1, 0))
	must(t, b.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	over, cancel := context.WithCancel(bounded(t))
	defer cancel()
	for _, err := range feed.News(over) {
		must(t, err)
		cancel()
		break
	}
	for _, err := range feed.News(over) {
		if err == nil {
			t.Error("a reading that was given up says nothing")
		}
	}
	must(t, b.Outbox().Publish(bounded(t), placed("PR-2", "12")))
	if got := idsOf(t, feed.News(bounded(t))); fmt.Sprint(got) != "[PR-2]" {
		t.Errorf("%q", got)
	}
}

func idsOf(t *testing.T, results iter.Seq2[worker.Result, error]) (ids []string) {
	t.Helper()
	for result, err := range results {
		must(t, err)
		ids = append(ids, result.RequestID)
	}
	return ids
}

// TestRowsAreWrittenAsTheSchemaHasThem: the domain's own JSON is what is sent.
func TestRowsAreWrittenAsTheSchemaHasThem(t *testing.T) {
	t.Parallel()
	page := AskStatement{Most: 10}.Page(stated(1, 0), 1)
	body, err := json.Marshal(page)
	must(t, err)
	if want := `{"pool":"default","app_key":"1000001","opening":0,"rows":[{"at":"1970-01-01T00:00:00Z","kind":"order","products":1,"cleared":0,"count":1}],"closing":1,"used":1,"counted":1}`; string(body) != want {
		t.Errorf("%s", body)
	}
}
