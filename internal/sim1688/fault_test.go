package sim1688

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func sprint(v any) string { return fmt.Sprint(v) }

func (w *world) inject(list ...Fault) {
	w.t.Helper()
	if err := w.Inject(list...); err != nil {
		w.t.Fatal(err)
	}
}

// Every kind, over real HTTP: what the client is told, and what exists afterwards.
func TestFaultKinds(t *testing.T) {
	tests := []struct {
		kind   string
		fault  Fault // Operation and Kind are filled in
		cut    bool
		status int
		told   []string
		silent string // must not be told
		orders int
	}{
		{kind: "latency", fault: Fault{DelayMS: 1}, status: 200, told: []string{`"success":true`}, orders: 1},
		{kind: "http_500", status: 500},
		{kind: "http_502_html", status: 502, told: []string{"<html>"}},
		{kind: "cut_before", cut: true},
		{kind: "cut_after", cut: true, orders: 1},
		{kind: "throttled", status: 400, told: []string{"gw.QosAppFrequencyLimit"}},
		{kind: "auth_401", status: 400, told: []string{`"error_code":"401"`}},
		{kind: "refuse", status: 200, told: []string{`"success":false`, `"code":"500_004"`, "库存不足"}, silent: "orderId"},
		{kind: "order_list", status: 200, told: []string{`"success":true`, `"orderList":[{`, `"orderAmmount":`}, silent: `"result":{"orderId"`, orders: 3},
		{kind: "partial", fault: Fault{Code: "500_005"}, status: 200, told: []string{`"success":true`, `"failedOfferList":[{`, "500_005", `"orderId":"`}, orders: 1},
		{kind: "text_success", status: 200, told: []string{`"success":"true"`, `"orderId":"`}, orders: 1},
		{kind: "success_without_id", status: 200, told: []string{`"success":true`}, silent: "rderId", orders: 1},
		{kind: "empty_object", status: 200, told: []string{`{}`}, silent: "success", orders: 1},
		{kind: "id_beside_failure", fault: Fault{Code: "500_001"}, status: 200, told: []string{`"success":false`, `"code":"500_001"`, `"orderId":"`}, orders: 1},
		{kind: "un_nested", status: 200, told: []string{`{"success":true,"orderId":"`, `"postFee":400`}, silent: "result", orders: 1},
		{kind: "late_list", fault: Fault{DelayMS: 1000}, status: 200, told: []string{`"success":true`}, orders: 1},
	}
	seen := map[string]bool{}
	w := start(t)
	for _, test := range tests {
		seen[test.kind] = true
		t.Run(test.kind, func(t *testing.T) {
			w.Reset()
			test.fault.Operation, test.fault.Kind = "fastCreateOrder", test.kind
			w.inject(test.fault)
			r, err := w.try(fastCreate, createParams("acme.PR1-1", someLines(3))...)
			if (err != nil) != test.cut {
				t.Fatalf("cut %v, got %v", test.cut, err)
			}
			if !test.cut {
				r.mustHave(t, test.status, test.told...)
			}
			if test.silent != "" && strings.Contains(r.body, test.silent) {
				t.Errorf("%s told in %s", test.silent, r.body)
			}
			if got := w.Orders(OrderFilter{OutOrderID: "PR1-1"}); len(got) != test.orders {
				t.Errorf("%d orders exist, want %d", len(got), test.orders)
			}
			if got := w.Faults(); got[0].Hits != 1 {
				t.Errorf("faults %+v", got)
			}
		})
	}
	for kind := range maps.Keys(kinds) {
		if !seen[kind] && !kinds[kind].pays { // those of payments are in pay_test.go
			t.Errorf("%s is not tested", kind)
		}
	}
}

func TestRefuseWithEveryCode(t *testing.T) {
	w := start(t)
	for code := range meanings {
		for _, op := range []string{"fastCreateOrder", "preview"} {
			w.inject(Fault{Operation: op, Kind: "refuse", Code: "FAIL_BIZ_" + code})
			api := fastCreate
			if op == "preview" {
				api = trade + "alibaba.createOrder.preview"
			}
			w.call(api, createParams("a.1", someLines(1))...).mustHave(t, 200, `"success":false`, `ode":"FAIL_BIZ_`+code+`"`)
		}
	}
}

