package sim1688

import (
	"net/http"
	"strings"
	"testing"
)

func TestAdminOrders(t *testing.T) {
	w := start(t, func(cfg *Config) { cfg.Keys = append(cfg.Keys, Key{AppKey: "idle", Secret: "s"}) })
	w.create("acme.PR1-1", someLines(2)...)
	w.create("beta.PR1-1", someLines(1)...)
	w.create("plain", someLines(1)...)
	w.create("", someLines(1)...)
	w.create("a.b.c", someLines(1)...)
	for query, want := range map[string]int{
		"":                         5,
		"?out_order_id=acme.PR1-1": 1,
		"?out_order_id=PR1-1":      2,
		"?out_order_id=PR1":        0,
		"?out_order_id=plain":      1,
		"?out_order_id=b.c":        1,
		"?out_order_id=a.b.c":      1,
		"?out_order_id=c":          0,
		"?app_key=" + testKey:      5,
		"?app_key=idle":            0,
		"?app_key=" + testKey + "&out_order_id=PR1-1": 2,
		"?app_key=idle&out_order_id=PR1-1":            0,
	} {
		var got struct{ Orders []Order }
		w.adminGet("/admin/orders"+query).into(t, &got)
		if len(got.Orders) != want || got.Orders == nil {
			t.Errorf("%s: %d orders, want %d", query, len(got.Orders), want)
		}
	}
	w.adminGet("/admin/orders?out_order_id=acme.PR1-1").mustHave(t, http.StatusOK,
		`"order_id":"225700000`, `"out_order_id":"acme.PR1-1"`, `"app_key":"`+testKey+`"`, `"products":2`, `"lines":[{"offer_id":"`,
		`"spec_id":"`, `"quantity":2`, `"status":"waitbuyerpay"`, `"total_fen":`, `"post_fen":400`,
		`"created_at":"2026-03-01T04:05:06.007Z"`, `"member":"b2b-buyer"`, `"call":1`)
}

func TestAdminKeys(t *testing.T) {
	w := start(t)
	w.create("a.1", someLines(3)...)
	w.adminGet("/admin/keys").mustHave(t, http.StatusOK,
		`{"keys":[{"app_key":"1234567","products":3,"orders":1,"refreshes":0,"limit":1000,"over_drawn":0}]}`)
	w.adminPost("/admin/keys", `{"app_key":"9","secret":"s9","access_token":"t9","limit":5}`).mustHave(t, http.StatusOK, "{}")
	r := w.adminGet("/admin/keys")
	r.mustHave(t, http.StatusOK, `{"app_key":"9","products":0,"orders":0,"refreshes":0,"limit":5,"over_drawn":0}`)
	if strings.Contains(r.body, "s9") || strings.Contains(r.body, "t9") {
		t.Error("a secret is shown")
	}
	w.adminPost("/admin/keys", `{"app_key":"9","secret":"s9"}`).mustHave(t, http.StatusBadRequest, `app_key: \"9\" is known already`)
}

func TestAdminFaults(t *testing.T) {
	w := start(t)
	w.adminPost("/admin/faults", `[{"operation":"fastCreateOrder","kind":"refuse","code":"500_001","count":1,"app_key":"`+testKey+`"},
		{"operation":"*","kind":"latency","delay_ms":1,"probability":0.5}]`).mustHave(t, http.StatusOK)
	w.create("a.1", someLines(1)...).mustHave(t, http.StatusOK, "500_001")
	w.adminGet("/admin/faults").mustHave(t, http.StatusOK,
		`{"operation":"fastCreateOrder","kind":"refuse","count":1,"code":"500_001","app_key":"1234567","hits":1}`, `"probability":0.5`)
	w.adminPost("/admin/faults", `[]`).mustHave(t, http.StatusOK)
	w.adminGet("/admin/faults").mustHave(t, http.StatusOK, `{"faults":[]}`)
}

func TestAdminStockAndPrice(t *testing.T) {
	w := start(t)
	line := someLines(1)[0]
	w.adminPost("/admin/stock", `{"offer_id":"`+line.OfferID+`","spec_id":"`+line.SpecID+`","stock":1}`).mustHave(t, http.StatusOK)
	w.create("a.1", line).mustHave(t, http.StatusOK, "500_004")
	w.adminPost("/admin/stock", `{"offer_id":"`+line.OfferID+`","stock":2}`).mustHave(t, http.StatusOK)
	w.adminPost("/admin/price", `{"offer_id":"`+line.OfferID+`","price_fen":1000}`).mustHave(t, http.StatusOK)
	w.adminGet("/admin/offers").mustHave(t, http.StatusOK, `"price_fen":1000,"post_fen":400,"stock":2`)
	w.create("a.1", line).mustHave(t, http.StatusOK, `"totalSuccessAmount":2400`)
	w.create("a.1", line).mustHave(t, http.StatusOK, "500_004")
	w.Reset()
	w.create("a.1", line, line).mustHave(t, http.StatusOK, `"success":true`)
	if o := w.Orders(OrderFilter{}); len(o) != 1 || o[0].TotalFen == 2400 || w.Keys()[0].Products != 2 {
		t.Errorf("after reset %+v", o)
	}
}

