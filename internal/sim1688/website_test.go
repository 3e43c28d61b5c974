package sim1688

import (
	"net/http"
	"strings"
	"testing"
)

// TestWebsite: an order that was made on the website is the buyer's as any other, and no key's.
func TestWebsite(t *testing.T) {
	w := start(t)
	line := someLines(1)[0]
	body := `{"member":"b2b-buyer","made_at":"2026-02-20T00:00:00Z","lines":[{"offer_id":"` + line.OfferID + `","spec_id":"` + line.SpecID + `","quantity":2}]}`
	var made Order
	w.adminPost("/admin/website", body).into(t, &made)
	if made.OrderID == "" || made.OutOrderID != "" || made.AppKey != "" || made.TotalFen == 0 || w.Keys()[0].Products != 0 || w.Keys()[0].Orders != 0 {
		t.Errorf("made %+v, counted %+v", made, w.Keys()[0])
	}
	w.call(trade+"alibaba.trade.get.buyerView", "webSite", "1688", "orderId", made.OrderID).mustHave(t, http.StatusOK, `"success":"true"`, `"quantity":2`)
	w.create("acme.PR1-1", someLines(1)...)
	for total, params := range map[int][]string{
		2: nil,
		1: {"createStartTime", "20260301000000000+0800"},
		0: {"createStartTime", "20260221000000000+0800", "createEndTime", "20260222000000000+0800"},
	} {
		if got := w.list(params...); got.TotalRecord != total {
			t.Errorf("%v: %+v", params, got)
		}
	}
	w.call(listOrders, "createEndTime", "yesterday").mustHave(t, http.StatusOK, "createStartTime or createEndTime")
	for wrong, why := range map[string]string{
		`{"member":"b2b-buyer"}`: "member and lines",
		`{"member":"b2b-buyer","lines":[{"offer_id":"1","quantity":1}]}`: "500_001",
		strings.Replace(body, `"member"`, `"who"`, 1):                    "who",
	} {
		w.adminPost("/admin/website", wrong).mustHave(t, http.StatusBadRequest, why)
	}
}
