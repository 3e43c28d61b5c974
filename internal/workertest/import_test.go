package workertest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// imports goes through all pages of the last day and gives what is known of each order, and the pages.
func (r *rig) imports(dryRun bool) (states map[string]worker.ImportState, pages []worker.Imported) {
	r.t.Helper()
	importer := &worker.Importer{Binder: *r.binder()}
	now := time.Now()
	ask := worker.Importing{Pool: "default", From: now.Add(-24 * time.Hour), To: now.Add(time.Minute), Page: 1, DryRun: dryRun, By: "li"}
	states = map[string]worker.ImportState{}
	for {
		page, err := importer.Import(r.ctx, ask)
		r.must(err)
		pages = append(pages, page)
		for _, o := range page.Orders {
			states[o.Reference] = o.State
		}
		if ask.AppKey, ask.Page = page.NextKey, page.NextPage; ask.AppKey == "" {
			return states, pages
		}
	}
}

// TestImport: what is parked, and what nobody knew of, is settled by the fact that it exists; what contradicts the record is only told.
func TestImport(t *testing.T) {
	r := newRig(t, processes(t))
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	r.addKeyOf("1000001", "buyer")
	if states, pages := r.imports(false); len(states) != 0 || len(pages) != 1 || pages[0].Foreign != 0 || pages[0].Unread != "" {
		t.Errorf("of nothing: %+v", pages)
	}
	stop := r.work()
	r.ask(r.request("healthy", 0))
	r.result("healthy")
	r.park("parked", 1, 0)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Count: 1}))
	r.ask(r.request("refused", 0))
	r.result("refused")
	stop()
	r.ask(r.request("waits", 0))
	for _, reference := range []string{"acme.parked-1", "acme.refused-1", "acme.waits-1", "acme.never-1", "acme.healthy-2"} {
		r.made(0, reference, 0)
	}
	r.visit(1, 0)
	r.made(-48*time.Hour, "acme.parked-1", 0)
	want := map[string]worker.ImportState{
		"acme.healthy-1": worker.ImportKnown, "acme.parked-1": worker.ImportFound, "acme.refused-1": worker.ImportContradicts,
		"acme.waits-1": worker.ImportFound, "acme.never-1": worker.ImportUnrequested, "acme.healthy-2": worker.ImportUnrequested,
	}
	states, pages := r.imports(true)
	if fmt.Sprint(states) != fmt.Sprint(want) || pages[0].Foreign != 1 {
		t.Errorf("%v, want %v; %+v", states, want, pages)
	}
	r.books(1, 1)
	for range 2 {
		if states, _ := r.imports(false); fmt.Sprint(states) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", states, want)
		}
		want["acme.parked-1"], want["acme.waits-1"] = worker.ImportKnown, worker.ImportKnown
		r.books(3, 0)
	}
	// 1688 has two under the reference, an older one too.
	if result, _, err := r.bus.Result(r.ctx, "acme", "parked"); err != nil || result.Outcome != worker.OutcomePlaced || len(result.Orders) != 2 {
		t.Errorf("%+v, %v", result, err)
	}
	r.work()
	r.until("the end of the one that waited", func(e worker.Event) bool { return e.Stage == worker.StageFinished && e.RequestID == "waits" })
	if orders := r.orders("waits"); len(orders) != 1 {
		t.Errorf("bought again: %+v", orders)
	}
}

// TestImportManyPages: of several accounts, one of which 1688 does not show at first; no order is passed over.
func TestImportManyPages(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.addKey("1000002", 1000)
	r.work()
	const parked = 3
	for i := range parked {
		r.park(fmt.Sprint("parked", i), 1, 0)
		r.made(0, fmt.Sprintf("acme.parked%d-1", i), 0)
		for range 20 {
			r.visit(1, 0)
		}
	}
	states, pages := r.imports(false)
	if len(states) != parked || len(pages) != 8 { // 63 orders are four pages, of each of two keys whose account nobody named
		t.Errorf("%v, %d pages", states, len(pages))
	}
	for i := range parked {
		if result, _, err := r.bus.Result(r.ctx, "acme", fmt.Sprint("parked", i)); err != nil || result.Outcome != worker.OutcomePlaced {
			t.Errorf("%+v, %v", result, err)
		}
	}
	if last := pages[7]; last.Account != 2 || last.Accounts != 2 || last.AppKey != "1000002" {
		t.Errorf("%+v", last)
	}
	r.books(parked, 0)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "getBuyerOrderList", Kind: "throttled", AppKey: "1000001"}))
	if _, pages := r.imports(false); len(pages) != 5 || pages[0].Unread == "" || pages[1].Unread != "" {
		t.Errorf("%+v", pages)
	}
	_, err := (&worker.Importer{Binder: *r.binder()}).Import(r.ctx, worker.Importing{Pool: "default", AppKey: "unheard", Page: 1, By: "li"})
	if _, ok := errors.AsType[*worker.Invalid](err); !ok {
		t.Errorf("%v", err)
	}
}