func TestAdminPush(t *testing.T) {
	w := start(t)
	l := w.listen(t)
	r := w.adminPost("/admin/push", `{"app_key":"`+testKey+`","topic":"ORDER_BUYER_VIEW_ORDER_PAY","data":{"orderId":2257000000000000973}}`)
	r.mustHave(t, http.StatusOK, `"push_id":"`)
	l.expect("SERVER_PUSH", `"data":{"orderId":2257000000000000973}`) // no float on the way
	w.adminGet("/admin/pushes?app_key="+testKey).mustHave(t, http.StatusOK, `"sessions":1`, `"unconfirmed":["`)
	w.adminPost("/admin/reset", "").mustHave(t, http.StatusOK)
	w.adminGet("/admin/pushes?app_key="+testKey).mustHave(t, http.StatusOK, `"sessions":1`, `"unconfirmed":[]`)
}

func TestAdminReadsStrictly(t *testing.T) {
	offer := someLines(1)[0].OfferID
	tests := []struct{ name, path, body, want string }{
		{"unknown field", "/admin/faults", `[{"operation":"*","kind":"refuse","rate":1}]`, "rate"},
		{"hits are not posted", "/admin/faults", `[{"operation":"*","kind":"refuse","hits":1}]`, "hits"},
		{"case of a field", "/admin/faults", `[{"Operation":"*","kind":"refuse"}]`, "Operation"},
		{"field twice", "/admin/faults", `[{"operation":"*","kind":"refuse","kind":"latency"}]`, "kind"},
		{"wrong type", "/admin/faults", `[{"operation":"*","kind":"latency","delay_ms":"5"}]`, "delay_ms"},
		{"fraction", "/admin/faults", `[{"operation":"*","kind":"refuse","count":1.5}]`, "count"},
		{"object for a list", "/admin/faults", `{"operation":"*","kind":"refuse"}`, ""},
		{"null", "/admin/faults", `null`, "null"},
		{"trailing data", "/admin/faults", `[] []`, ""},
		{"empty", "/admin/faults", ``, ""},
		{"second of two", "/admin/faults", `[{"operation":"*","kind":"refuse"},{"operation":"*","kind":"nothing"}]`, "fault 1: kind"},
		{"stock unknown offer", "/admin/stock", `{"offer_id":"1","stock":1}`, "offer_id"},
		{"stock unknown spec", "/admin/stock", `{"offer_id":"` + offer + `","spec_id":"x","stock":1}`, "spec_id"},
		{"stock missing", "/admin/stock", `{"offer_id":"` + offer + `"}`, "stock"},
		{"stock negative", "/admin/stock", `{"offer_id":"` + offer + `","stock":-1}`, "stock"},
		{"price missing", "/admin/price", `{"offer_id":"` + offer + `"}`, "price_fen"},
		{"price negative", "/admin/price", `{"offer_id":"` + offer + `","price_fen":-1}`, "price_fen"},
		{"price unknown offer", "/admin/price", `{"offer_id":"1","price_fen":1}`, "offer_id"},
		{"key without secret", "/admin/keys", `{"app_key":"9"}`, "secret"},
		{"key with a blank", "/admin/keys", `{"app_key":"9 9","secret":"s"}`, "app_key"},
		{"key as a number", "/admin/keys", `{"app_key":9,"secret":"s"}`, "app_key"},
		{"push to nobody", "/admin/push", `{"app_key":"nobody","topic":"T","data":{}}`, "app_key"},
		{"push of nothing", "/admin/push", `{"app_key":"` + testKey + `","topic":"T"}`, "data"},
		{"too large", "/admin/push", `{"topic":"` + strings.Repeat("x", maxBody) + `"}`, "body"},
	}
	w := start(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.adminPost(test.path, test.body).mustHave(t, http.StatusBadRequest, `{"error":"`, test.want)
		})
	}
	if len(w.Faults()) != 0 || len(w.Keys()) != 1 {
		t.Error("a refused body changed something")
	}
}

func TestAdminRoutes(t *testing.T) {
	w := start(t)
	w.adminGet("/healthz").mustHave(t, http.StatusOK, "ok")
	w.adminGet("/admin/nothing").mustHave(t, http.StatusNotFound)
	w.adminPost("/admin/orders", "").mustHave(t, http.StatusMethodNotAllowed)
}
