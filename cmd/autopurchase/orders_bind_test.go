package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// TestOrdersBindAndUnbind: by the program's own commands, with what they leave on record.
func TestOrdersBindAndUnbind(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Count: 1}))
	publishFile(t, nats, "acme", onePiece(t, "refused.1")).accepted(1)
	reach(t, nats, "acme", 1)
	visit := func(quantity int64) string {
		t.Helper()
		offers := sim1688.DefaultCatalogue()
		plain := slices.IndexFunc(offers, func(o sim1688.Offer) bool { // that of onePiece
			return o.Stock > 0 && o.PriceFen > 0 && o.MinQuantity <= 1 && len(o.SpecIDs) > 0 && !o.NotByAPI
		})
		order, err := h.sim.Visit(sim1688.Visit{Member: "buyer", Lines: []sim1688.Line{{OfferID: offers[plain].OfferID, SpecID: offers[plain].SpecIDs[0], Quantity: quantity}}})
		must(t, err)
		return order.OrderID
	}
	run := func(args ...string) (int, string, string) {
		return execute(t, nil, append([]string{"orders"}, append(args, "--by", "li", "--nats", nats)...)...)
	}
	two := visit(2)
	code, out, errs := run("bind", two, "acme/refused.1")
	if code != exitFailed || !strings.Contains(out, "is not bound to acme.refused=2E1-1, from which it differs; the request is refused\n  it holds 2 of offer ") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	one := visit(1)
	if code, out, errs := run("bind", one, "acme.refused=2E1-1", "--dry-run"); code != exitOK || !strings.Contains(out, ": fits acme.refused=2E1-1; the request is refused\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	code, out, errs = run("bind", one, "acme/refused.1", "--json")
	var bound bus.BoundOrder
	mustFit(t, "order-bound", []byte(out))
	if must(t, json.Unmarshal([]byte(out), &bound)); code != exitOK || !bound.New || bound.Outcome != worker.OutcomePlaced || bound.Total == "" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, _ := run("bind", one, "acme/refused.1"); code != exitOK || !strings.Contains(out, "was bound to acme.refused=2E1-1 before; the request is placed\n") {
		t.Errorf("exit %d: %s", code, out)
	}
	h.sim.Push(h.appKeys[0], "ORDER_BUYER_VIEW_ORDER_PAY", map[string]string{"orderId": one, "currentStatus": "waitsellersend"})
	statuses(t, nats, "acme.refused=2E1", worker.OrderEvent(worker.StateOrdered), worker.OrderEvent(worker.StatePaid))
	if keys := listKeys(t, nats); keys[0].Used != 1 || keys[0].Held != 0 {
		t.Errorf("%+v", keys)
	}
	if code, out, errs := run("unbind", one); code != exitOK || out != "order "+one+" of 1688 is not bound to acme.refused=2E1-1 any more; the request is unknown\n" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := run("unbind", one); code != exitFailed || !strings.Contains(errs, "is bound to nothing by hand") {
		t.Errorf("exit %d: %s", code, errs)
	}
	deeds := deedsOf(t, nats, 2)
	if deeds[0].What != worker.DeedBound || deeds[1].What != worker.DeedUnbound || deeds[0].OrderID != one || deeds[1].OrderID != one || deeds[1].By != "li" {
		t.Errorf("%+v", deeds)
	}
	refused(t, exitUsage, []string{"--by: is required"}, "orders", "bind", one, "acme/refused.1")
	refused(t, exitUsage, []string{`"refused": must be a request as TENANT/ID`}, "orders", "bind", one, "refused", "--by", "li")
	stopped(t, h.up)
}

// statuses waits until these events, and no others, are on record for a request, in that order.
func statuses(t *testing.T, nats, request string, want ...worker.OrderEvent) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	b, err := bus.Connect(ctx, bus.Config{URL: nats, Name: "test"})
	must(t, err)
	defer func() { must(t, b.Close()) }()
	for message, err := range b.Watch(ctx, bus.WatchOptions{Subjects: []string{"purchase.status." + request}, Since: time.Unix(1, 0)}) {
		must(t, err)
		status, err := schemas.DecodeStatus(message.Data)
		if must(t, err); status.Event != want[0] {
			t.Errorf("%+v, want %s", status, want[0])
		}
		if want = want[1:]; len(want) == 0 {
			return
		}
	}
}
