package relay

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

func nowhere(context.Context, worker.Push) error { return nil }

// consent opens the address as the buyer's browser does and returns where it is sent back to.
func consent(t *testing.T, address string) *url.URL {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	back, err := got.Location()
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func begin(t *testing.T, r *Relay, account string) *url.URL {
	t.Helper()
	answer := r.Authorize(t.Context(), worker.Authorization{AppKey: testKey.AppKey, Account: account})
	if answer.Verdict != worker.Placed || answer.Proof == nil || answer.Proof.State == "" {
		t.Fatalf("begin: %+v", answer)
	}
	back := consent(t, answer.Proof.Address)
	if back.Query().Get("state") != answer.Proof.State || back.Path != CallbackPath {
		t.Fatalf("sent back to %s", back)
	}
	return back
}

func coded(back *url.URL) worker.Authorization {
	return worker.Authorization{AppKey: testKey.AppKey, Code: back.Query().Get("code"), State: back.Query().Get("state")}
}

func TestAuthorizeByMessage(t *testing.T) {
	_, r := bare(t, nil)
	asked := coded(begin(t, r, "buyer-1"))
	answer := r.Authorize(t.Context(), asked)
	if answer.Verdict != worker.Placed || answer.Proof.Accounts[0] != "buyer-1" {
		t.Fatalf("finish: %+v", answer)
	}
	if ends := answer.Proof.EndsAt(); time.Until(ends) < 170*day {
		t.Errorf("refresh token ends %v", ends)
	}
	if again := r.passes(t, worker.CheckToken).Proof; again.Fingerprint != answer.Proof.Fingerprint || again.Ends != answer.Proof.Ends {
		t.Errorf("then %+v, now %+v", answer.Proof, again)
	}
	if answer := r.Place(t.Context(), order(reference)); answer.Code == worker.CodeUnauthorized {
		t.Errorf("order: %+v", answer)
	}
	if answer := r.Authorize(t.Context(), asked); answer.Verdict != worker.Refused || !strings.Contains(answer.Reason, "used before") {
		t.Errorf("again: %+v", answer)
	}
}

func TestAuthorizeByCallback(t *testing.T) {
	_, r := bare(t, nil)
	server := httptest.NewServer(r.Callback())
	defer server.Close()
	visit := func(query string) (int, string) {
		w := httptest.NewRecorder()
		r.Callback().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, CallbackPath+"?"+query, nil))
		if strings.Contains(w.Body.String(), "MARKER") || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("page %s %v", w.Body, w.Header())
		}
		return w.Code, w.Body.String()
	}
	if code, body := visit("code=MARKER-code&state=MARKER-state"); code != http.StatusBadRequest || !strings.Contains(body, "not one that a relay") {
		t.Errorf("a state that nobody gave out: %d %s", code, body)
	}
	if code, body := visit("error=access_denied"); code != http.StatusBadRequest || !strings.Contains(body, "did not consent") {
		t.Errorf("no code: %d %s", code, body)
	}
	back := begin(t, r, "")
	if code, body := visit(back.RawQuery); code != http.StatusOK || !strings.Contains(body, "authorized by buyer-1") {
		t.Errorf("%d %s", code, body)
	}
	r.passes(t, worker.CheckToken)
	if code, _ := visit(back.RawQuery); code != http.StatusBadRequest {
		t.Errorf("again: %d", code)
	}
}

// TestTheCallbackShowsText: what 1688 answers is shown as it is and does nothing.
func TestTheCallbackShowsText(t *testing.T) {
	const hostile = `"><script>alert(1)</script>`
	for _, answer := range []worker.Answer{
		{Verdict: worker.Refused, Reason: hostile},
		{Verdict: worker.Placed, Proof: &worker.Proof{Accounts: []string{"buyer-1", hostile}}},
	} {
		var page strings.Builder
		if err := shown(answer).Render(&page); err != nil || strings.Contains(page.String(), "<script") || !strings.Contains(page.String(), "&lt;script&gt;") {
			t.Errorf("%v: %s", err, page.String())
		}
	}
}

func TestAnotherRelayTakesTheCode(t *testing.T) {
	sim, one := bare(t, nil)
	two := relayTo(t, sim.GatewayURL(), func(c *Config) { c.Keys = []Key{{AppKey: simKey.AppKey, Secret: simKey.Secret}} })
	if answer := two.Authorize(t.Context(), coded(begin(t, one, "buyer-1"))); answer.Verdict != worker.Placed {
		t.Errorf("got %+v", answer)
	}
}

func TestAuthorizeRefused(t *testing.T) {
	_, r := bare(t, nil)
	good := coded(begin(t, r, ""))
	flipped := []byte(good.State)
	flipped[len(flipped)-1] ^= 1
	for name, a := range map[string]worker.Authorization{
		"another key's": {AppKey: "1000002", Code: good.Code, State: good.State},
		"changed":       {AppKey: good.AppKey, Code: good.Code, State: string(flipped)},
		"none":          {AppKey: good.AppKey, Code: good.Code},
		"too old":       {AppKey: good.AppKey, Code: good.Code, State: newTicket(good.AppKey, "", "https://back", time.Now().Add(-ticketLife)).state(simKey.Secret)},
		"other secret":  {AppKey: good.AppKey, Code: good.Code, State: newTicket(good.AppKey, "", "https://back", time.Now()).state("other")},
		"wrong code":    {AppKey: good.AppKey, Code: "MARKER-code", State: newTicket(good.AppKey, "", "https://back", time.Now()).state(simKey.Secret)},
	} {
		if answer := r.Authorize(t.Context(), a); answer.Verdict != worker.Refused || strings.Contains(answer.Reason, "MARKER") {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	if answer := r.Authorize(t.Context(), good); answer.Verdict != worker.Placed {
		t.Errorf("what was tried with others' states used this one up: %+v", answer)
	}
	for field, a := range map[string]worker.Authorization{
		"app key":      {AppKey: "nobody"},
		"redirect_uri": {AppKey: good.AppKey, RedirectURI: "ftp://x"},
		"account":      {AppKey: good.AppKey, Account: "a\nb"},
	} {
		if answer := r.Authorize(t.Context(), a); answer.Verdict != worker.NotAttempted || !strings.Contains(answer.Reason, field) {
			t.Errorf("%s: %+v", field, answer)
		}
	}
}

func TestNoOtherAccountTakesAKeyOver(t *testing.T) {
	_, r := bare(t, nil)
	before := alibaba.Token{AccessToken: "a", RefreshToken: "MARKER-r", Owner: alibaba.Owner{Name: "declared"}}
	r.keys[testKey.AppKey].keep(before)
	answer := r.Authorize(t.Context(), coded(begin(t, r, "declared")))
	if answer.Verdict != worker.Refused || !strings.Contains(answer.Reason, "another account") {
		t.Errorf("got %+v", answer)
	}
	if r.keys[testKey.AppKey].current() != before {
		t.Error("the tokens were replaced")
	}
}
