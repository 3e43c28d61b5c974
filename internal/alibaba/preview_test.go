package alibaba

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"autopurchase/worker"
)

// TestPreviewAnswers has every shape of a preview's answer that 1688's documentation and public clients show, and what may go wrong.
func TestPreviewAnswers(t *testing.T) {
	one := `{"sumPayment":4598,"sumCarriage":600,"sumPaymentNoCarriage":3998,"discountFee":100,"tradeModeNameList":["fxassure","alipay"],` +
		`"cargoList":[{"amount":39.98,"finalUnitPrice":19.99,"specId":"` + spec + `","offerId":700000000001,"resultCode":"200","message":"ok"}]}`
	quote := worker.Quote{Total: 4598, Postage: 600, Discount: 100, TradeTypes: []string{"fxassure", "alipay"},
		Lines: []worker.QuotedLine{{OfferID: "700000000001", SpecID: spec, UnitPrice: 1999}}}
	other := `{"sumPayment":"100","tradeModeNameList":[],"cargoList":[{"finalUnitPrice":"1.005","offerId":"700000000002","resultCode":"FAIL_BIZ_500_004","message":"库存不足"},` +
		`{"finalUnitPrice":1,"offerId":700000000001,"resultCode":"NEW_CODE"}]}`
	refusedLine := worker.Quote{Total: 100, Lines: []worker.QuotedLine{
		{OfferID: "700000000002", UnitPrice: 101, Reason: "1688: FAIL_BIZ_500_004 库存不足"},
		{OfferID: "700000000001", SpecID: spec, UnitPrice: 100, Reason: "1688: NEW_CODE"}}}
	for name, c := range map[string]struct {
		status  int
		body    string
		verdict worker.Verdict
		code    worker.Code
		quotes  []worker.Quote
	}{
		"one order":       {200, `{"success":true,"orderPreviewResuslt":[` + one + `]}`, worker.Placed, worker.CodePlaced, []worker.Quote{quote}},
		"success as text": {200, `{"success":"true","orderPreviewResuslt":[` + one + `]}`, worker.Placed, worker.CodePlaced, []worker.Quote{quote}},
		"two, one not by api": {200, `{"success":true,"orderPreviewResuslt":[` + one + `,` + other + `]}`, worker.Placed, worker.CodePlaced,
			[]worker.Quote{quote, refusedLine}},
		"no trade modes at all": {200, `{"success":true,"orderPreviewResuslt":[{"sumPayment":1}]}`, worker.Placed, worker.CodePlaced, []worker.Quote{{Total: 1}}},

		"out of stock":        {200, `{"success":false,"errorCode":"500_004","errorMsg":"库存不足"}`, worker.Refused, worker.CodeOutOfStock, nil},
		"message is JSON":     {200, `{"success":false,"errorMsg":"{\"errorCode\":\"500_005\"}"}`, worker.Refused, worker.CodeBelowMinimum, nil},
		"another refusal":     {200, `{"success":"false","errorCode":"NOT_TODAY"}`, worker.Refused, worker.CodeRefused, nil},
		"parameter missing":   {400, `{"error_code":"gw.ParamMissing"}`, worker.Refused, worker.CodeRefused, nil},
		"no permission":       {400, `{"error_code":"gw.APIACLDecline"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"token":               {401, `{"error_code":"401"}`, worker.NotAttempted, worker.CodeUnauthorized, nil},
		"throttled":           {200, `{"error_code":"gw.QosAppFrequencyLimit"}`, worker.NotAttempted, worker.CodeThrottled, nil},
		"a fault":             {200, `{"success":false,"errorCode":"SYSTEM_ERROR"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"a new gateway error": {200, `{"error_code":"gw.InvokeTimeout"}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"HTML":                {502, `<html>502</html>`, worker.Unknown, worker.CodeNoAnswer, nil},
		"nothing":             {200, `{}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"no orders":           {200, `{"success":true,"orderPreviewResuslt":[]}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"false with orders":   {200, `{"success":false,"orderPreviewResuslt":[` + one + `]}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"no sum":              {200, `{"success":true,"orderPreviewResuslt":[{"tradeModeNameList":["a"]}]}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"a sum in yuan":       {200, `{"success":true,"orderPreviewResuslt":[{"sumPayment":45.98}]}`, worker.Unknown, worker.CodeNoAnswer, nil},
		"status 500":          {500, `{"success":true,"orderPreviewResuslt":[` + one + `]}`, worker.Unknown, worker.CodeNoAnswer, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := answering(t, c.status, c.body).Preview(t.Context(), testKey, testOrder())
			if got.Verdict != c.verdict || got.Code != c.code || !reflect.DeepEqual(got.Quotes, c.quotes) || len(got.Orders) > 0 {
				t.Errorf("got %+v", got)
			}
			if (got.Verdict == worker.Placed) == (got.Reason != "") {
				t.Errorf("reason %q", got.Reason)
			}
		})
	}
}

func TestPreviewTellsWhichLineIsRefused(t *testing.T) {
	body := `{"success":false,"errorCode":"500_004","orderPreviewResuslt":[{"cargoList":[{"offerId":700000000001},` +
		`{"offerId":700000000002,"resultCode":"500_004","message":"库存不足"}]}]}`
	got := answering(t, 200, body).Preview(t.Context(), testKey, testOrder())
	want := []worker.FailedOffer{{OfferID: "700000000002", Code: worker.CodeOutOfStock, Reason: "1688: 500_004 库存不足"}}
	if got.Verdict != worker.Refused || !reflect.DeepEqual(got.Failed, want) {
		t.Errorf("%+v", got)
	}
}

// TestTheTradeTypeGoesWithTheOrderAlone: a preview has neither it nor our reference, and an order without one leaves it out.
func TestTheTradeTypeGoesWithTheOrderAlone(t *testing.T) {
	order := testOrder()
	order.TradeType = "fxassure"
	var paths, types, references []string
	client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		paths = append(paths, r.URL.Path[strings.LastIndex(r.URL.Path, "alibaba."):])
		types, references = append(types, strings.Join(r.PostForm["tradeType"], ",")), append(references, r.PostFormValue("outOrderId"))
		_, _ = w.Write([]byte(`{}`))
	})
	client.Preview(t.Context(), testKey, order)
	client.Create(t.Context(), testKey, order)
	client.Create(t.Context(), testKey, testOrder())
	if !reflect.DeepEqual(paths, []string{"alibaba.createOrder.preview/1000001", "alibaba.trade.fastCreateOrder/1000001", "alibaba.trade.fastCreateOrder/1000001"}) ||
		!reflect.DeepEqual(types, []string{"", "fxassure", ""}) || !reflect.DeepEqual(references, []string{"", order.Reference, order.Reference}) {
		t.Errorf("%q %q %q", paths, types, references)
	}
}

func TestYuanUp(t *testing.T) {
	for amount, want := range map[text]worker.Fen{
		"19.99": 1999, "20": 2000, "0.035": 4, "0.030": 3, "1.0E7": 1_000_000_000, "1e-2": 1, "1.5E1": 1500, "": 0, "-1": 0, "x": 0, "1/3": 0,
		"1E16": 0, "1e999999999": 0, "0": 0, "99999999999999999999": 0, "1_0": 0, "0x10": 0, ".5": 50,
	} {
		if got := amount.yuanUp(); got != want {
			t.Errorf("%q: %d, want %d", amount, got, want)
		}
	}
}
