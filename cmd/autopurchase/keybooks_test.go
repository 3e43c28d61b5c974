package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestStatementsAgreeWith1688 buys with refusals, partial orders, lost answers and one that a person has to decide, resets a key
// in between, and holds every statement against the simulator's own books.
func TestStatementsAgreeWith1688(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	must(t, h.sim.Inject(
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Count: 4},
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "partial", Count: 4},
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 3}))
	h.buy("first", 60, 60)
	must(t, h.sim.Inject(
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "late_list", DelayMS: 3_600_000, Count: 1},
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1}))
	publishFile(t, nats, "late", onePiece(t, "PR.1")).accepted(1)
	reach(t, nats, "late", 1)
	hidden := h.sim.Orders(sim1688.OrderFilter{OutOrderID: "late.PR=2E1-1"})
	if code, _, errs := execute(t, nil, "orders", "resolve", "late.PR=2E1-1", "--placed", hidden[0].OrderID, "--force", "--by", "li", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	must(t, h.sim.Inject())
	cleared := map[string]int64{h.appKeys[0]: resetKey(t, h, h.appKeys[0])}
	h.buy("second", 40, 40)

	keys := listKeys(t, nats)
	for _, key := range keys {
		s := statementOf(t, nats, key.AppKey)
		judgeStatement(t, s, key, h.sim.Orders(sim1688.OrderFilter{AppKey: key.AppKey}), cleared[key.AppKey])
		judgeParts(t, nats, s)
		judgeCSV(t, nats, s)
	}
	admin := newAdmin(t, nats)
	for verb, body := range map[string]string{"statement": fmt.Sprintf(`{"app_key":%q}`, h.appKeys[0]), "forecast": "{}"} {
		if _, code, reason := admin.ask(verb, "", body); code != "" { // it holds the answer against its schema
			t.Errorf("%s: %s: %s", verb, code, reason)
		}
	}
	judgePeriods(t, nats, statementOf(t, nats, h.appKeys[0]))
	judgeForecast(t, nats, keys, h.sim.Orders(sim1688.OrderFilter{}))
	stopped(t, h.up)
}

