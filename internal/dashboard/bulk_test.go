package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"autopurchase/worker"
)

// TestAllThatAreFoundAreChanged after they were counted: those, once, and of those only the ones for which it makes sense.
func TestAllThatAreFoundAreChanged(t *testing.T) {
	t.Parallel()
	s := busy()
	for _, id := range []string{"W.1", "W.2", "W.3"} {
		s.requests = append(s.requests, worker.Summary{Tenant: "acme", RequestID: id, State: worker.LifeWaiting})
	}
	b := open(t, s)
	b.get("/requests").is(200).lacks("/requests/all")
	b.get("/requests/all?do=cancel").is(403)
	b.login("li", adminToken)
	links := b.get("/requests?text=225&state=waiting&after=x").is(200).says("Cancel all that are found").lacks("do=retry").links("/requests/all")
	if len(links) != 1 || links[0] != "/requests/all?do=cancel&state=waiting&text=225" {
		t.Fatal(links)
	}
	asked := b.get(links[0]).is(200).says("Cancel: 4 requests", "4 requests: 4 waiting.", "It cannot be taken back")
	if s.filter.Text != "225" || len(s.did) > 0 {
		t.Fatalf("%+v, %+v", s.filter, s.did)
	}
	action := asked.action("/bulk/")
	form := asked.form(action)
	s.set(func(s *stand) {
		s.requests = append(s.requests, worker.Summary{Tenant: "acme", RequestID: "late", State: worker.LifeWaiting})
	})
	form.Set("why", "shop closed")
	b.post(action, form).is(200)
	b.until(action, "That is all.").says("4 of 4 done")
	b.post(action, form).is(200).says("4 of 4 done") // the same form again
	if len(s.did) != 4 {
		t.Fatalf("%+v", s.did)
	}
	for i, id := range []string{"PR/1?&x", "W.1", "W.2", "W.3"} {
		got := s.did[i].(RequestChange)
		if got.Do != "cancel" || len(got.Requests) != 1 || got.Requests[0] != (RequestName{"acme", id}) || got.By != "li" || got.Why != "shop closed" {
			t.Errorf("%+v", got)
		}
	}
	for _, none := range []string{"/requests/all?do=cancel&state=placed", "/requests/all?do=absent", "/requests/all?do=burn", "/requests/all?do=cancel&from=x"} {
		b.get(none).is(422)
	}
}

// TestABulkGoesOnPastFailures and tells of them; another's is not started, nor one that was forgotten.
func TestABulkGoesOnPastFailures(t *testing.T) {
	t.Parallel()
	s := busy()
	s.refuse = errDown
	b := open(t, s)
	b.login("li", adminToken)
	asked := b.get("/dead/all?do=replay&code=invalid&tenant=acme").is(200).says("Handle again: 2 dead letters")
	if s.wanted != (LetterFilter{Code: worker.CodeInvalid, Tenant: "acme"}) {
		t.Errorf("%+v", s.wanted)
	}
	action := asked.action("/bulk/")
	b.get(action).is(404) // nothing was begun
	form := asked.form(action)
	b.post(action, form).is(200)
	b.until(action, "That is all.").says("0 of 2 done, 2 could not be done", "41: redis_down", "40: redis_down")
	b.post("/bulk/none", form).is(404).says("count again")

	other := &browser{t: t, server: b.server, client: &http.Client{Jar: jar(t)}}
	other.login("wang", adminToken)
	asked = other.get("/dead/all?do=drop").is(200)
	b.post(asked.action("/bulk/"), form).is(404)
}

// TestABulkIsStopped and leaves the rest alone.
func TestABulkIsStopped(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	b.login("li", adminToken)
	s.mu.Lock() // so that the first does not end
	asked := func() answer { s.mu.Unlock(); defer s.mu.Lock(); return b.get("/dead/all?do=drop") }()
	action := asked.action("/bulk/")
	form := asked.form(action)
	b.post(action, form).is(200).says("0 of 2 done", "It goes on")
	b.post(action+"/stop", form).is(200)
	s.mu.Unlock()
	b.until(action, "It was stopped").says("1 of 2 done")
}

// TestManyBulksAreForgotten but for those under way.
func TestManyBulksAreForgotten(t *testing.T) {
	t.Parallel()
	s := &bulks{all: map[string]*bulk{}}
	running := &bulk{now: progress{Started: true}}
	first, second := s.add(running), s.add(&bulk{})
	for range maxBulks {
		s.add(&bulk{})
	}
	if s.find(first) != running || s.find(second) != nil || len(s.all) != maxBulks || len(s.order) != maxBulks {
		t.Errorf("%d are kept", len(s.all))
	}
}

// TestAPersonsWordOnAStep is asked for once more, and for the reason of doing without it.
func TestAPersonsWordOnAStep(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	b.get("/keys/default/1000001/onboard?step=company&verdict=passed").is(403)
	b.login("li", adminToken)
	links := b.get("/keys/default/1000001?steps=show").is(200).says("It is done", "Go without it").links("/keys/default/1000001/onboard")
	if got := strings.Join(links, " "); strings.Contains(got, "step=orders&verdict=passed") || !strings.Contains(got, "step=orders&verdict=open") || len(links) != 3 {
		t.Errorf("%q", links)
	}
	const action = "/keys/default/1000001/onboard"
	form := b.get(action + "?step=company&verdict=waived").is(200).says("Go without: Complete the company's data").form(action)
	b.post(action, form).is(422).says("Why: must be given")
	form.Set("why", "an old account")
	b.post(action, form).is(200).says("did it 1")
	if got := s.did[0].(StepChange); got.Step != "company" || got.Verdict != worker.StepWaived || got.AppKey != "1000001" || got.Why != "an old account" || got.By != "li" || got.ID == "" {
		t.Errorf("%+v", got)
	}
	for _, wrong := range []string{"?step=none&verdict=passed", "?step=company&verdict=maybe"} {
		b.get(action + wrong).is(404)
	}
	s.set(func(s *stand) { s.refuse = errDown })
	b.post(action, form).is(422).says("redis_down")
}

// links are where the links that begin so lead.
func (a answer) links(begin string) (found []string) {
	for _, link := range a.all("a") {
		if to := attr(link, "href"); strings.HasPrefix(to, begin) {
			found = append(found, to)
		}
	}
	return found
}

// action is where the form that goes to a place that begins so goes.
func (a answer) action(begin string) string {
	a.t.Helper()
	for _, f := range a.all("form") {
		if to := attr(f, "action"); strings.HasPrefix(to, begin) {
			return to
		}
	}
	a.t.Fatalf("%s has no form to %s: %v", a.Request.URL, begin, html.Render(new(strings.Builder), a.tree))
	return ""
}

// until gets a page until it says something.
func (b *browser) until(path, text string) answer {
	b.t.Helper()
	for late := time.After(20 * time.Second); ; {
		page := b.get(path).is(200)
		if strings.Contains(page.words(), text) {
			return page
		}
		select {
		case <-late:
			b.t.Fatalf("%s never says %q: %s", path, text, page.words())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
