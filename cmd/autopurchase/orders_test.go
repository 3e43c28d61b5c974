package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// onePiece is a request file for one piece of an offer that the simulator sells.
func onePiece(t *testing.T, id string) string {
	t.Helper()
	offers := sim1688.DefaultCatalogue()
	plain := slices.IndexFunc(offers, func(o sim1688.Offer) bool {
		return o.Stock > 0 && o.PriceFen > 0 && o.MinQuantity <= 1 && len(o.SpecIDs) > 0 && !o.NotByAPI
	})
	body := schemas.AppendRequest(nil, worker.Request{ID: id, Pool: "default", Flow: "general", Pay: "none",
		DeliverTo: worker.Address{FullName: "张三", Mobile: "13800138000", Province: "上海", City: "上海市", Area: "黄浦区", Address: "陕西南路1号"},
		Lines:     []worker.Line{{OfferID: offers[plain].OfferID, SpecID: offers[plain].SpecIDs[0], Quantity: 1, Seller: offers[plain].Seller}}})
	path := filepath.Join(t.TempDir(), id+".ndjson")
	must(t, os.WriteFile(path, append(body, '\n'), 0o600))
	return path
}

func TestOrdersParkedAndResolved(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: 2}))
	for i, id := range []string{"lost.1", "lost.2"} {
		publishFile(t, nats, "acme", onePiece(t, id)).accepted(1)
		reach(t, nats, "acme", i+1)
	}
	parked := func() (orders []bus.ParkedOrder) {
		t.Helper()
		code, out, errs := execute(t, nil, "orders", "parked", "--json", "--nats", nats)
		if code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
		must(t, json.Unmarshal([]byte(out), &orders))
		return orders
	}
	open := parked()
	if len(open) != 2 || open[0].OutOrderID != "acme.lost=2E1-1" || open[0].AppKey != h.appKeys[0] || open[0].Products != 1 || open[0].Code != worker.CodeAbsent {
		t.Fatalf("%+v", open)
	}
	code, out, _ := execute(t, nil, "orders", "parked", "--nats", nats)
	if table := strings.Split(out, "\n"); code != exitOK || len(table) != 4 || !strings.HasPrefix(table[0], "ORDER ") || !strings.HasPrefix(table[1], "acme.lost=2E1-1  1000001") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	resolve := func(args ...string) []string { return append([]string{"orders", "resolve", "--nats", nats}, args...) }
	saysNo := func(words string, args ...string) {
		t.Helper()
		if code, out, _ := execute(t, nil, resolve(args...)...); code != exitFailed || !strings.Contains(out, "failed: ") || !strings.Contains(out, words) {
			t.Errorf("exit %d: %s", code, out)
		}
	}
	saysNo("invalid: placed: 1688 has no order under this reference", open[0].OutOrderID, "--placed", "11", "--by", "li")
	saysNo("is about one order", "acme.never-1", open[0].OutOrderID, "--placed", "11", "--by", "li", "--yes")
	for range 2 {
		code, out, errs := execute(t, nil, resolve(open[0].OutOrderID, "--absent", "--by", "li", "--why", "looked", "--json")...)
		result, err := schemas.DecodeResult([]byte(strings.TrimSpace(out)))
		if code != exitOK || err != nil || result.Outcome != worker.OutcomeRefused || result.Reason != "resolved by li as absent: looked" {
			t.Errorf("exit %d, %s%s, %v", code, out, errs, err)
		}
	}
	code, out, errs := execute(t, nil, resolve(open[1].OutOrderID, "--placed", "11,12", "--force", "--by", "li")...)
	if code != exitOK || out != open[1].OutOrderID+"  placed: 1 products counted: resolved by li as placed (forced)\n" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	saysNo("request_id: is not parked: it ended as placed", open[1].OutOrderID, "--absent", "--by", "li")
	saysNo("no request that is on record", "acme.never-1", "--absent", "--by", "li")
	if len(parked()) != 0 {
		t.Errorf("still parked: %+v", parked())
	}
	if keys := listKeys(t, nats); keys[0].Used != 1 || keys[0].Held != 0 {
		t.Errorf("%+v", keys)
	}
	stopped(t, h.up)
}

func TestOrdersWrongUsage(t *testing.T) {
	t.Parallel()
	resolve := func(args ...string) []string { return append([]string{"orders", "resolve"}, args...) }
	refused(t, exitUsage, []string{"--placed", "--absent"}, resolve("acme.PR-1", "--by", "li")...)
	refused(t, exitUsage, []string{"--placed", "--absent"}, resolve("acme.PR-1", "--placed", "1", "--absent", "--by", "li")...)
	refused(t, exitUsage, []string{"--by: is required"}, resolve("acme.PR-1", "--absent")...)
	refused(t, exitUsage, []string{`"PR-1": must be a request as TENANT/ID`}, resolve("PR-1", "--absent", "--by", "li")...)
	refused(t, exitUsage, []string{"nothing is named"}, resolve("--absent", "--by", "li")...)
	refused(t, exitUsage, []string{"is about one order"}, resolve("--placed", "11", "--seller", "s", "--by", "li")...)
	refused(t, exitUsage, []string{`unknown command "buy"`}, "orders", "buy")
	refused(t, exitUsage, []string{"nothing is named"}, "orders", "cancel", "--by", "li")
	refused(t, exitUsage, []string{"--by: is required"}, "orders", "cancel", "acme/PR-1")
	refused(t, exitUsage, []string{`"PR-1": must be a request as TENANT/ID`}, "orders", "cancel", "PR-1", "--by", "li")
	refused(t, exitUsage, []string{"--yes: is required", "cancel 2 of them"}, "orders", "cancel", "acme/PR-1", "acme/PR-2", "--by", "li", "--nats", "nats://"+nowhere(t))
	refused(t, exitUsage, []string{`--on-absent "buy": must be park or resend`}, "worker", "--on-absent", "buy")
	refused(t, exitFailed, nil, "orders", "parked", "--nats", "nats://"+nowhere(t))
	for _, name := range []string{"parked", "resolve"} {
		if code, out, _ := execute(t, nil, "orders", name, "--help"); code != exitOK || !strings.Contains(out, "autopurchase orders "+name) {
			t.Errorf("exit %d: %s", code, out)
		}
	}
}