// A call that the platform splits: each line an order, or a piece and the rest; one call in the books, no product lost.
func TestOrderListSplits(t *testing.T) {
	w := start(t)
	w.inject(Fault{Operation: "*", Kind: "order_list"})
	single := someLines(1)[0]
	for ref, lines := range map[string][]Line{"r.three": someLines(3), "r.pieces": {single}, "r.one": {{single.OfferID, single.SpecID, 1, 0}}} {
		var got answerOf
		w.create(ref, lines...).into(t, &got)
		orders := w.Orders(OrderFilter{OutOrderID: ref})
		want := map[string]int{"r.three": 3, "r.pieces": 2, "r.one": 1}[ref]
		if len(orders) != want || len(got.Result.OrderList) != want || got.Result.OrderID != "" {
			t.Fatalf("%s: %+v told as %+v", ref, orders, got)
		}
		var pieces, products int64
		for i, o := range orders {
			if o.Call != orders[0].Call || got.Result.OrderList[i].OrderID != o.OrderID || got.Result.OrderList[i].Amount != o.TotalFen {
				t.Errorf("%s: %+v told as %+v", ref, o, got.Result.OrderList[i])
			}
			pieces += o.Lines[0].Quantity
			products += o.Products
		}
		if products != int64(len(lines)) {
			t.Errorf("%s: %d lines count as %d products", ref, len(lines), products)
		}
		if asked := lines[0].Quantity * int64(len(lines)); pieces != asked {
			t.Errorf("%s: %d pieces of %d", ref, pieces, asked)
		}
	}
}

// An order whose answer is lost and that shows late: the hardest case for a client, and only the books know.
func TestLateListAndCutAfter(t *testing.T) {
	w := start(t)
	w.inject(Fault{Operation: "*", Kind: "late_list", DelayMS: 3000}, Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1})
	if _, err := w.try(fastCreate, createParams("a.1", someLines(1))...); err == nil {
		t.Fatal("the answer came")
	}
	order := w.Orders(OrderFilter{OutOrderID: "a.1"})[0]
	look := func() int { return w.list("outOrderId", "a.1").TotalRecord }
	if n := look(); n != 0 {
		t.Errorf("%d shown at once", n)
	}
	w.call(viewOrder, "webSite", "1688", "outOrderId", "a.1").mustHave(t, 200, "SIM_ORDER_NOT_FOUND")
	w.call(viewOrder, "webSite", "1688", "orderId", order.OrderID).mustHave(t, 200, order.OrderID) // by id, at once
	w.clock.advance(3 * time.Second)
	if n := look(); n != 1 {
		t.Errorf("%d shown after the delay", n)
	}
}

// An order that does not show late shows, whatever the platform's clock does.
func TestAClockThatIsPutBackHidesNoOrder(t *testing.T) {
	w := start(t)
	w.create("a.1", someLines(1)...)
	w.clock.advance(-time.Minute)
	if n := w.list("outOrderId", "a.1").TotalRecord; n != 1 {
		t.Errorf("%d shown", n)
	}
}

// What failed of a partial order was not ordered, is not counted, and is told as asked.
func TestPartialOrdersTheRest(t *testing.T) {
	w := start(t)
	w.inject(Fault{Operation: "*", Kind: "partial", Code: "500_005"})
	lines := someLines(3)
	var got answerOf
	w.create("a.1", lines...).into(t, &got)
	o := w.Orders(OrderFilter{})[0]
	if len(o.Lines) != 2 || o.Products != 2 || o.Lines[1].OfferID != lines[1].OfferID || w.Keys()[0].Products != 2 {
		t.Errorf("ordered %+v", o)
	}
	want := failedOffer{OfferID: lines[2].OfferID, SpecID: lines[2].SpecID, Code: "500_005", Message: meaning("500_005")}
	if failed := got.Result.FailedOfferList; len(failed) != 1 || failed[0] != want {
		t.Errorf("failed %+v", failed)
	}
}

func TestFaultCountAndScope(t *testing.T) {
	w := start(t)
	w.inject(
		Fault{Operation: "cancel", Kind: "http_500"},
		Fault{Operation: "*", Kind: "throttled", AppKey: "another"},
		Fault{Operation: "alibaba.trade.getBuyerOrderList", Kind: "throttled", Count: 2},
		Fault{Operation: "*", Kind: "partial"},
	)
	for range 2 {
		w.call(listOrders).mustHave(t, 400, "gw.QosAppFrequencyLimit")
	}
	w.call(listOrders).mustHave(t, 200)
	w.create("a.1", someLines(1)...).mustHave(t, 200, `"success":true`) // one line has no part that could fail
	w.create("a.2", someLines(2)...).mustHave(t, 200, "failedOfferList")
	var hits []int64
	for _, f := range w.Faults() {
		hits = append(hits, f.Hits)
	}
	if !slices.Equal(hits, []int64{0, 0, 2, 1}) {
		t.Errorf("hits %v", hits)
	}
	w.inject()
	w.create("a.3", someLines(2)...).mustHave(t, 200, `"success":true`)
}

