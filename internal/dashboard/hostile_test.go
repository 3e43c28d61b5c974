package dashboard

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"autopurchase/worker"
)

// hostile is what somebody may name things who means harm.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "javascript:alert(1)\u202eevil\u2066\x00\x07\nevent: evil"

// attacked is a stand on which everything that others name is named so.
func attacked() *stand {
	s := busy()
	s.keys[0].Account, s.keys[0].Alipay, s.keys[0].State = hostile, hostile, hostile
	s.keys = append(s.keys, Key{Pool: hostile, AppKey: hostile, State: "active", Fingerprint: hostile})
	s.status.Pools = append(s.status.Pools, worker.PoolStatus{Pool: hostile})
	s.status.Instances[0].Instance, s.status.Instances[0].Relay = hostile, hostile
	s.status.Instances[0].Pauses = []worker.Pause{{Code: worker.CodeInternal, Pool: hostile, Reason: hostile}}
	s.status.Pauses = s.status.Instances[0].Pauses
	s.status.Unasked, s.status.PayStopped = []string{hostile}, &worker.Switch{Stopped: true, By: hostile, Why: hostile}
	s.requests[0] = worker.Summary{Tenant: hostile, RequestID: hostile, State: worker.LifeState(hostile), Reason: hostile, Latest: hostile, Sellers: []string{hostile}, OrderIDs: []string{hostile}, Tracking: []string{hostile}}
	life := worker.Life{Summary: s.requests[0], WaitingFor: hostile, Steps: []worker.LifeStep{{What: hostile, Text: hostile, By: hostile, Reference: hostile}},
		Parts: []worker.LifePart{{Reference: hostile, Seller: hostile, Reason: hostile, Status: hostile, AppKey: hostile, OrderIDs: []string{hostile}, Parcels: []worker.Parcel{{Number: hostile, Carrier: hostile}}}}}
	life.State, life.Pool, life.AppKeys = worker.LifeWaiting, hostile, []string{hostile}
	s.lives["acme:PR.2"], s.lives["acme:"+hostile] = life, life
	s.letters[0].Reason, s.letters[0].Subject, s.letters[0].Field, s.letters[0].Tenant, s.letters[0].RequestID = hostile, hostile, hostile, hostile, hostile
	return s
}

// TestWhatOthersWriteIsText: names that others choose are shown as they are and do nothing, and lead nowhere but to our own pages.
func TestWhatOthersWriteIsText(t *testing.T) {
	t.Parallel()
	s := attacked()
	b := open(t, s)
	b.login(`li"><script>alert(1)</script>`, adminToken)
	query, key := url.QueryEscape(hostile), keyPath(hostile, hostile)
	for _, path := range []string{"/", "/keys", "/keys/default/1000001", key, key + "?steps=show", key + "/retire", "/workers", "/requests", "/requests/one?tenant=acme&id=PR.2", "/dead",
		"/requests?after=x&text=" + query + "&tenant=" + query + "&seller=" + query + "&code=" + query, "/dead?after=x&text=" + query + "&tenant=" + query + "&code=" + query,
		"/requests/change?do=cancel&pick=acme:" + query, "/dead/change?do=drop&pick=41&why=" + query} {
		checkHarmless(t, path, b.get(path).is(200))
	}
	s.set(func(s *stand) { s.refuse = errors.New(hostile) })
	asked := b.get("/dead/all?do=drop&text=" + query).is(200)
	checkHarmless(t, "/dead/all", asked)
	action := asked.action("/bulk/")
	b.post(action, asked.form(action))
	checkHarmless(t, action, b.until(action, "That is all."))
	for _, path := range []string{"/requests?from=" + query, "/requests/one?tenant=" + query + "&id=" + query, "/login?next=" + query, "/login?next=javascript:alert(1)", "/" + url.PathEscape(hostile)} {
		checkHarmless(t, path, b.get(path))
	}
	b.get("/keys").says("<script>alert(1)</script>")
	s.set(func(s *stand) { s.down = errors.New(hostile) })
	for _, path := range []string{"/", "/keys", "/workers", "/requests?text=new", "/dead?text=new"} {
		checkHarmless(t, path, b.get(path))
	}
}

// checkHarmless checks that a page has no element or attribute that does something but ours.
func checkHarmless(t *testing.T, path string, page answer) {
	t.Helper()
	for n := range page.tree.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" && attr(n, "src") != "/assets/dashboard.js" || n.Data == "img" && attr(n, "src") != "/assets/icon.svg" {
			t.Errorf("%s: %s %v", path, n.Data, n.Attr)
		}
		for _, a := range n.Attr {
			leads := slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key)
			if strings.HasPrefix(a.Key, "on") || leads && a.Val != "#main" && local(a.Val) != a.Val {
				t.Errorf("%s: %s has %s=%q", path, n.Data, a.Key, a.Val)
			}
		}
	}
}

// TestNoLinkLeadsOutside, whatever it is made of.
func TestNoLinkLeadsOutside(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"javascript:alert(1)", "JavaScript:alert(1)", "https://example.com/", "//example.com/", `/\example.com/`, "/\t/example.com", "data:text/html,x", ""} {
		if got := fmt.Sprint(href(path)); got != ` href="/"` {
			t.Errorf("%q: %s", path, got)
		}
	}
	if got, want := fmt.Sprint(href(keyPath(`a/b"`, "c?d#e&f"))), ` href="/keys/a%2Fb%22/c%3Fd%23e&amp;f"`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
