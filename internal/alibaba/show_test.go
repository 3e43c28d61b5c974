package alibaba

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

// shownOrder is an order in the shapes that the platform mixes: ids and amounts as numbers and as text.
const shownOrder = `{"baseInfo":{"id":2257000000000000944,"idOfStr":"2257000000000000941","outOrderId":"acme.PR-1-1","status":"waitsellersend",` +
	`"totalAmount":"45.98","shippingFee":6,"createTime":"20180807152315000+0800"},"productItems":[` +
	`{"productID":700000000001,"specId":"aaaa","quantity":2.0},{"productID":"700000000002","quantity":"0.5"}]}`

func TestNow(t *testing.T) {
	made := time.Date(2018, 8, 7, 7, 23, 15, 0, time.UTC).UnixMilli()
	want := worker.OrderDetail{OrderID: "2257000000000000941", Reference: ours, Status: "waitsellersend", Total: 4598, Postage: 600, Made: made,
		Items: []worker.Goods{{OfferID: "700000000001", SpecID: "aaaa", Quantity: 2}, {OfferID: "700000000002"}}}
	for name, c := range map[string]struct {
		status  int
		body    string
		verdict worker.Verdict
	}{
		"the order":             {200, `{"success":"true","result":` + shownOrder + `}`, worker.Placed},
		"no such order":         {200, `{"success":"false","errorCode":"ORDER_NOT_FOUND","errorMessage":"x"}`, worker.Absent},
		"another order":         {200, `{"success":"true","result":` + strings.Replace(shownOrder, "0941", "0999", 1) + `}`, worker.Unknown},
		"a fault":               {500, `{"success":"false","errorCode":"SYSTEM_ERROR"}`, worker.Unknown},
		"nothing":               {200, `{}`, worker.Unknown},
		"throttled":             {400, `{"error_code":"gw.QosAppFrequencyLimit","error_message":"x"}`, worker.NotAttempted},
		"a parameter is lacked": {400, `{"error_code":"gw.ParamMissing","error_message":"x"}`, worker.Unknown},
	} {
		got := answering(t, c.status, c.body).Now(t.Context(), testKey, "2257000000000000941")
		if got.Verdict != c.verdict || len(got.Orders) != 0 || (got.Verdict == worker.Placed) != (got.Detail != nil) {
			t.Errorf("%s: got %+v", name, got)
		}
		if got.Verdict == worker.Placed && !reflect.DeepEqual(*got.Detail, want) {
			t.Errorf("%s: got %+v, want %+v", name, *got.Detail, want)
		}
	}
}

// TestList: the page is asked for by the moments, in the platform's form; what is outside of them is left out all the same.
func TestList(t *testing.T) {
	leaf := worker.Leaf{AppKey: testKey.AppKey, Page: 3,
		From: time.Date(2018, 8, 7, 0, 0, 0, 0, time.UTC).UnixMilli(), To: time.Date(2018, 8, 8, 0, 0, 0, 5e6, time.UTC).UnixMilli()}
	early := strings.NewReplacer("20180807", "20180806", "0941", "0942").Replace(shownOrder)
	timeless := strings.NewReplacer("20180807152315000+0800", "", "0941", "0943").Replace(shownOrder)
	for name, c := range map[string]struct {
		body    string
		verdict worker.Verdict
		ids     string
		more    bool
	}{
		"a page":               {`{"result":[` + shownOrder + `,` + early + `,` + timeless + `],"totalRecord":61}`, worker.Placed, "0941 0943", true},
		"the last page":        {`{"result":[` + shownOrder + `],"totalRecord":"60"}`, worker.Placed, "0941", false},
		"a total is lacked":    {`{"result":[` + shownOrder + `]}`, worker.Placed, "0941", false},
		"an empty page":        {`{"result":[],"totalRecord":0}`, worker.Absent, "", false},
		"only what is outside": {`{"result":[` + early + `],"totalRecord":61}`, worker.Absent, "", true},
		"an unreadable order":  {`{"result":[` + shownOrder + `,{"baseInfo":{}}],"totalRecord":2}`, worker.Unknown, "", false},
		"no list":              {`{"success":false}`, worker.Unknown, "", false},
	} {
		client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("createStartTime") != "20180807080000000+0800" || r.FormValue("createEndTime") != "20180808080000005+0800" || r.FormValue("page") != "3" {
				t.Errorf("asked with %v", r.Form)
			}
			_, _ = w.Write([]byte(c.body))
		})
		got := client.List(t.Context(), testKey, leaf)
		var ids []string
		for _, d := range got.Listed {
			ids = append(ids, d.OrderID[len(d.OrderID)-4:])
		}
		if got.Verdict != c.verdict || got.More != c.more || strings.Join(ids, " ") != c.ids {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