// The dice are seeded: a run can be repeated, and another seed is another run.
func TestProbabilityIsSeeded(t *testing.T) {
	throw := func(seed uint64) string {
		f := newFaults(seed)
		if err := f.replace([]Fault{{Operation: "*", Kind: "throttled", Probability: 0.3}}); err != nil {
			t.Fatal(err)
		}
		c := &call{op: operations[listOrders], account: &account{Key: Key{AppKey: "k"}}}
		var run strings.Builder
		for range 1000 {
			run.WriteString(f.strike(stageBefore, c).Kind + ".")
		}
		if hits := f.books()[0].Hits; hits < 230 || hits > 370 {
			t.Errorf("seed %d: %d of 1000", seed, hits)
		}
		return run.String()
	}
	if first, again := throw(1), throw(1); first != again {
		t.Error("the same seed gave another run")
	}
	if throw(1) == throw(2) {
		t.Error("another seed gave the same run")
	}
}

func TestBadlySignedCallIsToldSoAmongFaults(t *testing.T) {
	w := start(t)
	w.inject(Fault{Operation: "*", Kind: "http_500"})
	r, err := w.post(w.GatewayURL()+"/openapi/"+listOrders+"/"+testKey, "application/x-www-form-urlencoded", signatureParam+"=AB")
	if err != nil {
		t.Fatal(err)
	}
	r.mustHave(t, 400, "gw.SignatureInvalid")
}

func TestLatencyEndsWithTheCall(t *testing.T) {
	w := start(t)
	w.inject(Fault{Operation: "*", Kind: "latency", DelayMS: 3_600_000})
	g := w.gateway.handler.(*http.ServeMux)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := httptest.NewRecorder()
	g.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodPost, "/openapi/http/1/system.oauth2/getToken/"+testKey, nil))
	if rec.Body.Len() != 0 || w.Faults()[0].Hits != 1 {
		t.Errorf("answered %s", rec.Body)
	}
}

// Faults other than cuts leave the connection open: a client is not slowed by new connections it did not cause.
func TestKeepAliveAmongFaults(t *testing.T) {
	w := start(t)
	var opened int
	transport := w.http.Transport.(*http.Transport)
	dial := (&net.Dialer{}).DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		opened++
		return dial(ctx, network, addr)
	}
	for _, kind := range []string{"http_500", "http_502_html", "throttled", "auth_401", "refuse", "order_list", "empty_object", "un_nested"} {
		w.inject(Fault{Operation: "*", Kind: kind})
		w.create("a.1", someLines(2)...)
	}
	if opened != 1 {
		t.Errorf("%d connections", opened)
	}
}

func TestFaultsValidated(t *testing.T) {
	good := Fault{Operation: "fastCreateOrder", Kind: "refuse"}
	tests := map[string]struct {
		change func(*Fault)
		want   string
	}{
		"kind unknown":          {func(f *Fault) { f.Kind = "flood" }, `kind: "flood" is none of`},
		"kind missing":          {func(f *Fault) { f.Kind = "" }, "kind:"},
		"operation unknown":     {func(f *Fault) { f.Operation = "fastcreateorder" }, `operation: "fastcreateorder"`},
		"operation missing":     {func(f *Fault) { f.Operation = "" }, "operation:"},
		"operation of no shape": {func(f *Fault) { f.Operation = "cancel" }, "operation:"},
		"create kind elsewhere": {func(f *Fault) { f.Operation, f.Kind = "preview", "un_nested" }, "operation:"},
		"probability above 1":   {func(f *Fault) { f.Probability = 1.01 }, "probability: 1.01"},
		"probability below 0":   {func(f *Fault) { f.Probability = -0.1 }, "probability:"},
		"count below 0":         {func(f *Fault) { f.Count = -1 }, "count: -1"},
		"delay of refuse":       {func(f *Fault) { f.DelayMS = 5 }, "delay_ms:"},
		"latency without delay": {func(f *Fault) { f.Kind = "latency" }, "delay_ms:"},
		"code of throttled":     {func(f *Fault) { f.Kind, f.Code = "throttled", "500_001" }, "code:"},
	}
	w := start(t)
	w.inject(good)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bad := good
			test.change(&bad)
			err := w.Inject(good, bad)
			if err == nil || !strings.HasPrefix(err.Error(), "fault 1: "+test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if got := w.Faults(); len(got) != 1 || got[0].Fault != good {
		t.Errorf("a refused list changed the faults: %+v", got)
	}
}
