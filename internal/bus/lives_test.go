package bus

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

// teller answers both verbs and keeps what was asked.
type teller struct {
	lists chan ListOrders
	shows chan ShowOrder
}

func telling(t *testing.T, b *Bus) *teller {
	t.Helper()
	a := &teller{lists: make(chan ListOrders, 100), shows: make(chan ShowOrder, 100)}
	stop, err := b.AdminRequests(t.Context(), OrdersList.Answer(func(_ context.Context, q ListOrders) (worker.Listing, error) {
		a.lists <- q
		return worker.Listing{Requests: []worker.Summary{{Tenant: "acme", RequestID: "PR.1", State: worker.LifeWaiting}}, Next: "1.2", Total: 7}, nil
	}), OrdersShow.Answer(func(_ context.Context, q ShowOrder) (worker.Life, error) {
		a.shows <- q
		return worker.Life{Summary: worker.Summary{Tenant: q.Tenant, RequestID: q.RequestID}, Parts: []worker.LifePart{}, WaitingFor: "nobody: it ended"}, nil
	}))
	must(t, err)
	t.Cleanup(stop)
	return a
}

func TestListAndShow(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	if _, err := b.ListOrders(bounded(t), ListOrders{}); !errors.Is(err, ErrNobody) {
		t.Errorf("without an index: %v", err)
	}
	a := telling(t, b)
	ask := ListOrders{Filter: worker.Filter{
		States: []worker.LifeState{worker.LifeRefused}, Codes: []worker.Code{worker.CodeOutOfStock}, Tenant: "acme", AppKey: "1000001", Seller: "hill",
		Offer: "701", Order: "225701", Text: "50%", From: decidedAt, To: decidedAt.Add(time.Hour),
	}, Limit: 3, After: "5.6"}
	listing, err := b.ListOrders(bounded(t), ask)
	if err != nil || len(listing.Requests) != 1 || listing.Requests[0].RequestID != "PR.1" || listing.Next != "1.2" || listing.Total != 7 {
		t.Errorf("%+v, %v", listing, err)
	}
	if got := receive(t, a.lists); !reflect.DeepEqual(got, ask) {
		t.Errorf("got %+v, want %+v", got, ask)
	}
	life, err := b.ShowOrder(bounded(t), ShowOrder{OutOrderID: "acme.PR=2E1-3"})
	if err != nil || life.RequestID != "PR.1" || life.WaitingFor != "nobody: it ended" {
		t.Errorf("%+v, %v", life, err)
	}
	if got := receive(t, a.shows); got.Tenant != "acme" || got.RequestID != "PR.1" {
		t.Errorf("%+v", got)
	}
}

