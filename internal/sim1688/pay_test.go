package sim1688

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const preparePay = trade + "alibaba.trade.pay.protocolPay.preparePay"

// unpaid gives an order of a buyer who pays without a password.
func unpaid(t *testing.T) (*world, Order) {
	w := start(t)
	w.SetAgreement("b2b-buyer", true)
	w.create("acme.PR1-1", someLines(1)...)
	return w, w.Orders(OrderFilter{})[0]
}

func payParams(o Order, fen int64, op string) []string {
	return []string{"tradeWithholdPreparePayParam", fmt.Sprintf(`{"orderId":%s,"payChannel":"alipay","payAmount":%d,"opRequestId":%q}`, o.OrderID, fen, op)}
}

// TestTheBooksCountEveryPayment: the simulator takes money as often as it is asked, so that a client which pays twice is found out.
func TestTheBooksCountEveryPayment(t *testing.T) {
	w, o := unpaid(t)
	for range 2 {
		w.call(preparePay, payParams(o, o.TotalFen, "op-1")...).mustHave(t, http.StatusOK, `"paySuccess":true`)
	}
	books := w.Orders(OrderFilter{})[0]
	if len(books.Payments) != 2 || books.Payments[1] != (Payment{"op-1", o.TotalFen, w.clock.Now()}) || books.Status != statusPaid {
		t.Errorf("%+v", books)
	}
	w.adminGet("/admin/orders").mustHave(t, http.StatusOK, `"payments":[{"op_request_id":"op-1"`)
}

func TestPaymentsThatAreTurnedDown(t *testing.T) {
	w, o := unpaid(t)
	w.call(preparePay, payParams(o, o.TotalFen+1, "op-1")...).mustHave(t, http.StatusOK, "SIM_WRONG_AMOUNT")
	w.call(preparePay, payParams(Order{OrderID: "1"}, 1, "op-1")...).mustHave(t, http.StatusOK, "SIM_ORDER_NOT_FOUND")
	w.call(preparePay).mustHave(t, http.StatusBadRequest, "gw.ParamMissing")
	w.call(preparePay, "tradeWithholdPreparePayParam", `{"orderId":1}`).mustHave(t, http.StatusOK, "SIM_INVALID_PARAM")
	w.SetAgreement("b2b-buyer", false)
	w.call(preparePay, payParams(o, o.TotalFen, "op-1")...).mustHave(t, http.StatusOK, "SIM_NO_AGREEMENT")
	if books := w.Orders(OrderFilter{})[0]; len(books.Payments) != 0 || books.Status != statusUnpaid {
		t.Errorf("%+v", books)
	}
}

// TestFaultsOfPayments: what is answered, and what is true.
func TestFaultsOfPayments(t *testing.T) {
	for kind, taken := range map[string]int{"not_paid": 0, "paid_beside_failure": 1} {
		w, o := unpaid(t)
		w.inject(Fault{Operation: "preparePay", Kind: kind})
		w.call(preparePay, payParams(o, o.TotalFen, "op-1")...).mustHave(t, http.StatusOK, `"paySuccess":false`)
		if books := w.Orders(OrderFilter{})[0]; len(books.Payments) != taken {
			t.Errorf("%s: %+v", kind, books)
		}
	}
	w, o := unpaid(t)
	w.inject(Fault{Operation: "*", Kind: "late_status", DelayMS: 5000})
	w.call(preparePay, payParams(o, o.TotalFen, "op-1")...).mustHave(t, http.StatusOK, `"paySuccess":true`)
	view := []string{"webSite", "1688", "orderId", o.OrderID}
	w.call(viewOrder, view...).mustHave(t, http.StatusOK, statusUnpaid)
	w.clock.advance(5 * time.Second)
	w.call(viewOrder, view...).mustHave(t, http.StatusOK, statusPaid)
	if err := w.Inject(Fault{Operation: "fastCreateOrder", Kind: "not_paid"}); err == nil {
		t.Error("a create cannot be struck by a fault of payments")
	}
}

// TestAClockThatIsSetBackHidesNothing: how late an order or a payment shows is measured by a clock that never jumps.
func TestAClockThatIsSetBackHidesNothing(t *testing.T) {
	steady := &clock{now: testNow}
	w := start(t, func(c *Config) { c.Steady = steady.Now })
	w.SetAgreement("b2b-buyer", true)
	w.inject(Fault{Operation: "*", Kind: "late_list", DelayMS: 5000}, Fault{Operation: "preparePay", Kind: "late_status", DelayMS: 5000})
	w.create("acme.PR-1-1", someLines(1)...)
	o := w.Orders(OrderFilter{})[0]
	w.call(preparePay, payParams(o, o.TotalFen, "op-1")...).mustHave(t, http.StatusOK, `"paySuccess":true`)
	w.clock.advance(time.Hour)
	view := []string{"webSite", "1688", "orderId", o.OrderID}
	w.call(viewOrder, view...).mustHave(t, http.StatusOK, statusUnpaid)
	steady.advance(5 * time.Second)
	w.clock.advance(-2 * time.Hour)
	w.call(viewOrder, view...).mustHave(t, http.StatusOK, statusPaid)
	w.call(listOrders, "outOrderId", o.OutOrderID).mustHave(t, http.StatusOK, o.OrderID)
}

// TestTheSellersNewPrice is what is payable from then on.
func TestTheSellersNewPrice(t *testing.T) {
	w, o := unpaid(t)
	body := fmt.Sprintf(`{"order_id":%q,"total_fen":700,"post_fen":100}`, o.OrderID)
	w.adminPost("/admin/order-price", body).mustHave(t, http.StatusOK)
	w.call(preparePay, payParams(o, 700, "op-1")...).mustHave(t, http.StatusOK, `"paySuccess":true`)
	w.adminPost("/admin/order-price", body).mustHave(t, http.StatusBadRequest, "order_id")
	w.adminPost("/admin/order-price", `{"order_id":"1","total_fen":700,"post_fen":100}`).mustHave(t, http.StatusBadRequest, "order_id")
}

func TestPayLinks(t *testing.T) {
	w, o := unpaid(t)
	link := trade + "alibaba.alipay.url.get"
	w.call(link, "orderIdList", "["+o.OrderID+",1]").mustHave(t, http.StatusOK, `"payUrl":"https://`, `"erroMsg":"1 orders`, `"payFailureOrderList":["1"]`)
	w.call(link, "orderIdList", "[1]").mustHave(t, http.StatusOK, `"success":false`)
	w.call(link, "orderIdList", "[1"+strings.Repeat(",1", 100)+"]").mustHave(t, http.StatusOK, "SIM_INVALID_PARAM")
	w.call(link).mustHave(t, http.StatusBadRequest, "gw.ParamMissing")
}
