package sim1688

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"
)

func TestAPersonMakesAnAppAndItIsAuthorized(t *testing.T) {
	w := start(t, func(cfg *Config) { cfg.Keys = nil })
	w.adminPost("/admin/keys", `{"app_key":"`+testKey+`","secret":"`+testSecret+`","member":"buyer-1"}`).mustHave(t, http.StatusOK)
	w.call(listOrders, "access_token", "none").mustHave(t, http.StatusBadRequest, `"401"`)
	var got tokenAnswer
	w.token("grant_type", "authorization_code", "code", w.consent()).into(t, &got)
	if got.Owner != "buyer-1" {
		t.Errorf("authorized for %q", got.Owner)
	}
	w.call(listOrders, "access_token", got.AccessToken).mustHave(t, http.StatusOK)
}

func TestPermissions(t *testing.T) {
	w := start(t)
	w.adminPost("/admin/permissions", `{"app_key":"`+testKey+`","apis":["alibaba.trade.getBuyerOrderList"]}`).mustHave(t, http.StatusOK)
	w.create("a.1", someLines(1)...).mustHave(t, http.StatusBadRequest, "gw.APIACLDecline")
	w.call(listOrders).mustHave(t, http.StatusOK)
	w.adminPost("/admin/permissions", `{"app_key":"`+testKey+`","apis":[]}`).mustHave(t, http.StatusOK)
	w.create("a.1", someLines(1)...).mustHave(t, http.StatusOK, `"success":true`)
	w.adminPost("/admin/permissions", `{"app_key":"nobody"}`).mustHave(t, http.StatusBadRequest, "app_key")
}

func TestAnAppThatDidNotChooseTheWebsocket(t *testing.T) {
	w := start(t, func(cfg *Config) { cfg.Keys[0].NoMessages = true })
	l := w.dial(t)
	l.sendSigned("CONNECT", testKey, testSecret)
	l.expect("SYSTEM", "SIM")
	w.adminPost("/admin/permissions", `{"app_key":"`+testKey+`","messages":true}`).mustHave(t, http.StatusOK)
	l.sendSigned("CONNECT", testKey, testSecret)
	l.expect("CONNECT_ACK", "")
	w.adminPost("/admin/push", `{"app_key":"`+testKey+`","topic":"ORDER_BUYER_VIEW_BUYER_MAKE","data":{},"mock":true}`).mustHave(t, http.StatusOK)
	if f := l.receive(); f.Type != "SERVER_PUSH" || f.MsgSource != "MOCK" {
		t.Fatalf("got %+v", f)
	}
}

func TestAgreement(t *testing.T) {
	w := start(t)
	const isopen = trade + "alibaba.trade.pay.protocolPay.isopen"
	signed := func() string {
		var got struct {
			Result struct {
				Result struct {
					Agreements []struct {
						Channel string `json:"payChannel"`
						Signed  string `json:"signedStatus"`
					} `json:"paymentAgreements"`
				}
			}
		}
		w.call(isopen).into(t, &got)
		for _, a := range got.Result.Result.Agreements {
			if a.Channel == "ALIPAY" {
				return a.Signed
			}
		}
		return ""
	}
	if got := signed(); got != "false" {
		t.Errorf("at the start %q", got)
	}
	w.adminPost("/admin/agreement", `{"member":"b2b-buyer","open":true}`).mustHave(t, http.StatusOK)
	if got := signed(); got != "true" {
		t.Errorf("once signed %q", got)
	}
	w.adminPost("/admin/agreement", `{"member":"b2b-buyer"}`).mustHave(t, http.StatusBadRequest, "open")
}

func TestPostponeToken(t *testing.T) {
	w := start(t)
	form := url.Values{"client_id": {testKey}, "client_secret": {testSecret}, "refresh_token": {"ref-0001"}, "access_token": {testToken}}
	postpone := func() reply {
		r, err := w.post(w.GatewayURL()+"/openapi/param2/1/system.oauth2/postponeToken/"+testKey, "application/x-www-form-urlencoded", form.Encode())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	postpone().mustHave(t, http.StatusBadRequest, "SIM_POSTPONE_TOO_EARLY")
	w.clock.advance(150 * 24 * time.Hour)
	postpone().mustHave(t, http.StatusBadRequest, `"401"`) // the access token is long past its end
	var got tokenAnswer
	w.token("grant_type", "refresh_token", "refresh_token", "ref-0001").into(t, &got)
	form.Set("access_token", got.AccessToken)
	r := postpone()
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || got.RefreshToken == "" || got.Timeout != "20270125120506007+0800" {
		t.Fatalf("got %s, %v", r.body, err)
	}
	w.token("grant_type", "refresh_token", "refresh_token", "ref-0001").mustHave(t, http.StatusBadRequest, `"401"`)
	w.token("grant_type", "refresh_token", "refresh_token", got.RefreshToken).mustHave(t, http.StatusOK)
	w.clock.advance(181 * 24 * time.Hour)
	w.token("grant_type", "refresh_token", "refresh_token", got.RefreshToken).mustHave(t, http.StatusBadRequest, `"401"`)
	form.Del("refresh_token")
	postpone().mustHave(t, http.StatusBadRequest, "gw.ParamMissing")
}