// TestListAndShowAgreeWithTheirSchemas sends their samples, and what breaks a rule, as any NATS client may.
func TestListAndShowAgreeWithTheirSchemas(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	telling(t, b)
	for subject, name := range map[string]string{"purchase.admin.list": "order-list", "purchase.admin.show": "order-show"} {
		for _, kind := range []string{"valid", "invalid"} {
			files, err := filepath.Glob(filepath.Join("..", "..", "schemas", "testdata", kind, name, "*.json"))
			if err != nil || len(files) < 2 {
				t.Fatalf("%s: %d samples, %v", name, len(files), err)
			}
			for _, file := range files {
				body, err := os.ReadFile(file)
				must(t, err)
				_, err = b.ask(bounded(t), subject, body)
				refusal, refused := errors.AsType[*AdminError](err)
				if refused != (kind == "invalid") || refused && (refusal.Code != "invalid" || !strings.Contains(refusal.Reason, ": ")) {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
	for body, reason := range map[string]string{
		`{"states":["placed","lost"]}`: "states[1]: must be", `{"codes":["nope"]}`: "codes[0]: must be", `{"limit":501}`: "limit: must be",
		`{"seller":"a\u0000"}`: "seller: must have", `{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`: "to: must be after",
	} {
		_, err := b.ask(bounded(t), "purchase.admin.list", []byte(body))
		if refusal, ok := errors.AsType[*AdminError](err); !ok || !strings.HasPrefix(refusal.Reason, reason) {
			t.Errorf("%s: %v, want %s", body, err, reason)
		}
	}
}

func TestChronicle(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, "PR-1", "PR-2")
	out := b.Outbox()
	must(t, out.Publish(bounded(t), unknown("PR-1")))
	must(t, out.Publish(bounded(t), resolving(placed("PR-1", "11"))))
	must(t, out.Publish(bounded(t), placed("PR-2", "12")))
	aside := refusedWith("PR-1", worker.CodeConflict)
	aside.Aside = true
	must(t, out.Publish(bounded(t), aside))
	must(t, out.PublishStatus(bounded(t), worker.Status{Tenant: "acme", Ref: "PR-1", RequestID: "PR-1", OrderID: "11", EventID: "e1", Topic: "PAY", Status: "paid", At: decidedAt}))
	for sequence, id := range []string{"PR-1", "PR-2"} {
		must(t, out.Bury(bounded(t), worker.DeadLetter{Tenant: "acme", Subject: "purchase.request.acme." + id, Sequence: uint64(sequence + 1), RequestID: id, Code: worker.CodeInternal, Reason: "given up"}))
	}
	entries, err := b.Chronicle(bounded(t), "acme", "PR-1")
	must(t, err)
	var got []string
	for _, e := range entries {
		what := e.Stream
		switch {
		case e.Request != nil:
			what += " " + e.Request.Lines[0].OfferID
		case e.Result != nil && e.Result.Aside:
			what += " aside " + string(e.Result.Code)
		case e.Result != nil:
			what += " " + string(e.Result.Outcome)
		case e.Status != nil:
			what += " " + e.Status.Status
		case e.Dead != nil:
			what += " " + e.Dead.Reason
		}
		if got = append(got, what); e.Sequence == 0 || e.At.IsZero() || e.Tenant != "acme" || e.RequestID != "PR-1" {
			t.Errorf("%+v", e)
		}
	}
	want := []string{
		"PURCHASE_REQUESTS 700000000001", "PURCHASE_RESULTS unknown", "PURCHASE_RESULTS placed", "PURCHASE_RESULTS aside conflict", "PURCHASE_STATUS paid",
		"PURCHASE_DEAD given up",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if entries, err := b.Chronicle(bounded(t), "acme", "PR-3"); err != nil || len(entries) != 0 {
		t.Errorf("%+v, %v", entries, err)
	}
}

// TestEntryOfPoison: a request that no worker takes has its id, and what is wrong with it, and nothing of what it says.
func TestEntryOfPoison(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject, body, id, field string
	}{
		{"purchase.request.acme.PR-1", `{"request_id":"PR-1","mobile":"139"}`, "PR-1", "mobile"},
		{"purchase.request.acme.PR-1", string(requestBody("PR-2", 1)), "PR-1", "request_id"},
		{"purchase.request.acme.PR=zz", string(requestBody("PR-2", 1)), "", ""},
	} {
		e := Message{Subject: c.subject, Stream: StreamRequests, Sequence: 7, Time: decidedAt, Data: []byte(c.body)}.Entry()
		if e.RequestID != c.id || e.Sequence != 7 || (e.Fault == nil) != (c.id == "") || e.Fault != nil && (e.Fault.Field != c.field || len(e.Request.Lines) > 0) {
			t.Errorf("%s %s: %+v", c.subject, c.body, e)
		}
	}
}

// TestWatchGoesOnBehindAPlace: also where nothing was read yet.
func TestWatchGoesOnBehindAPlace(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	submit(t, b, "PR-1", "PR-2")
	must(t, b.Outbox().Publish(bounded(t), placed("PR-1", "11")))
	first, err := b.batch(bounded(t), StreamRequests, directGet{Sequence: 1, Batch: 1})
	must(t, err)
	place := worker.Place{Stream: StreamRequests, Sequence: 1, At: first[0].Time}
	if holds, err := b.Holds(bounded(t), place); err != nil || !holds {
		t.Errorf("%v, %v", holds, err)
	}
	messages, _ := watching(t, b, WatchOptions{Streams: []string{StreamRequests}, After: []worker.Place{place}})
	if m := receive(t, messages); m.Sequence != 2 {
		t.Errorf("%+v", m)
	}
	results, _ := watching(t, b, WatchOptions{Subjects: []string{SubjectResults}, After: []worker.Place{{Stream: StreamResults}}})
	if m := receive(t, results); m.Sequence != 1 {
		t.Errorf("%+v", m)
	}
	for _, gone := range []worker.Place{{Stream: StreamRequests, Sequence: 1, At: place.At.Add(1)}, {Stream: StreamRequests, Sequence: 3, At: place.At}, {Stream: "NONE", Sequence: 1}} {
		if holds, err := b.Holds(bounded(t), gone); err != nil || holds {
			t.Errorf("%+v: %v, %v", gone, holds, err)
		}
	}
}