// resetKey says that what was counted counts no longer, and gives how much that was.
func resetKey(t *testing.T, h *house, appKey string) int64 {
	t.Helper()
	nats := h.where["nats"]
	before := listKeys(t, nats)[slices.Index(h.appKeys, appKey)]
	if code, _, errs := execute(t, nil, "keys", "reset", appKey, "--by", "li", "--why", "a new month", "--yes", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if before.Used == 0 {
		t.Fatal("nothing was counted before the reset")
	}
	return before.Used
}

// until asks again and again whether something has come true.
func until(t *testing.T, true_ func() bool) {
	t.Helper()
	for tick, late := time.Tick(20*time.Millisecond), time.After(patience); !true_(); {
		select {
		case <-tick:
		case <-late:
			t.Fatal("it did not come true in time")
		}
	}
}

func statementOf(t *testing.T, nats, appKey string, args ...string) (s bus.StatementPage) {
	t.Helper()
	code, out, errs := execute(t, nil, append([]string{"keys", "statement", appKey, "--json", "--nats", nats}, args...)...)
	if code != exitOK || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	must(t, json.Unmarshal([]byte(out), &s))
	return s
}

// judgeStatement compares a whole statement with the pool's count and with every order that 1688 has on the key.
func judgeStatement(t *testing.T, s bus.StatementPage, key bus.KeyInfo, orders []sim1688.Order, cleared int64) {
	t.Helper()
	bought, told := map[string]bool{}, map[string]bool{}
	var at1688, products, given int64
	for _, order := range orders {
		bought[order.OrderID] = true
		at1688 += order.Products
	}
	count, latest := int64(0), time.Time{}
	for _, row := range s.Rows {
		products, given = products+row.Products, given+row.Cleared
		if count += row.Products - row.Cleared; row.Count != count || row.At.Before(latest) {
			t.Errorf("%+v: counted %d, after %v", row, count, latest)
		}
		latest = row.At
		for _, id := range row.OrderIDs {
			told[id] = true
		}
	}
	if len(orders) > 0 && !reflect.DeepEqual(bought, told) {
		t.Errorf("key %s: 1688 has the orders %v, the statement %v", key.AppKey, bought, told)
	}
	if products != at1688 || given != cleared || s.Used != at1688-cleared || s.Used != key.Used || s.Counted != key.Used || s.Closing != s.Used || s.Opening != 0 {
		t.Errorf("key %s: %d bought and %d cleared, used %d; 1688 has %d, cleared were %d, the pool counts %d", key.AppKey, products, given, s.Used, at1688, cleared, key.Used)
	}
	if s.Rows[0].Kind != "added" || s.Rows[0].Limit != 1000 || s.Rows[0].By == "" {
		t.Errorf("key %s begins with %+v", key.AppKey, s.Rows[0])
	}
}

// judgeParts reads it in small parts.
func judgeParts(t *testing.T, nats string, whole bus.StatementPage) {
	t.Helper()
	got, err := readStatement(t.Context(), connect(t, nats), bus.AskStatement{AppKey: whole.AppKey, Most: 7})
	must(t, err)
	if !reflect.DeepEqual(got, whole) {
		t.Errorf("the parts of key %s are not the whole", whole.AppKey)
	}
}

// judgeCSV reads what is printed for other programs.
func judgeCSV(t *testing.T, nats string, s bus.StatementPage) {
	t.Helper()
	code, out, errs := execute(t, nil, "keys", "statement", s.AppKey, "--csv", "--nats", nats)
	lines, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if code != exitOK || err != nil || len(lines) != len(s.Rows)+1 || !slices.Equal(lines[0], statementColumns) {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	sum := int64(0)
	cell := func(line []string, column string) int64 {
		n, err := strconv.ParseInt(line[slices.Index(statementColumns, column)], 10, 64)
		must(t, err)
		return n
	}
	for _, line := range lines[1:] {
		if sum += cell(line, "products") - cell(line, "cleared"); sum != cell(line, "count") {
			t.Errorf("%q: the sum is %d", line, sum)
		}
	}
	if sum != s.Used {
		t.Errorf("the sum is %d, used %d", sum, s.Used)
	}
	if _, text, _ := execute(t, nil, "keys", "statement", s.AppKey, "--nats", nats); !strings.HasPrefix(text, "AT  ") || !strings.Contains(text, fmt.Sprintf("used in all %d\n", s.Used)) {
		t.Errorf("for people:\n%s", text)
	}
}

// judgePeriods cuts the statement at its reset.
func judgePeriods(t *testing.T, nats string, whole bus.StatementPage) {
	t.Helper()
	reset := whole.Rows[slices.IndexFunc(whole.Rows, func(r worker.Row) bool { return r.Kind == "reset" })]
	at := reset.At.Format(time.RFC3339Nano)
	before, after := statementOf(t, nats, whole.AppKey, "--to", at), statementOf(t, nats, whole.AppKey, "--from", at)
	if before.Closing != reset.Cleared || after.Opening != reset.Cleared || before.Used != whole.Used || after.Closing != whole.Used ||
		!reflect.DeepEqual(append(before.Rows, after.Rows...), whole.Rows) || after.Rows[0].Kind != "reset" || after.Rows[0].Why != "a new month" {
		t.Errorf("before it %d rows up to %d, after it %d from %d", len(before.Rows), before.Closing, len(after.Rows), after.Opening)
	}
}

// judgeForecast: everything was ordered within this hour.
func judgeForecast(t *testing.T, nats string, keys []bus.KeyInfo, orders []sim1688.Order) {
	t.Helper()
	var products, left int64
	for _, order := range orders {
		products += order.Products
	}
	for _, key := range keys {
		left += key.Left
	}
	for range 2 { // the second time it has nothing to read
		code, out, errs := execute(t, nil, "keys", "forecast", "--json", "--nats", nats, "--lead", "90m")
		var f worker.Forecast
		if err := json.Unmarshal([]byte(out), &f); code != exitOK || err != nil {
			t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
		}
		for _, rate := range f.Rates {
			if rate.Products != products {
				t.Errorf("%+v: 1688 has %d", rate, products)
			}
		}
		if f.Left != left || len(f.Active) != 1 || f.Active[0].AppKey != keys[0].AppKey || f.Active[0].Left != keys[0].Left || f.Ready != 1 ||
			f.Basis != "1h" || f.UsedUp.Before(time.Now()) || f.Active[0].UsedUp.After(f.UsedUp) || f.Prepare.LeadHours != 2 {
			t.Errorf("%+v of keys %+v", f, keys)
		}
	}
	if code, text, _ := execute(t, nil, "keys", "forecast", "--nats", nats); code != exitOK || !strings.HasPrefix(text, fmt.Sprintf("pool default: %d products left, used up ", left)) {
		t.Errorf("for people:\n%s", text)
	}
}

// TestBooksOfKeysThatLeftAndNeverWere: a removed key has its statement, and what it ordered is part of the rate, but nothing is left
// on it.
func TestBooksOfKeysThatLeftAndNeverWere(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	addKeys(t, nats, "1000001", "1000002")
	must(t, connect(t, nats).Outbox().Publish(t.Context(), worker.Result{
		Tenant: "acme", RequestID: "PR-1", Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, AppKey: "1000001", Products: 3, DecidedAt: time.Now(),
		Orders: []worker.ResultOrder{{OrderID: "11", OutOrderID: "acme.PR-1-1", AppKey: "1000001", Products: 3, Lines: []int{0}}},
	}))
	if code, _, errs := execute(t, nil, "keys", "remove", "1000001", "--by", "li", "--why", "sold", "--yes", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	s := statementOf(t, nats, "1000001")
	if s.Used != 3 || s.Counted != 0 { // Redis never heard of the order that the test has put on record
		t.Errorf("%+v", s)
	}
	_, text, _ := execute(t, nil, "keys", "statement", "1000001", "--nats", nats)
	if !strings.Contains(text, "the pool counts 0") || !strings.Contains(text, "acme.PR-1-1") {
		t.Errorf("for people:\n%s", text)
	}
	code, out, errs := execute(t, nil, "keys", "forecast", "--json", "--nats", nats)
	if code != exitOK || !strings.Contains(out, `"left":1000,`) || !strings.Contains(out, `{"over":"1h","products":3,`) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	refused(t, exitFailed, []string{"unknown_key: app_key: is not in the pool"}, "keys", "statement", "1000009", "--nats", nats)
	refused(t, exitFailed, []string{"invalid: to: must be after from"}, "keys", "statement", "1000002", "--from", "1h", "--to", "2h", "--nats", nats)
	refused(t, exitUsage, []string{`--from "yesterday": must be a time`}, "keys", "statement", "1000001", "--from", "yesterday")
	refused(t, exitUsage, []string{`--to "11": must be a time`}, "keys", "statement", "1000001", "--to", "11")
	refused(t, exitUsage, []string{"--csv and --json"}, "keys", "statement", "1000001", "--csv", "--json")
	refused(t, exitUsage, []string{"accepts 1 arg"}, "keys", "statement")
	refused(t, exitUsage, []string{`--lead "3d": must be a duration`}, "keys", "forecast", "--lead", "3d")
	for _, name := range []string{"statement", "forecast"} {
		if code, out, _ := execute(t, nil, "keys", name, "--help"); code != exitOK || !strings.Contains(out, "autopurchase keys "+name) {
			t.Errorf("exit %d: %s", code, out)
		}
	}
}
