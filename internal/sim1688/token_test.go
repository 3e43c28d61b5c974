package sim1688

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

func (w *world) token(params ...string) reply {
	w.t.Helper()
	form := url.Values{"client_id": {testKey}, "client_secret": {testSecret}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	r, err := w.post(w.GatewayURL()+"/openapi/http/1/system.oauth2/getToken/"+testKey, "application/x-www-form-urlencoded", form.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// consent walks through the authorization page and returns the code the browser is sent back with.
func (w *world) consent() string {
	w.t.Helper()
	client := *w.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	q := url.Values{"client_id": {testKey}, "site": {"1688"}, "redirect_uri": {"http://127.0.0.1:1/back?x=1"}, "state": {"s&1"}}
	resp, err := client.Get(w.GatewayURL() + "/oauth/authorize?" + q.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		w.t.Fatal(err)
	}
	if got := back.Query(); got.Get("state") != "s&1" || got.Get("x") != "1" || got.Get("code") == "" {
		w.t.Fatalf("sent back to %s", back)
	}
	return back.Query().Get("code")
}

func TestRefreshToken(t *testing.T) {
	w := start(t)
	r := w.token("grant_type", "refresh_token", "refresh_token", "ref-0001")
	r.mustHave(t, http.StatusOK, `"expires_in":"36000"`, `"resource_owner":"b2b-buyer"`)
	var got tokenAnswer
	r.into(t, &got)
	if got.RefreshToken != "" {
		t.Error("a refresh must not renew the refresh token")
	}
	w.call(listOrders, "access_token", got.AccessToken).mustHave(t, http.StatusOK)
	w.call(listOrders).mustHave(t, http.StatusOK) // the earlier token is good until its own end
	w.clock.advance(10 * time.Hour)
	w.token("grant_type", "refresh_token", "refresh_token", "ref-0001").mustHave(t, http.StatusOK)
	if held := len(w.Sim.books.account(testKey).tokens); held != 1 {
		t.Errorf("%d tokens are kept, all but one at their end", held)
	}
	if n := w.Keys()[0].Refreshes; n != 2 {
		t.Errorf("%d refreshes on the books", n)
	}
}

func TestTokenRefused(t *testing.T) {
	w := start(t)
	tests := map[string]struct {
		params []string
		want   string
	}{
		"wrong refresh token": {[]string{"grant_type", "refresh_token", "refresh_token", "no"}, `"401"`},
		"no refresh token":    {[]string{"grant_type", "refresh_token"}, `"401"`},
		"wrong secret":        {[]string{"grant_type", "refresh_token", "refresh_token", "ref-0001", "client_secret", "no"}, `"401"`},
		"another client":      {[]string{"grant_type", "refresh_token", "refresh_token", "ref-0001", "client_id", "no"}, `"401"`},
		"unknown code":        {[]string{"grant_type", "authorization_code", "code", "no"}, `"401"`},
		"unknown grant":       {[]string{"grant_type", "password"}, "SIM_INVALID_PARAM"},
		"no grant":            {nil, "gw.ParamMissing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { w.token(test.params...).mustHave(t, http.StatusBadRequest, test.want) })
	}
}

func TestAuthorizationCode(t *testing.T) {
	w := start(t)
	code := w.consent()
	r := w.token("grant_type", "authorization_code", "code", code, "need_refresh_token", "true")
	var got tokenAnswer
	r.into(t, &got)
	if got.RefreshToken == "" || got.Timeout == "" {
		t.Fatalf("no refresh token in %+v", got)
	}
	w.call(listOrders, "access_token", got.AccessToken).mustHave(t, http.StatusOK)
	w.token("grant_type", "refresh_token", "refresh_token", got.RefreshToken).mustHave(t, http.StatusOK)
	w.token("grant_type", "authorization_code", "code", code).mustHave(t, http.StatusBadRequest, `"401"`)

	late := w.consent()
	w.clock.advance(codeLife + time.Nanosecond)
	w.token("grant_type", "authorization_code", "code", late).mustHave(t, http.StatusBadRequest, `"401"`)
}

func TestAuthorizeRefused(t *testing.T) {
	w := start(t)
	for _, q := range []string{"client_id=nobody&redirect_uri=http://127.0.0.1:1", "client_id=" + testKey + "&redirect_uri=back"} {
		r, err := readReply(w.http.Get(w.GatewayURL() + "/oauth/authorize?" + q))
		if err != nil {
			t.Fatal(err)
		}
		r.mustHave(t, http.StatusBadRequest, "SIM_INVALID_PARAM")
	}
}

func TestRefreshTokensThatAreGoodOnce(t *testing.T) {
	w := start(t)
	w.Sim.books.refreshOnce = true
	var first, second tokenAnswer
	w.token("grant_type", "refresh_token", "refresh_token", "ref-0001").into(t, &first)
	w.token("grant_type", "refresh_token", "refresh_token", "ref-0001").mustHave(t, http.StatusBadRequest, `"401"`)
	w.token("grant_type", "refresh_token", "refresh_token", first.RefreshToken).into(t, &second)
	if first.RefreshToken == "" || second.RefreshToken == first.RefreshToken || second.Timeout == "" {
		t.Errorf("got %+v, then %+v", first, second)
	}
}
