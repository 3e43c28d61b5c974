package alibaba

import (
	"net/http"
	"testing"

	"autopurchase/worker"
)

// TestWhatAClosingComesTo: only a plain yes counts as closed, and an order that is too young is asked for again.
func TestWhatAClosingComesTo(t *testing.T) {
	const id = "2257000000000000973"
	for body, want := range map[string]worker.Verdict{
		`{"success":true}`:                                                worker.Placed,
		`{"success":"true","code":"200"}`:                                 worker.Placed,
		`{"success":true,"errorCode":"X","errorMessage":"not"}`:           worker.Refused,
		`{"success":false,"errorCode":"ORDER_PAID"}`:                      worker.Refused,
		`{"success":"false","errorCode":"FAIL_BIZ_CLOSE_ORDER_TOO_FAST"}`: worker.NotAttempted,
		`{"success":false,"code":"SYSTEM_ERROR"}`:                         worker.Unknown,
		`{"success":false}`:                                               worker.Unknown,
		`{}`:                                                              worker.Unknown,
		`<html>502</html>`:                                                worker.Unknown,
		`{"error_code":"401","error_message":"token"}`:                    worker.NotAttempted,
		`{"error_code":"gw.QosAppFrequencyLimit"}`:                        worker.NotAttempted,
	} {
		got := answering(t, 200, body).Cancel(t.Context(), testKey, id)
		if got.Verdict != want {
			t.Errorf("%s: %+v", body, got)
		}
	}
	young := answering(t, 200, `{"success":false,"errorCode":"CLOSE_ORDER_TOO_FAST"}`).Cancel(t.Context(), testKey, id)
	if young.Retry != int(worker.YoungestToClose.Milliseconds()) {
		t.Errorf("%+v", young)
	}
	if got := answering(t, 503, `{"success":false,"errorCode":"X"}`).Cancel(t.Context(), testKey, id); got.Verdict != worker.Unknown {
		t.Errorf("%+v", got)
	}
}

// TestAClosingAsItIsSent: a cut connection leaves it unknown.
func TestAClosingAsItIsSent(t *testing.T) {
	client := gateway(t, func(_ http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{"webSite": "1688", "tradeID": "2257000000000000973", "cancelReason": "buyerCancel"} {
			if got := r.PostFormValue(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		panic(http.ErrAbortHandler)
	})
	if got := client.Cancel(t.Context(), testKey, "2257000000000000973"); got.Verdict != worker.Unknown {
		t.Errorf("%+v", got)
	}
}
