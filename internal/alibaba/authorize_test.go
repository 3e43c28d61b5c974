package alibaba

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"autopurchase/worker"
)

func TestAuthorizeURL(t *testing.T) {
	at, err := url.Parse(AuthorizeURL(DefaultAuthorize, "1000001", "https://relay.example/oauth/callback?x=1", "a&b"))
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	if at.Host != "auth.1688.com" || q.Get("client_id") != "1000001" || q.Get("site") != "1688" || q.Get("state") != "a&b" ||
		q.Get("redirect_uri") != "https://relay.example/oauth/callback?x=1" {
		t.Errorf("got %s", at)
	}
}

func TestExchangeAndPostpone(t *testing.T) {
	client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("client_secret") != testKey.Secret || r.PostFormValue(signatureKey) != "" {
			t.Errorf("form %v", r.PostForm)
		}
		switch r.URL.Path {
		case "/openapi/http/1/system.oauth2/getToken/1000001":
			if r.PostFormValue("code") != "MARKER-code" || r.PostFormValue("redirect_uri") != "https://back" ||
				r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("need_refresh_token") != "true" {
				t.Errorf("form %v", r.PostForm)
			}
			_, _ = w.Write([]byte(`{"access_token":"a1","refresh_token":"r1","expires_in":"36000",
				"refresh_token_timeout":"20270125120506007+0800","resource_owner":"buyer","memberId":"b2b-1","aliId":2208123456789012345}`))
		case "/openapi/param2/1/system.oauth2/postponeToken/1000001":
			if r.PostFormValue("access_token") != testKey.AccessToken || r.PostFormValue("refresh_token") != "r1" {
				t.Errorf("form %v", r.PostForm)
			}
			_, _ = w.Write([]byte(`{"access_token":"a2","refresh_token":"r2","refresh_token_timeout":"20270724120506+0800"}`))
		default:
			t.Errorf("asked %s", r.URL)
		}
	})
	token, err := client.Exchange(t.Context(), testKey, "MARKER-code", "https://back")
	if err != nil || token.AccessToken != "a1" || token.RefreshToken != "r1" ||
		token.Owner != (Owner{"buyer", "b2b-1", "2208123456789012345"}) ||
		!token.RefreshEnds.Equal(time.Date(2027, 1, 25, 4, 5, 6, 7_000_000, time.UTC)) {
		t.Errorf("got %#v %v %v", token, token.RefreshEnds, err)
	}
	token, err = client.Postpone(t.Context(), testKey, "r1")
	if err != nil || token.RefreshToken != "r2" || token.RefreshEnds.Year() != 2027 {
		t.Errorf("got %#v %v %v", token, token.RefreshEnds, err)
	}
}

func TestOwner(t *testing.T) {
	o := Owner{Name: "buyer", MemberID: "b2b-1"}
	if !o.Is("buyer") || !o.Is("b2b-1") || o.Is("other") || o.Is("") {
		t.Error("an owner is known by each of its names, and by no other")
	}
}

func TestMoment(t *testing.T) {
	want := time.Date(2018, 8, 7, 7, 30, 6, 0, time.UTC)
	for written, good := range map[text]bool{
		"20180807153006000+0800": true, "20180807153006+0800": true, "20180807003006000-0700": true, "20180806233006-0800": true,
		"": false, "2018-08-07": false, "20180807153006000": false, "99999999999999000+0800": false,
	} {
		if got := written.moment(); got.Equal(want) != good || got.IsZero() == good {
			t.Errorf("%q: %v", written, got)
		}
	}
}

func TestAgreement(t *testing.T) {
	list := func(channel, bound, signed string) string {
		return `{"result":{"result":{"paymentAgreements":[{"payChannel":"SHEGOU","bindingStatus":"true","signedStatus":"true"},
			{"payChannel":"` + channel + `","bindingStatus":"` + bound + `","signedStatus":"` + signed + `"}]},"success":true}}`
	}
	for body, want := range map[string]string{
		list("ALIPAY", "true", "true"):  "",
		list("alipay", "true", "false"): "not signed",
		list("ALIPAY", "false", "true"): "no Alipay account",
		list("OTHER", "true", "true"):   "no agreement",
		`{"result":{"paymentAgreements":[{"payChannel":"ALIPAY","bindingStatus":true,"signedStatus":true}]}}`: "",
		`{"result":{"result":{"paymentAgreements":[]}}}`:                                                      "no agreement",
	} {
		missing, err := answering(t, 200, body).Agreement(t.Context(), testKey)
		if err != nil || (missing == "") != (want == "") || !strings.Contains(missing, want) {
			t.Errorf("%s: %q, %v", body, missing, err)
		}
	}
	for _, body := range []string{`{}`, `<html>`, `{"error_code":"gw.APIACLDecline"}`, `{"errorCode":"500","errorMessage":"x"}`} {
		if _, err := answering(t, 200, body).Agreement(t.Context(), testKey); err == nil {
			t.Errorf("%s: no error", body)
		}
	}
}

func TestPermitted(t *testing.T) {
	for body, good := range map[string]bool{
		`{"success":false,"errorCode":"500_001","errorMsg":"offer not sold"}`: true,
		`{"success":true,"orderPreviewResuslt":[]}`:                           true,
		`{"error_code":"gw.ParamMissing"}`:                                    true,
		`{"error_code":"gw.APIACLDecline"}`:                                   false,
		`{"error_code":"401"}`:                                                false,
		`{}`:                                                                  false,
		`<html>`:                                                              false,
		`{"success":false,"errorCode":"SYSTEM_ERROR"}`:                        false,
	} {
		if err := answering(t, 200, body).Permitted(t.Context(), testKey); (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestATestPushIsTold(t *testing.T) {
	topics := make(chan string, 1)
	url := platform(t, func(_ int, p *peer) {
		p.accept()
		p.write(`{"type":"SERVER_PUSH","id":"7","pubTime":1,"msgSource":"MOCK","content":"{\"msgId\":7,\"type\":\"ORDER_BUYER_VIEW_ORDER_PAY\",\"data\":{}}"}`)
		p.drain()
	})
	stop := run(t, Session{URL: url, OnPush: keep(make(chan worker.Push, 1)), OnMock: func(topic string) { topics <- topic }})
	defer stop()
	if topic := within(t, topics); topic != "ORDER_BUYER_VIEW_ORDER_PAY" {
		t.Errorf("topic %q", topic)
	}
}
