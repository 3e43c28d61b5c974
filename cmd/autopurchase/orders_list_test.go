package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// listed runs orders list until it shows so many requests.
func listed(t *testing.T, nats string, n int, args ...string) (requests []worker.Summary) {
	t.Helper()
	for {
		code, out, errs := execute(t, nil, append([]string{"orders", "list", "--json", "--nats", nats}, args...)...)
		if code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, errs)
		}
		requests = nil
		must(t, json.Unmarshal([]byte(out), &requests))
		if len(requests) == n {
			return requests
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatalf("%v: %d requests, want %d: %s", args, len(requests), n, out)
		}
	}
}

// TestOrdersListedAndShown: on a machine of one's own, as people do.
func TestOrdersListedAndShown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: 1}))
	publishFile(t, nats, "acme", onePiece(t, "lost.1")).accepted(1)
	reach(t, nats, "acme", 1)
	publishFile(t, nats, "acme", onePiece(t, "PR.2")).accepted(1)
	reach(t, nats, "acme", 2)
	if parked := listed(t, nats, 1, "--state", "unknown", "--tenant", "acme"); parked[0].RequestID != "lost.1" || parked[0].Code != worker.CodeAbsent {
		t.Errorf("%+v", parked)
	}
	placed := listed(t, nats, 1, "--text", "R.2", "--state", "placed,partial", "--since", "1h", "--key", h.appKeys[0])[0]
	if placed.Lines != 1 || placed.Products != 1 || len(placed.OrderIDs) != 1 || len(placed.Sellers) != 1 || placed.Pool != "default" {
		t.Fatalf("%+v", placed)
	}
	listed(t, nats, 1, "--order", placed.OrderIDs[0], "--offer", placed.Offers[0], "--seller", placed.Sellers[0])
	listed(t, nats, 0, "--until", "1h")
	listed(t, nats, 1, "--limit", "1")
	if code, out, errs := execute(t, nil, "orders", "list", "--limit", "1", "--nats", nats); code != exitOK || strings.Count(out, "\n") != 2 || !strings.Contains(out, "acme.PR.2  placed") ||
		errs != "the newest 1 of 2; see more with --limit\n" {
		t.Errorf("exit %d:\n%s%s", code, out, errs)
	}
	for _, name := range []string{"acme/PR.2", "acme.PR.2", "acme.PR=2E2-1", placed.OrderIDs[0]} {
		code, out, errs := execute(t, nil, "orders", "show", name, "--json", "--nats", nats)
		mustFit(t, "order-life", []byte(out))
		var life worker.Life
		if err := json.Unmarshal([]byte(out), &life); code != exitOK || err != nil || life.RequestID != "PR.2" || life.WaitingFor != "nobody: it ended" || len(life.Parts) != 1 ||
			life.Parts[0].Claim != worker.ClaimPlaced || life.Parts[0].OrderIDs[0] != placed.OrderIDs[0] {
			t.Errorf("%s: exit %d, %s%s, %v", name, code, out, errs, err)
		}
		for _, what := range []string{"asked", "sent", "settled", "result"} {
			if !strings.Contains(out, `"what":"`+what+`"`) {
				t.Errorf("%s: no step %s in %s", name, what, out)
			}
		}
	}
	code, out, errs := execute(t, nil, "orders", "show", "acme.lost.1", "--nats", nats)
	if code != exitOK || !strings.HasPrefix(out, "acme.lost.1  unknown (absent): ") || !strings.Contains(out, "waits for a person: it is parked") || !strings.Contains(out, "order sent with app key "+h.appKeys[0]) {
		t.Errorf("exit %d:\n%s%s", code, out, errs)
	}
	refused(t, exitFailed, []string{"unknown_request: request_id: "}, "orders", "show", "acme.never", "--nats", nats)
	refused(t, exitFailed, []string{`order "4711": belongs to no request`}, "orders", "show", "4711", "--nats", nats)
	refused(t, exitFailed, []string{"invalid: states[0]: must be"}, "orders", "list", "--state", "lost", "--nats", nats)
	stopped(t, h.up)
	h.noBuyersDataIn("index.db")
	h.start()
	nats = h.where["nats"]
	listed(t, nats, 2)
	stopped(t, h.up)
}

// noBuyersDataIn looks for the address of onePiece, and for what must be there.
func (h *house) noBuyersDataIn(name string) {
	h.t.Helper()
	body, err := os.ReadFile(filepath.Join(h.dir, name))
	must(h.t, err)
	if !strings.Contains(string(body), "lost.1") {
		h.t.Errorf("%s has not even the requests", name)
	}
	for _, private := range []string{"张三", "13800138000", "陕西南路"} {
		if strings.Contains(string(body), private) {
			h.t.Errorf("%s has %s", name, private)
		}
	}
}

// TestNoIndexIsKept by a worker alone: it says who does, and tells lives all the same.
func TestNoIndexIsKept(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	refused(t, exitFailed, []string{"nobody keeps an index of the requests"}, "orders", "list", "--nats", nats)
	refused(t, exitFailed, []string{`order "4711": nobody keeps an index`}, "orders", "show", "4711", "--nats", nats)
	b := connect(t, nats)
	asksFor(t, b, "PR-1")
	life, err := b.ShowOrder(t.Context(), bus.ShowOrder{Tenant: "acme", RequestID: "PR-1"})
	if err != nil || life.State != worker.LifeWaiting || len(life.Parts) != 1 || !strings.HasPrefix(life.WaitingFor, "a key: pool default has none") {
		t.Errorf("%+v, %v", life, err)
	}
}
