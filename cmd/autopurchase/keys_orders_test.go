package main

import (
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestKeysWithOrders: a key whose orders are unknown cannot be retired or removed, and a reset tells what it cleared.
func TestKeysWithOrders(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	k, a := keyCommands{t, nats}, newAdmin(t, nats)
	publishFile(t, nats, "acme", onePiece(t, "good")).accepted(1)
	reach(t, nats, "acme", 1)
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_before", Count: 1}))
	publishFile(t, nats, "acme", onePiece(t, "lost")).accepted(1)
	reach(t, nats, "acme", 2)
	if got := k.key("show", "1000001"); got.Used != 1 || got.Held != 1 || got.Left != 998 {
		t.Fatalf("%+v", got)
	}
	for _, verb := range []string{"retire", "remove"} {
		k.refused(exitFailed, "in_use: app_key: ", verb, "1000001", "--why", "done", "--yes")
	}
	if got := k.key("limit", "1000001", "1"); got.Limit != 1 || got.Left != 0 || got.Used != 1 || got.Held != 1 {
		t.Errorf("%+v", got)
	}
	if got := k.key("reset", "1000001", "--why", "a new year", "--by", "li", "--yes"); got.Used != 0 || got.Held != 1 || got.Left != 0 {
		t.Errorf("%+v", got)
	}
	if event, _ := a.last(worker.EventReset); event.Cleared != 1 || event.By != "li" || event.Why != "a new year" || event.Used != 0 {
		t.Errorf("%+v", event)
	}
	if code, out, errs := execute(t, nil, "orders", "resolve", "acme.lost-1", "--absent", "--by", "li", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	if got := k.key("remove", "1000001", "--why", "done", "--yes"); got.State != "removed" || got.Held != 0 {
		t.Errorf("%+v", got)
	}
	if got := listKeys(t, nats); len(got) != 1 || got[0].AppKey != "1000002" {
		t.Errorf("%+v", got)
	}
	stopped(t, h.up)
}

// TestAKeyIsDisabledWhileItsOrderIsUnderWay: the order finishes and counts, which does not put the key back, and the next order
// is another key's.
func TestAKeyIsDisabledWhileItsOrderIsUnderWay(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	k := keyCommands{t, nats}
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "latency", DelayMS: 2000, Count: 1}))
	publishFile(t, nats, "acme", onePiece(t, "slow")).accepted(1)
	for tick, late := time.Tick(20*time.Millisecond), time.After(patience); k.key("show", "1000001").Held == 0; {
		select {
		case <-tick:
		case <-late:
			t.Fatal("the order does not begin")
		}
	}
	if got := k.key("disable", "1000001"); got.State != "disabled" || got.Held != 1 || got.Used != 0 || got.Left != 0 {
		t.Errorf("%+v", got)
	}
	publishFile(t, nats, "acme", onePiece(t, "next")).accepted(1)
	reach(t, nats, "acme", 2)
	if got := k.key("show", "1000001"); got.State != "disabled" || got.Held != 0 || got.Used != 1 {
		t.Errorf("%+v", got)
	}
	if got := k.key("show", "1000002"); got.State != "active" || got.Held != 0 || got.Used != 1 {
		t.Errorf("%+v", got)
	}
	k.refused(exitFailed, "wrong_state: app_key: ", "restore", "1000001")
	if got := k.key("enable", "1000001"); got.State != "ready" || got.Used != 1 || got.Left != 999 {
		t.Errorf("%+v", got)
	}
	stopped(t, h.up)
}
