package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestOrdersImport: by the program's own command; both keys are of one buyer.
func TestOrdersImport(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	run := func(args ...string) (int, string, string) {
		return execute(t, nil, append([]string{"orders", "import", "--days", "2", "--by", "li", "--nats", nats}, args...)...)
	}
	if code, out, errs := run(); code != exitOK || out != "" || !strings.HasSuffix(errs, "orders of 2 days: 0 that are not ours\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	publishFile(t, nats, "acme", onePiece(t, "bought.1")).accepted(1)
	reach(t, nats, "acme", 1)
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: 1}))
	publishFile(t, nats, "acme", onePiece(t, "lost.1")).accepted(1)
	reach(t, nats, "acme", 2)
	bought := h.sim.Orders(sim1688.OrderFilter{})[0]
	for i := range 45 {
		reference := ""
		if i == 0 {
			reference = "acme.lost=2E1-1"
		}
		_, err := h.sim.Visit(sim1688.Visit{Member: bought.Member, OutOrderID: reference, Lines: bought.Lines})
		must(t, err)
	}
	code, out, errs := run("--dry-run")
	if code != exitOK || !strings.Contains(out, "acme.lost=2E1-1  order ") || !strings.Contains(out, "found: would be settled as placed\n") ||
		!strings.HasSuffix(errs, "nothing was changed: orders of 2 days: 44 that are not ours, 1 found, 1 known\n") || !strings.Contains(errs, "of 1: 20 orders so far\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if keys := listKeys(t, nats); keys[0].Held != 1 {
		t.Errorf("%+v", keys)
	}
	code, out, errs = run("--json", "--why", "after the outage")
	var order bus.ImportedOrder
	if must(t, json.Unmarshal([]byte(out), &order)); code != exitOK || order.State != worker.ImportFound || order.OutOrderID != "acme.lost=2E1-1" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if keys := listKeys(t, nats); keys[0].Held != 0 || keys[0].Used != 2 {
		t.Errorf("%+v", keys)
	}
	if deeds := deedsOf(t, nats, 1); deeds[0].What != worker.DeedFound || deeds[0].OrderID != order.OrderID || deeds[0].Why != "after the outage" {
		t.Errorf("%+v", deeds)
	}
	if code, out, errs := run("--all"); code != exitOK || strings.Count(out, "known\n") != 2 || !strings.HasSuffix(errs, "44 that are not ours, 2 known\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	_, err := h.sim.Visit(sim1688.Visit{Member: bought.Member, OutOrderID: bought.OutOrderID, Lines: bought.Lines})
	must(t, err)
	if code, out, _ := run(); code != exitFailed || !strings.Contains(out, fmt.Sprintf("contradicts: on record the order is placed as order %s\n", bought.OrderID)) {
		t.Errorf("exit %d: %s", code, out)
	}
	refused(t, exitUsage, []string{"--days"}, "orders", "import", "--days", "0", "--by", "li")
	stopped(t, h.up)
}
