package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestOrdersResolveMany: a filter picks parked orders, a dry run counts them and changes nothing, and every resolution is on record.
func TestOrdersResolveMany(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: 3}))
	for i := range 3 {
		publishFile(t, nats, "acme", onePiece(t, fmt.Sprint("lost.", i))).accepted(1)
		reach(t, nats, "acme", i+1)
	}
	publishFile(t, nats, "acme", onePiece(t, "bought.1")).accepted(1)
	reach(t, nats, "acme", 4)
	resolve := func(args ...string) (int, string, string) {
		return execute(t, nil, append([]string{"orders", "resolve", "--absent", "--by", "li", "--why", "asked all sellers", "--nats", nats}, args...)...)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for picked := ""; picked != "nothing was changed; it would be: 3 refused\n"; { // once the index has them
		var code int
		if code, _, picked = resolve("--tenant", "acme", "--dry-run"); code != exitOK || ctx.Err() != nil {
			t.Fatalf("exit %d: %s", code, picked)
		}
	}
	if keys := listKeys(t, nats); keys[0].Held != 3 || keys[0].Used != 1 {
		t.Errorf("after a dry run: %+v", keys)
	}
	code, out, errs := resolve("--tenant", "acme", "--yes", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitOK || len(lines) != 3 || errs != "3 refused\n" {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	for _, line := range lines {
		mustFit(t, "result", []byte(line))
	}
	if keys := listKeys(t, nats); keys[0].Held != 0 || keys[0].Used != 1 {
		t.Errorf("%+v", keys)
	}
	deeds := deedsOf(t, nats, 3)
	for i, d := range deeds {
		if d.What != worker.DeedResolved || d.By != "li" || d.Why != "asked all sellers" || d.Text != "absent" || d.OutOrderID != fmt.Sprintf("acme.lost=2E%d-1", i) {
			t.Errorf("%+v", d)
		}
	}
	stopped(t, h.up)
}

// deedsOf reads what is on record of persons' deeds: so many.
func deedsOf(t *testing.T, nats string, many int) (deeds []worker.Deed) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	b, err := bus.Connect(ctx, bus.Config{URL: nats, Name: "test"})
	must(t, err)
	defer func() { must(t, b.Close()) }()
	for message, err := range b.Watch(ctx, bus.WatchOptions{Subjects: []string{"purchase.journal.acme.>"}, Since: time.Unix(1, 0)}) {
		must(t, err)
		mustFit(t, "deed", message.Data)
		var d worker.Deed
		must(t, json.Unmarshal(message.Data, &d))
		if deeds = append(deeds, d); len(deeds) == many {
			break
		}
	}
	return deeds
}
