package sim1688

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Each case is wrong in its own way and in every later one: the first check that fails must answer.
func TestChecksInOrder(t *testing.T) {
	w := start(t, func(cfg *Config) {
		cfg.Keys = append(cfg.Keys, Key{AppKey: "narrow", Secret: "s", AccessToken: "t", APIs: []string{"alibaba.trade.cancel"}})
	})
	sign := func(secret, path string, form url.Values) url.Values {
		form.Set(signatureParam, signature(secret, path, form))
		return form
	}
	tests := []struct {
		name, path string
		form       url.Values
		want       string
	}{
		{"API name", trade + "alibaba.trade.nothing/nobody", nil, "gw.APIUnsupported"},
		{"version", strings.Replace(fastCreate, "/1/", "/2/", 1) + "/nobody", nil, "gw.APIUnsupported"},
		{"key", fastCreate + "/nobody", nil, "gw.AppKeyNotFound"},
		{"signature missing", fastCreate + "/narrow", nil, "gw.SignatureMissing"},
		{"signature wrong", fastCreate + "/narrow", url.Values{signatureParam: {"AB"}}, "gw.SignatureInvalid"},
		{"signature in lower case", fastCreate + "/narrow",
			url.Values{signatureParam: {strings.ToLower(signature("s", fastCreate+"/narrow", nil))}}, "gw.SignatureInvalid"},
		{"token missing", fastCreate + "/narrow", sign("s", fastCreate+"/narrow", url.Values{}), `"401"`},
		{"token of another key", fastCreate + "/narrow",
			sign("s", fastCreate+"/narrow", url.Values{"access_token": {testToken}}), `"401"`},
		{"ACL", fastCreate + "/narrow", sign("s", fastCreate+"/narrow", url.Values{"access_token": {"t"}}), "gw.APIACLDecline"},
		{"parameters", trade + "alibaba.trade.cancel/narrow",
			sign("s", trade+"alibaba.trade.cancel/narrow", url.Values{"access_token": {"t"}}), "gw.ParamMissing"},
		{"form", fastCreate + "/narrow", url.Values{"\xff%zz": {"%"}}, "gw.SignatureMissing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := w.post(w.GatewayURL()+"/openapi/"+test.path, "application/x-www-form-urlencoded", test.form.Encode())
			if err != nil {
				t.Fatal(err)
			}
			r.mustHave(t, http.StatusBadRequest, test.want)
		})
	}
	if orders := w.Orders(OrderFilter{}); len(orders) != 0 {
		t.Errorf("a refused call made %v", orders)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	w := start(t)
	r, err := readReply(w.http.Get(w.GatewayURL() + "/openapi/" + fastCreate + "/" + testKey))
	if err != nil {
		t.Fatal(err)
	}
	r.mustHave(t, http.StatusMethodNotAllowed, "SIM_POST_ONLY")
	for _, path := range []string{"/", "/openapi/", "/" + fastCreate + "/" + testKey} {
		r, err = w.post(w.GatewayURL()+path, "application/x-www-form-urlencoded", "")
		if err != nil {
			t.Fatal(err)
		}
		r.mustHave(t, http.StatusBadRequest, "gw.APIUnsupported")
	}
	r, err = w.post(w.GatewayURL()+"/openapi/"+fastCreate+"/"+testKey, "application/x-www-form-urlencoded", "a=%zz")
	if err != nil {
		t.Fatal(err)
	}
	r.mustHave(t, http.StatusBadRequest, "SIM_INVALID_FORM")
}

func TestCurrentTime(t *testing.T) {
	w := start(t)
	w.call("param2/1/system/currentTime").mustHave(t, http.StatusOK, `"20260301120506007+0800"`)
}

func TestTokenEnds(t *testing.T) {
	w := start(t, func(cfg *Config) { cfg.TokenLife = time.Second })
	w.call(listOrders).mustHave(t, http.StatusOK, `"totalRecord":0`)
	w.clock.advance(time.Second)
	w.call(listOrders).mustHave(t, http.StatusBadRequest, `"401"`)
}
