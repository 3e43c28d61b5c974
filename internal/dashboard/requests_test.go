package dashboard

import (
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/html"

	"autopurchase/worker"
)

// TestRequestsAreFound by what the form has, page by page.
func TestRequestsAreFound(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	page := b.get("/requests").is(200).says("3 requests", "PR/1?&x", "waiting", "库存不足", "needs a person", "shop-a").lacks(`type="checkbox"`)
	links := map[string]bool{}
	for _, a := range page.all("a") {
		links[attr(a, "href")] = true
	}
	for _, want := range []string{"/requests?after=older", "/requests/one?id=PR%2F1%3F%26x&tenant=acme"} {
		if !links[want] {
			t.Errorf("no link to %s in %v", want, links)
		}
	}
	b.get("/requests?text=225&state=unknown&code=absent&tenant=acme&app_key=1000001&seller=shop-a&offer=700&from=2026-11-01&to=2026-11-02&after=x").is(200).says("Newest requests")
	want := worker.Filter{
		States: []worker.LifeState{worker.LifeUnknown}, Codes: []worker.Code{worker.CodeAbsent}, Tenant: "acme", AppKey: "1000001", Seller: "shop-a", Offer: "700",
		Text: "225", From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC),
	}
	if !reflect.DeepEqual(s.filter, want) || s.page != (worker.Page{Limit: perPage, After: "x"}) {
		t.Errorf("asked for %+v, %+v", s.filter, s.page)
	}
	b.get("/requests?from=yesterday").is(200).says("From: must be a day")
	s.set(func(s *stand) { s.down = errDown })
	b.get("/requests?text=new").is(200).says("The list cannot be shown now: redis_down")
}

// TestARequestTellsItsLife, whatever its id is made of.
func TestARequestTellsItsLife(t *testing.T) {
	t.Parallel()
	b := open(t, busy())
	b.get("/requests/one?id=PR%2F1%3F%26x&tenant=acme").is(200).says("Request PR/1?&x", "Waiting for: a key", "Asked", "2 lines of one seller").lacks("/requests/change")
	b.get("/requests/one?tenant=bolt&id=PR.3").is(200).says("bolt.PR=2E3-1", "1, 3")
	b.get("/requests/one?tenant=bolt&id=none").is(404).says("has no request none")
}

// TestRequestsAreChanged after they were counted, in one go, once.
func TestRequestsAreChanged(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	b.login("li", adminToken)
	b.get("/requests").is(200).says("Cancel those picked")
	const ask = "/requests/change?do=cancel&pick=acme%3APR%2F1%3F%26x&pick=acme%3APR.2"
	page := b.get(ask).is(200).says("2 requests: 1 refused, 1 waiting.", "It makes sense for 1 of them", "It cannot be taken back")
	form := page.form("/requests/change")
	b.post("/requests/change", form).is(200).says("did it 1")
	got := s.did[0].(RequestChange)
	if got.Do != "cancel" || !slices.Equal(got.Requests, []RequestName{{"acme", "PR/1?&x"}, {"acme", "PR.2"}}) || got.By != "li" || got.ID == "dashboard-" {
		t.Errorf("%+v", got)
	}
	for _, wrong := range []string{"/requests/change?do=cancel", "/requests/change?do=burn&pick=acme:PR.2", "/requests/change?do=cancel&pick=acme:none"} {
		b.get(wrong).is(422)
	}
	form = b.get("/requests/change?do=placed&pick=bolt:PR.3").is(200).form("/requests/change")
	b.post("/requests/change", form).is(422).says("Order numbers at 1688: must be given")
	form.Set("order_ids", " 225701  225702 ")
	form.Set("force", "yes")
	end := b.post("/requests/change", form).is(200).says("did it 2")
	if end.Request.URL.Query().Get("id") != "PR.3" {
		t.Error(end.Request.URL)
	}
	got = s.did[1].(RequestChange)
	if got.Do != "placed" || !slices.Equal(got.OrderIDs, []string{"225701", "225702"}) || !got.Force {
		t.Errorf("%+v", got)
	}
	s.set(func(s *stand) { s.refuse = errDown })
	b.post("/requests/change", form).is(422).says("redis_down")
}

// TestDeadLettersAreHandledAgain once an administrator says so.
func TestDeadLettersAreHandledAgain(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	b.get("/dead?code=invalid&tenant=acme&text=quantity").is(200).says("lines[0].quantity: must be a whole number above 0", "cannot be read", "2 times").lacks("Remove")
	if s.wanted != (LetterFilter{Code: worker.CodeInvalid, Tenant: "acme", Text: "quantity"}) {
		t.Errorf("%+v", s.wanted)
	}
	b.get("/dead/change?do=replay&pick=41").is(403)
	b.login("li", adminToken)
	b.get("/dead").says("Handle those picked again", "Remove those picked")
	form := b.get("/dead/change?do=replay&pick=41&pick=40").is(200).says("2 dead letters are picked").form("/dead/change")
	b.post("/dead/change", form).is(200).says("did it 1")
	if got := s.did[0].(LetterChange); got.Do != "replay" || !slices.Equal(got.Sequences, []uint64{41, 40}) || got.By != "li" {
		t.Errorf("%+v", got)
	}
	b.get("/dead/change?do=drop&pick=x").is(422)
	b.post("/dead/change", url.Values{"csrf": {form.Get("csrf")}, "do": {"burn"}, "pick": {"41"}}).is(422)
}

// TestChartsAreDrawn with words that say the same.
func TestChartsAreDrawn(t *testing.T) {
	t.Parallel()
	page := open(t, busy()).get("/").is(200).says("40 requests asked for and 37 finished in the last hour; 37 in the busiest minute, 29 minutes ago",
		"half of the requests took less than 300 ms, and nine in ten less than 2.0 s")
	if bars := slices.DeleteFunc(page.all("rect"), func(n *html.Node) bool { return attr(n, "class") != "mark" }); len(bars) != 2 {
		t.Errorf("%d bars", len(bars))
	}
	idle := busy()
	idle.requests = nil
	open(t, idle).get("/").is(200).says("Nothing was asked for or finished in the last hour")
}
