package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// paidHouse is a house whose buyers pay without a password.
func paidHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, "server")
	keys, err := loadSimKeys(h.keys)
	must(t, err)
	for _, key := range keys {
		h.sim.SetAgreement(key.Member, true)
	}
	return h
}

// piece is the file of a request for one piece, to be paid for as said.
func piece(t *testing.T, id, pay string) string {
	t.Helper()
	body := strings.Replace(read(t, onePiece(t, id)), `"pay":"none"`, `"pay":"`+pay+`"`, 1)
	path := filepath.Join(t.TempDir(), "piece.ndjson")
	must(t, os.WriteFile(path, []byte(body), 0o600))
	return path
}

// order is the only one at 1688 of a request's.
func (h *house) order(reference string) sim1688.Order {
	h.t.Helper()
	orders := h.sim.Orders(sim1688.OrderFilter{OutOrderID: reference})
	if len(orders) != 1 {
		h.t.Fatalf("%s: %+v", reference, orders)
	}
	return orders[0]
}

// TestAPersonDecidesAboutPayments: stops them, starts them, and agrees to a changed price; all of it is on record.
func TestAPersonDecidesAboutPayments(t *testing.T) {
	t.Parallel()
	h := paidHouse(t)
	nats := h.where["nats"]
	run := func(args ...string) (int, string) {
		code, out, errs := execute(t, nil, append(append([]string{"orders"}, args...), "--nats", nats)...)
		return code, out + errs
	}
	if code, out := run("pay-stop", "--by", "li", "--why", "wrong prices", "--json"); code != exitOK {
		t.Fatalf("exit %d: %s", code, out)
	} else {
		mustFit(t, "pay-switch", []byte(out))
	}
	if deed := lastDeed(t, nats); deed.What != worker.DeedStopped || deed.By != "li" || deed.Why != "wrong prices" {
		t.Errorf("%+v", deed)
	}
	if code, out, errs := execute(t, nil, "queue", "--json", "--nats", nats); code != exitOK || !strings.Contains(out, `"pay_stopped":{"stopped":true,"by":"li","why":"wrong prices"`) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	} else {
		mustFit(t, "queue-status", []byte(out))
	}
	publishFile(t, nats, "acme", piece(t, "dear.1", "auto")).accepted(1)
	reach(t, nats, "acme", 1)
	const reference = "acme.dear=2E1-1"
	order := h.order(reference)
	must(t, h.sim.SetOrderPrice(order.OrderID, order.TotalFen+100, order.PostFen+100))
	if len(order.Payments) != 0 {
		t.Errorf("paid while payments were stopped: %+v", order)
	}
	if code, out := run("pay-start", "--by", "li"); code != exitOK || out != "payments go on\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	var unpaid []worker.Payment
	until(t, func() bool {
		code, out := run("unpaid", "--json")
		must(t, json.Unmarshal([]byte(out), &unpaid))
		mustFit(t, "unpaid", []byte(out))
		return code == exitOK && len(unpaid) == 1
	})
	if p := unpaid[0]; p.Code != worker.WaitPrice || p.Reference != reference || p.Amount != worker.Fen(order.TotalFen+100) || p.Account != "buyer" {
		t.Errorf("%+v", p)
	}
	if code, out := run("unpaid"); code != exitOK || !strings.Contains(out, reference) || !strings.Contains(out, "price_changed") {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, wrong := range [][]string{{reference, "--agree", "1.234", "--by", "li"}, {reference, "--agree", "1"}, {"nonsense", "--agree", "1", "--by", "li"}} {
		if code, out := run(append([]string{"pay"}, wrong...)...); code != exitUsage {
			t.Errorf("%v: exit %d: %s", wrong, code, out)
		}
	}
	code, out := run("pay", reference, "--agree", worker.Fen(order.TotalFen+100).Yuan(), "--by", "li", "--why", "more postage", "--json")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, out)
	}
	mustFit(t, "payment", []byte(out))
	if deed := lastDeed(t, nats); deed.What != worker.DeedAgreed || deed.OutOrderID != reference || deed.Why != "more postage" {
		t.Errorf("%+v", deed)
	}
	until(t, func() bool { return len(h.order(reference).Payments) == 1 })
	until(t, func() bool { code, out := run("unpaid", "--json"); return code == exitOK && out == "[]\n" })
	if code, out := run("pay", reference, "--agree", "99", "--by", "li"); code != exitFailed || !strings.Contains(out, "its payment has ended: paid") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out := run("pay-link", reference); code != exitFailed || !strings.Contains(out, "its payment has ended: paid") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// TestPayLinks: for one order, for a hundred, not for a hundred and one; what 1688 leaves out is named.
func TestPayLinks(t *testing.T) {
	t.Parallel()
	h := paidHouse(t)
	nats := h.where["nats"]
	var all strings.Builder
	for i := range worker.MaxPayLink {
		all.WriteString(read(t, onePiece(t, fmt.Sprint("PR-", i))))
	}
	path := filepath.Join(t.TempDir(), "all.ndjson")
	must(t, os.WriteFile(path, []byte(all.String()), 0o600))
	publishFile(t, nats, "acme", path).accepted(worker.MaxPayLink)
	reach(t, nats, "acme", worker.MaxPayLink)
	links := func(args ...string) (code int, links bus.LinksToPay, errs string) {
		code, out, errs := execute(t, nil, append([]string{"orders", "pay-link", "--json", "--nats", nats}, args...)...)
		if out != "" {
			mustFit(t, "pay-links", []byte(out))
			must(t, json.Unmarshal([]byte(out), &links))
		}
		return code, links, errs
	}
	if code, one, errs := links("acme.PR-0-1"); code != exitOK || len(one.Links) != 1 || one.Links[0].URL == "" || len(one.Links[0].Orders) != 1 {
		t.Errorf("exit %d: %+v %s", code, one, errs)
	}
	var names []string
	for i := range worker.MaxPayLink {
		names = append(names, fmt.Sprintf("acme/PR-%d", i))
	}
	code, hundred, errs := links(names...)
	if code != exitOK || len(hundred.Links) != 1 || len(hundred.Links[0].Orders) != worker.MaxPayLink || hundred.Links[0].URL == "" {
		t.Errorf("exit %d: %+v %s", code, hundred, errs)
	}
	if code, _, errs := links(append(names, "acme.PR-0-1", "acme/more")...); code != exitUsage || !strings.Contains(errs, "102 orders: must be 1 to 100 at once") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := links(append(names, "acme/more")...); code != exitUsage || !strings.Contains(errs, "101 orders: must be 1 to 100 at once") {
		t.Errorf("exit %d: %s", code, errs)
	}
	must(t, h.sim.CloseOrder(h.order("acme.PR-1-1").OrderID))
	code, part, errs := links("acme/PR-0", "acme.PR-1-1", "acme/never")
	if code != exitFailed || len(part.Links) != 1 || part.Links[0].URL == "" || len(part.Links[0].Failed) != 1 || part.Links[0].Failed[0] != h.order("acme.PR-1-1").OrderID ||
		!strings.Contains(part.Links[0].Said, "1 orders cannot be paid for") || len(part.LeftOut) != 1 || part.LeftOut[0].Name != "acme/never" {
		t.Errorf("exit %d: %+v %s", code, part, errs)
	}
	code, out, _ := execute(t, nil, "orders", "pay-link", "--nats", nats, "acme.PR-1-1")
	if code != exitFailed || !strings.Contains(out, "not for "+h.order("acme.PR-1-1").OrderID) {
		t.Errorf("exit %d: %s", code, out)
	}
}
