package sim1688

import (
	"net/http"
	"strings"
	"testing"
)

// TestAnOrdersWayToItsEnd sees what is pushed and shown of an order that is paid for, sent, received and done.
func TestAnOrdersWayToItsEnd(t *testing.T) {
	w := start(t)
	w.create("acme.PR1-1", someLines(2)...)
	id := w.Orders(OrderFilter{})[0].OrderID
	for _, c := range []struct{ step, more, status, topic string }{
		{"pay", "", "waitsellersend", "ORDER_PAY"},
		{"ship_part", `,"parcels":[{"number":"SF1","carrier":"顺丰速运"}]`, "waitsellersend", "PART_PART_SENDGOODS"},
		{"ship", `,"parcels":[{"number":"SF2","carrier":"顺丰速运"}]`, "waitbuyerreceive", "ANNOUNCE_SENDGOODS"},
		{"receive", "", "confirm_goods", "ORDER_COMFIRM_RECEIVEGOODS"},
		{"finish", `,"silent":true`, "success", ""},
	} {
		before := len(w.Unconfirmed(testKey))
		w.adminPost("/admin/progress", `{"order_id":"`+id+`","step":"`+c.step+`"`+c.more+`}`).mustHave(t, http.StatusOK)
		w.call(viewOrder, "webSite", "1688", "orderId", id).mustHave(t, http.StatusOK, `"status":"`+c.status+`"`)
		list := w.call("param2/1/cn.alibaba.open/push.query.messageList")
		if pushed := len(w.Unconfirmed(testKey)) - before; pushed != 1 && c.topic != "" || pushed != 0 && c.topic == "" || !strings.Contains(list.body, c.topic) {
			t.Errorf("%s: %d pushed, %s", c.step, pushed, list.body)
		}
	}
	w.call(viewOrder, "webSite", "1688", "orderId", id).mustHave(t, http.StatusOK, `"logisticsItems":[{"logisticsBillNo":"SF1","logisticsCompanyName":"顺丰速运"},{"logisticsBillNo":"SF2"`)
	if o := w.Orders(OrderFilter{})[0]; len(o.Payments) != 1 || o.Payments[0].Fen != o.TotalFen || len(o.Parcels) != 2 {
		t.Errorf("%+v", o)
	}
}

func TestStepsThatAreNotTaken(t *testing.T) {
	w := start(t)
	w.create("acme.PR1-1", someLines(1)...)
	id := w.Orders(OrderFilter{})[0].OrderID
	for body, field := range map[string]string{
		`{"order_id":"1","step":"pay"}`:                           "order_id",
		`{"order_id":"` + id + `","step":"ship"}`:                 "step",
		`{"order_id":"` + id + `","step":"fly"}`:                  "step",
		`{"order_id":"` + id + `","step":"pay","parcels":["SF"]}`: "parcels",
	} {
		w.adminPost("/admin/progress", body).mustHave(t, http.StatusBadRequest, field)
	}
	if o := w.Orders(OrderFilter{})[0]; o.Status != statusUnpaid || len(o.Payments) != 0 {
		t.Errorf("%+v", o)
	}
}
