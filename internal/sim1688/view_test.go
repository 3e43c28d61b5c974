package sim1688

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

type listAnswer struct {
	Result      []tradeView
	TotalRecord int
}

func (w *world) list(params ...string) listAnswer {
	w.t.Helper()
	var got listAnswer
	w.call(listOrders, params...).into(w.t, &got)
	return got
}

func TestOrderListByReference(t *testing.T) {
	w := start(t)
	w.create("acme.PR1-1", someLines(2)...)
	w.create("beta.PR1-1", someLines(1)...)
	got := w.list("outOrderId", "acme.PR1-1")
	if got.TotalRecord != 1 || len(got.Result) != 1 {
		t.Fatalf("got %+v", got)
	}
	o := w.Orders(OrderFilter{OutOrderID: "acme.PR1-1"})[0]
	base := got.Result[0].Base
	if base.IDOfStr != o.OrderID || base.ID.String() != o.OrderID || base.OutID != "acme.PR1-1" || base.Status != "waitbuyerpay" ||
		base.Total != yuan(o.TotalFen) || base.Shipping != "4.00" || len(got.Result[0].Items) != 2 {
		t.Errorf("got %+v for %+v", got.Result[0], o)
	}
	for _, ref := range []string{"PR1-1", "acme.PR1", "acme.PR1-2"} { // the platform matches the whole reference only
		if got := w.list("outOrderId", ref); got.TotalRecord != 0 {
			t.Errorf("%s found %+v", ref, got)
		}
	}
}

func TestOrderListPages(t *testing.T) {
	w := start(t)
	for i := range 5 {
		w.create("r."+strconv.Itoa(i), someLines(1)...)
	}
	var seen []string
	for _, page := range []string{"1", "2", "3", "4"} {
		got := w.list("page", page, "pageSize", "2")
		if got.TotalRecord != 5 {
			t.Errorf("total %d", got.TotalRecord)
		}
		for _, v := range got.Result {
			seen = append(seen, v.Base.OutID)
		}
	}
	if want := "[r.4 r.3 r.2 r.1 r.0]"; want != sprint(seen) {
		t.Errorf("seen %v, want %s", seen, want)
	}
	for _, params := range [][]string{{"page", "0"}, {"page", "x"}, {"pageSize", "51"}, {"pageSize", "-1"}} {
		w.call(listOrders, params...).mustHave(t, http.StatusOK, "SIM_INVALID_PARAM")
	}
}

// Orders belong to the buyer: every key the buyer authorized sees them, no other does.
func TestOrdersBelongToTheBuyer(t *testing.T) {
	w := start(t, func(cfg *Config) {
		cfg.Keys = append(cfg.Keys,
			Key{AppKey: "same", Secret: "x", AccessToken: "t-same", Member: "b2b-buyer"},
			Key{AppKey: "other", Secret: "x", AccessToken: "t-other"})
	})
	w.create("a.1", someLines(1)...)
	b := w.Sim.books
	for appKey, want := range map[string]int{"same": 1, "other": 0} {
		if _, n := b.buyerOrders(query{member: b.account(appKey).Member, ref: "a.1", page: 1, size: 20}); n != want {
			t.Errorf("%s sees %d", appKey, n)
		}
	}
	id := w.Orders(OrderFilter{})[0].OrderID
	if _, found := b.buyerOrder(b.account("other").Member, id); found {
		t.Error("another buyer sees the order")
	}
	if _, refused := b.cancel(b.account("other").Member, id); refused == nil || refused.code != "SIM_ORDER_NOT_FOUND" {
		t.Errorf("another buyer's cancel: %+v", refused)
	}
}

func TestBuyerView(t *testing.T) {
	w := start(t)
	w.create("a.1", someLines(1)...)
	w.create("a.1", someLines(1)...)
	orders := w.Orders(OrderFilter{})
	for want, params := range map[string][]string{
		orders[0].OrderID: {"webSite", "1688", "orderId", orders[0].OrderID},
		orders[1].OrderID: {"webSite", "1688", "outOrderId", "a.1"},
	} {
		w.call(viewOrder, params...).mustHave(t, http.StatusOK, `"success":"true"`, `"idOfStr":"`+want+`"`, `"id":`+want+`,`)
	}
	for _, params := range [][]string{{"orderId", "1"}, {"outOrderId", "a.2"}, {}} {
		w.call(viewOrder, append(params, "webSite", "1688")...).mustHave(t, http.StatusOK, `"success":"false"`, "SIM_ORDER_NOT_FOUND")
	}
	w.call(viewOrder, "orderId", "1").mustHave(t, http.StatusBadRequest, "gw.ParamMissing")
}

func TestCancel(t *testing.T) {
	const api = trade + "alibaba.trade.cancel"
	w := start(t)
	line := someLines(1)[0]
	line.Quantity = plentyOfStock
	w.create("a.1", line)
	params := []string{"webSite", "1688", "tradeID", w.Orders(OrderFilter{})[0].OrderID, "cancelReason", "buyerCancel"}
	w.call(api, params...).mustHave(t, http.StatusOK, `"success":false`, "CLOSE_ORDER_TOO_FAST")
	w.clock.advance(10*time.Second - time.Nanosecond)
	w.call(api, params...).mustHave(t, http.StatusOK, "CLOSE_ORDER_TOO_FAST")
	w.clock.advance(time.Nanosecond)
	w.call(api, params...).mustHave(t, http.StatusOK, `"success":true`)
	w.call(api, params...).mustHave(t, http.StatusOK, "SIM_ORDER_NOT_UNPAID")
	if o := w.Orders(OrderFilter{})[0]; o.Status != "cancel" {
		t.Errorf("status %s", o.Status)
	}
	w.create("a.2", line).mustHave(t, http.StatusOK, `"success":true`) // the goods are back
	if n := w.Keys()[0].Products; n != 2 {
		t.Errorf("%d products: a cancelled order was ordered all the same", n)
	}
	w.call(api, "webSite", "1688", "tradeID", "1", "cancelReason", "other").mustHave(t, http.StatusOK, "SIM_ORDER_NOT_FOUND")
	w.call(api, "webSite", "1688", "tradeID", "1", "cancelReason", "bored").mustHave(t, http.StatusOK, "SIM_INVALID_PARAM")
	w.call(api, "webSite", "1688").mustHave(t, http.StatusBadRequest, "gw.ParamMissing", "tradeID")
}

func TestYuan(t *testing.T) {
	for fen, want := range map[int64]string{0: "0.00", 5: "0.05", 50: "0.50", 1998: "19.98", 123456789: "1234567.89"} {
		if got := yuan(fen); got.String() != want {
			t.Errorf("%d fen is %s", fen, got)
		}
	}
}
