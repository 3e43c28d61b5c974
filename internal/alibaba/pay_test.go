package alibaba

import (
	"net/http"
	"reflect"
	"testing"

	"autopurchase/worker"
)

var testCharge = worker.Charge{AppKey: testKey.AppKey, OrderID: "2257000000000000973", Amount: 4598, OpRequestID: "2257000000000000973-1"}

// TestWhatAPaymentComesTo: only a plain yes counts as paid, and only what the gateway turns down before it executes anything counts
// as not attempted.
func TestWhatAPaymentComesTo(t *testing.T) {
	for body, want := range map[string]worker.Verdict{
		`{"success":true,"paySuccess":true}`:                                worker.Placed,
		`{"success":"true","result":{"paySuccess":"true"}}`:                 worker.Placed,
		`{"result":{"success":true,"result":{"paySuccess":true}}}`:          worker.Placed,
		`{"result":"{\"paySuccess\":true}"}`:                                worker.Placed,
		`{"success":true,"result":{"paySuccess":false}}`:                    worker.Refused,
		`{"success":true,"paySuccess":true,"result":{"paySuccess":false}}`:  worker.Refused,
		`{"success":false,"errorCode":"NO_AGREEMENT","errorMessage":"未签约"}`: worker.Refused,
		`{"success":true}`: worker.Unknown,
		`{"success":false,"errorCode":"SYSTEM_ERROR"}`: worker.Unknown,
		`{}`:               worker.Unknown,
		`<html>502</html>`: worker.Unknown,
		`{"error_code":"401","error_message":"token"}`: worker.NotAttempted,
		`{"error_code":"gw.QosAppFrequencyLimit"}`:     worker.NotAttempted,
		`{"error_code":"gw.Whatever"}`:                 worker.Unknown,
		`{"error_code":"gw.ParamMissing"}`:             worker.Refused,
	} {
		if got := answering(t, 200, body).Pay(t.Context(), testKey, testCharge); got.Verdict != want || len(got.Orders) != 0 {
			t.Errorf("%s: %+v", body, got)
		}
	}
	if got := answering(t, 503, `{"success":true,"result":{"paySuccess":false}}`).Pay(t.Context(), testKey, testCharge); got.Verdict != worker.Unknown {
		t.Errorf("%+v", got)
	}
}

// TestAPaymentAsItIsSent: the id keeps every digit, the amount is fen, and a cut connection leaves it unknown.
func TestAPaymentAsItIsSent(t *testing.T) {
	const want = `{"orderId":2257000000000000973,"payChannel":"alipay","payAmount":4598,"opRequestId":"2257000000000000973-1"}`
	client := gateway(t, func(_ http.ResponseWriter, r *http.Request) {
		if got := r.PostFormValue("tradeWithholdPreparePayParam"); got != want {
			t.Errorf("got %s", got)
		}
		panic(http.ErrAbortHandler)
	})
	if got := client.Pay(t.Context(), testKey, testCharge); got.Verdict != worker.Unknown {
		t.Errorf("%+v", got)
	}
	bad := testCharge
	bad.OrderID = "1e3"
	if got := client.Pay(t.Context(), testKey, bad); got.Verdict != worker.NotAttempted {
		t.Errorf("%+v", got)
	}
}

// TestPayLinks: a link may be for a part of the orders, and what 1688 says about the others is kept.
func TestPayLinks(t *testing.T) {
	for body, want := range map[string]worker.Answer{
		`{"success":true,"payUrl":"https://pay/1"}`:              {Verdict: worker.Placed, Link: &worker.PayLink{URL: "https://pay/1"}},
		`{"result":{"success":"true","payUrl":"https://pay/1"}}`: {Verdict: worker.Placed, Link: &worker.PayLink{URL: "https://pay/1"}},
		`{"payUrl":"https://pay/1","erroMsg":"one is closed","payFailureOrderList":[2257000000000000974,"2257000000000000975",{"orderId":2257000000000000976}]}`: {
			Verdict: worker.Placed, Link: &worker.PayLink{URL: "https://pay/1", Said: "1688: one is closed",
				Failed: []string{"2257000000000000974", "2257000000000000975", "2257000000000000976"}}},
		`{"success":false,"erroMsg":"all are closed"}`: {Verdict: worker.Refused, Link: &worker.PayLink{Said: "1688: all are closed"}},
		`{}`: {Verdict: worker.Unknown},
	} {
		got := answering(t, 200, body).PayLink(t.Context(), testKey, []string{"2257000000000000973"})
		if got.Verdict != want.Verdict || !reflect.DeepEqual(got.Link, want.Link) {
			t.Errorf("%s: %+v %+v", body, got, got.Link)
		}
	}
	many := make([]string, worker.MaxPayLink+1)
	for i := range many {
		many[i] = "2257000000000000973"
	}
	if got := answering(t, 200, `{"payUrl":"https://pay/1"}`).PayLink(t.Context(), testKey, many); got.Verdict != worker.Refused {
		t.Errorf("%+v", got)
	}
}
