package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestAnAdministratorChangesAKey goes the whole way without a script: log in, see the buttons, confirm, read what became of it.
func TestAnAdministratorChangesAKey(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	b.get("/keys/default/1000001").is(200).lacks("Switch off")
	b.login("Li Wei", adminToken).is(200).says("Li Wei", "administrator")
	b.get("/keys/default/1000001").is(200).says("Switch off", "Change the limit", "Retire")
	const action = "/keys/default/1000001/disable"
	form := b.get(action).is(200).says("In the journal as Li Wei").form(action)
	form.Set("why", "its owner asked")
	page := b.post(action, form).is(200).says("did it 1")
	if page.Request.URL.Path != "/keys/default/1000001" {
		t.Errorf("it ends on %s", page.Request.URL)
	}
	got, ok := s.did[0].(KeyChange)
	if !ok || got.Do != "disable" || got.AppKey != "1000001" || got.By != "Li Wei" || got.Why != "its owner asked" || got.Version != 7 || len(got.ID) < 30 {
		t.Errorf("%+v", s.did)
	}
	b.get("/keys/default/1000001").lacks("did it 1") // it is told once
}

// TestARefusalIsShown with its field, beside what was typed.
func TestARefusalIsShown(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	b.login("li", adminToken)
	const action = "/keys/default/1000001/limit"
	form := b.get(action).is(200).form(action)
	if form.Get("limit") != "1000" {
		t.Errorf("%v", form)
	}
	form.Set("limit", "many")
	b.post(action, form).is(422).says("Limit: must be a whole number")
	s.set(func(s *stand) { s.refuse = errDown })
	form.Set("limit", "1500")
	form.Set("why", "raised")
	again := b.post(action, form).is(422).says("redis_down: connection refused").form(action)
	if again.Get("limit") != "1500" || again.Get("why") != "raised" {
		t.Errorf("%v", again)
	}
	s.set(func(s *stand) { s.refuse = nil })
	b.post(action, again).is(200)
	if got := s.did[0].(KeyChange); got.Limit != 1500 {
		t.Errorf("%+v", got)
	}
}

// TestOnlyAnAdministratorChanges: not a stranger, not a reader, not with another's form, not from another page.
func TestOnlyAnAdministratorChanges(t *testing.T) {
	t.Parallel()
	const action = "/keys/default/1000001/disable"
	s := busy()
	b := open(t, s, protected)
	b.post(action, url.Values{}).is(403)
	b.login("reader", readToken).is(200).lacks("administrator")
	b.get(action).is(403)
	token := b.get("/keys").form("/logout").Get("csrf")
	b.post(action, url.Values{"csrf": {token}}).is(403)

	admin := open(t, s, protected)
	admin.login("li", adminToken).is(200)
	form := admin.get(action).form(action)
	admin.post(action, url.Values{"csrf": {token}}).is(403)
	admin.post(action, url.Values{}).is(403)
	for _, header := range []string{"Origin", "Sec-Fetch-Site"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, admin.server.URL+action, strings.NewReader(form.Encode()))
		must(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}[header])
		admin.do(r).is(403)
	}
	if len(s.did) > 0 {
		t.Fatalf("%+v", s.did)
	}
	admin.post(action, form).is(200)
	if len(s.did) != 1 {
		t.Errorf("%+v", s.did)
	}
	admin.post("/logout", url.Values{"csrf": {form.Get("csrf")}}).is(200)
	admin.get(action).is(403)
}

// TestReadingTakesAToken where it is not only this machine that reaches the page.
func TestReadingTakesAToken(t *testing.T) {
	t.Parallel()
	b := open(t, busy(), protected)
	page := b.get("/keys?x=1").is(200).says("Reading takes a token").lacks("1000001")
	if page.Request.URL.Path != "/login" || page.form("/login").Get("next") != "/keys?x=1" {
		t.Errorf("%s, %v", page.Request.URL, page.form("/login"))
	}
	b.get("/keys/default/1000001/statement.csv").lacks("order")
	b.login("", readToken).is(422).says("Name: must be")
	b.login("li\u202e", readToken).is(422).says("Name: must be")
	b.login("li", "wrong").is(403).says("Token: is not one").lacks("1000001")
	page = b.login("li", readToken).is(200).says("1000001")
	cookie := page.Request.Response.Header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("%s lacks %s", cookie, want)
		}
	}
	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`} {
		page := b.post("/login", url.Values{"name": {"li"}, "token": {readToken}, "next": {next}}).is(200)
		if page.Request.URL.Path != "/" {
			t.Errorf("%q leads to %s", next, page.Request.URL)
		}
	}
}

// TestGuessingIsSlowedDown for whoever guesses, and for a while.
func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := &brake{from: map[string]*guesses{}, now: func() time.Time { return now }}
	for range freeGuesses {
		if wait := b.attempt("a"); wait != 0 {
			t.Fatal(wait)
		}
	}
	last := time.Duration(0)
	for range 20 {
		wait := b.attempt("a")
		if wait < last || wait == 0 || wait > longestBrake {
			t.Fatal(wait, last)
		}
		last, now = wait, now.Add(wait)
		if wait := b.attempt("a"); wait != 0 {
			t.Fatal(wait)
		}
	}
	if wait := b.attempt("b"); wait != 0 {
		t.Error(wait)
	}
	b.passed("a")
	if wait := b.attempt("a"); wait != 0 {
		t.Error(wait)
	}

	page := open(t, busy(), protected)
	for range freeGuesses {
		page.login("li", "wrong").is(403)
	}
	if got := page.login("li", readToken).is(429); got.Header.Get("Retry-After") == "" {
		t.Error(got.Header)
	}
}

// TestASessionEnds after its time, and the oldest makes room.
func TestASessionEnds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := &sessions{all: map[[32]byte]*session{}, now: func() time.Time { return now }}
	first := s.begin(administrator, "li")
	if got := s.find(first); got.role != administrator || got.by != "li" || got.csrf == "" {
		t.Errorf("%+v", got)
	}
	now = now.Add(time.Second)
	for range maxSessions {
		s.begin(reader, "wang")
	}
	if got := s.find(first); got.role != stranger || len(s.all) != maxSessions {
		t.Errorf("%+v, %d", got, len(s.all))
	}
	second := s.begin(reader, "wang")
	now = now.Add(sessionLife + time.Second)
	if got := s.find(second); got.role != stranger {
		t.Errorf("%+v", got)
	}
}

// TestAnotherNameForThisMachine is what a page elsewhere could give itself, so as to read ours.
func TestAnotherNameForThisMachine(t *testing.T) {
	t.Parallel()
	b := open(t, busy())
	for host, want := range map[string]int{
		"evil.example": 421, "127.0.0.1.evil.example:80": 421, "192.168.1.9": 421, "": 200, "localhost:7710": 200, "[::1]:7710": 200, "127.0.0.1": 200,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL+"/", nil)
		must(t, err)
		r.Host = host
		b.do(r).is(want)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, open(t, busy(), protected).server.URL+"/login", nil)
	must(t, err)
	r.Host = "purchasing.example" // a token is asked for, and its cookie is good for one name only
	b.do(r).is(200)
}

// TestEveryAnswerIsGuarded by the headers that keep other pages and written scripts out.
func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	b := open(t, busy())
	for _, path := range []string{"/", "/keys", "/login", "/assets/dashboard.js", "/no-such-page"} {
		h := b.get(path).Header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	b.get("/no-such-page").is(404).says("There is no such page")
	b.get("/assets/none").is(404)
	b.get("/keys/default/9").is(404).says("no app key 9")
}
