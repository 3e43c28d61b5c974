package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"autopurchase/worker"
)

const (
	readToken  = "read-token-0123456789"
	adminToken = "admin-token-0123456789"
)

// stand is a queue that says what a test has it say, and notes what it is asked to do.
type stand struct {
	mu       sync.Mutex
	status   worker.QueueStatus
	down     error // of every question
	asked    int   // for the status
	keys     []Key
	requests []worker.Summary
	lives    map[string]worker.Life // by their picks
	letters  []worker.Dead
	filter   worker.Filter // that was asked for
	page     worker.Page
	wanted   LetterFilter
	refuse   error // of every change
	did      []any
}

func (s *stand) Status(context.Context) (worker.QueueStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.status, s.down
}

func (s *stand) Keys(_ context.Context, pool string) ([]Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []Key
	for _, key := range s.keys {
		if key.Pool == pool {
			keys = append(keys, key)
		}
	}
	return keys, s.down
}

func (s *stand) Key(_ context.Context, _, appKey string) (Onboarding, error) {
	return Onboarding{Key: Key{AppKey: appKey}, Steps: []OnboardingStep{{Step: "company", Title: "Complete the company's data", Do: "Fill it in.", Verdict: worker.StepOpen}, {Step: "orders", Title: "The app may order", Do: "See to it.", Machine: true, Verdict: worker.StepWaived, By: "li", Why: "by hand"}}}, nil
}

func (s *stand) Forecast(context.Context, string) (worker.Forecast, error) {
	return worker.Forecast{Left: 500, UsedUp: time.Date(2027, 1, 2, 3, 4, 0, 0, time.UTC)}, nil
}

func (s *stand) Statement(_ context.Context, _, appKey string, to io.Writer) error {
	_, err := fmt.Fprintf(to, "at,kind\n%s,order\n", appKey)
	return err
}

func (s *stand) List(_ context.Context, filter worker.Filter, page worker.Page) (worker.Listing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter, s.page = filter, page
	if page.Limit == perPage {
		return worker.Listing{Requests: s.requests, Next: "older", Total: len(s.requests)}, s.down
	}
	return s.part(filter, page), s.down
}

// part gives those of some states, two at a time.
func (s *stand) part(filter worker.Filter, page worker.Page) (l worker.Listing) {
	for i, r := range s.requests {
		if fmt.Sprint(i) > page.After && slices.Contains(filter.States, r.State) {
			if len(l.Requests) == 2 {
				l.Next = fmt.Sprint(i - 1)
				return l
			}
			l.Requests = append(l.Requests, r)
		}
	}
	return l
}

func (s *stand) Life(_ context.Context, tenant, id string) (worker.Life, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	life, found := s.lives[pick(tenant, id)]
	return life, found, s.down
}

func (s *stand) Series(_ context.Context, minutes int) ([]worker.Minute, error) {
	series := make([]worker.Minute, minutes)
	now := time.Now().Truncate(time.Minute)
	for i := range series {
		series[i].At = now.Add(time.Duration(i-minutes+1) * time.Minute)
	}
	if len(s.requests) > 0 {
		series[30].Asked, series[30].Ended, series[30].Median, series[30].P90 = 40, map[worker.LifeState]int64{worker.LifePlaced: 30, worker.LifeRefused: 7}, 300*time.Millisecond, 2*time.Second
	}
	return series, s.down
}

func (s *stand) Dead(_ context.Context, filter LetterFilter, after string, most int) (Letterbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted, s.page.After = filter, after
	if most > perPage {
		return Letterbox{Letters: s.letters}, s.down
	}
	return Letterbox{Letters: s.letters, Next: "older"}, s.down
}

func (s *stand) change(what any) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return "", s.refuse
	}
	s.did = append(s.did, what)
	return fmt.Sprint("did it ", len(s.did)), nil
}

func (s *stand) ChangeStep(_ context.Context, c StepChange) (string, error) { return s.change(c) }
func (s *stand) ChangeKey(_ context.Context, c KeyChange) (string, error)   { return s.change(c) }
func (s *stand) ChangeRequests(_ context.Context, c RequestChange) (string, error) {
	return s.change(c)
}
func (s *stand) ChangeLetters(_ context.Context, c LetterChange) (string, error) { return s.change(c) }

func (s *stand) set(change func(*stand)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// stop has the workers stand still.
func (s *stand) stop(why worker.Pause) {
	s.status.Instances[0].Pauses = []worker.Pause{why}
	s.status.Merge(s.status.Instances)
}

// busy is a stand with something on every page.
func busy() *stand {
	at := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	waiting := worker.Summary{Tenant: "acme", RequestID: "PR/1?&x", State: worker.LifeWaiting, Sellers: []string{"shop-a"}, Lines: 2, AskedAt: at}
	refused := worker.Summary{Tenant: "acme", RequestID: "PR.2", State: worker.LifeRefused, Code: worker.CodeOutOfStock, Reason: "库存不足", AskedAt: at, DecidedAt: at}
	unknown := worker.Summary{Tenant: "bolt", RequestID: "PR.3", State: worker.LifeUnknown, Code: worker.CodeAbsent, Reason: "not found", AskedAt: at, DecidedAt: at}
	return &stand{
		requests: []worker.Summary{waiting, refused, unknown},
		lives: map[string]worker.Life{
			"acme:PR/1?&x": {Summary: waiting, WaitingFor: "a key: add one with `autopurchase keys add`", Steps: []worker.LifeStep{{At: at, What: "asked", Text: "2 lines of one seller"}}},
			"acme:PR.2":    {Summary: refused, Steps: []worker.LifeStep{{At: at, What: "asked", Text: "1 line"}, {At: at, What: "result", Text: "库存不足", Code: worker.CodeOutOfStock}}},
			"bolt:PR.3":    {Summary: unknown, Parts: []worker.LifePart{{Reference: "bolt.PR=2E3-1", Seller: "shop-b", Lines: []int{0, 2}, Claim: "unknown", AppKey: "1000001", Products: 2}}},
		},
		letters: []worker.Dead{{Sequence: 41, Tenant: "acme", RequestID: "PR.2", Subject: "purchase.request.acme.PR=2E2", Stored: 9, Code: worker.CodeInvalid, Field: "lines[0].quantity", Reason: "must be a whole number above 0", Attempt: 1, Replays: 2, At: at},
			{Sequence: 40, Subject: "purchase.request.x", Code: worker.CodeInvalid, Field: "body", Reason: "must be one JSON object", Attempt: 1, At: at}},
		status: worker.QueueStatus{
			Depth: 12, InFlight: 3, OldestSeconds: 40, RateIn: 0.5, RateOut: 0.25, Workers: 1, Relays: 1, ProductsLeft: 1500, Unknown: 2, Dead: 4,
			Keys:      worker.KeyCounts{Active: 1, Ready: 1},
			Pools:     []worker.PoolStatus{{Pool: "default", ProductsLeft: 1500, Held: 3, UsedUpAt: at.Add(48 * time.Hour)}},
			Instances: []worker.Instance{{Instance: "worker-one", InFlight: 3, Finished: 99, Concurrent: 16, Relay: "relay-one", Started: at, At: at}}, At: at,
		},
		keys: []Key{
			{AppKey: "1000001", Pool: "default", State: "active", Limit: 1000, Used: 497, Held: 3, Left: 500, Account: "buyer-1", Alipay: "none", Source: "own", Version: 7},
			{AppKey: "1000002", Pool: "default", State: "ready", Limit: 1000, Left: 1000, Alipay: "business", Source: "managed", Version: 1},
			{AppKey: "1000003", Pool: "default", State: "disabled", Limit: 1000, Left: 1000, Alipay: "none", Source: "own", Version: 2},
		},
	}
}

// browser is one without scripts, on a dashboard that shows a stand.
type browser struct {
	t      *testing.T
	server *httptest.Server
	client *http.Client
}

func open(t *testing.T, s *stand, change ...func(*Config)) *browser {
	t.Helper()
	config := Config{Queue: s, Pools: s, Requests: s, Letters: s, Desk: s, AdminToken: adminToken}
	for _, c := range change {
		c(&config)
	}
	d := New(config)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(func() { d.Close(); server.Close() })
	client := server.Client()
	client.Jar = jar(t)
	return &browser{t: t, server: server, client: client}
}

func jar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return jar
}

// protected is one that takes a token to read.
func protected(c *Config) { c.ReadToken = readToken }

// answer is what came back.
type answer struct {
	*http.Response
	t    *testing.T
	text string
	tree *html.Node
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	must(b.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(b.t, err)
	tree, err := html.Parse(strings.NewReader(string(body)))
	must(b.t, err)
	return answer{response, b.t, string(body), tree}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.server.URL+path, nil)
	must(b.t, err)
	return b.do(r)
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+path, strings.NewReader(form.Encode()))
	must(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.server.URL)
	return b.do(r)
}

// login logs in and gives the page behind.
func (b *browser) login(name, token string) answer {
	b.t.Helper()
	return b.post("/login", url.Values{"name": {name}, "token": {token}, "next": {"/keys"}})
}

// is checks the status and gives the answer back.
func (a answer) is(code int) answer {
	a.t.Helper()
	if a.StatusCode != code {
		a.t.Fatalf("%s: %s, want %d:\n%s", a.Request.URL, a.Status, code, a.words())
	}
	return a
}

// says checks that the page's words have a text.
func (a answer) says(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.words(), text) {
			a.t.Errorf("%s does not say %q:\n%s", a.Request.URL, text, a.words())
		}
	}
	return a
}

func (a answer) lacks(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.text, text) {
			a.t.Errorf("%s has %q", a.Request.URL, text)
		}
	}
	return a
}

// words is what a reader sees of the page's body, with single blanks.
func (a answer) words() string {
	var words []string
	for n := range a.tree.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// all finds the elements of a name.
func (a answer) all(name string) (found []*html.Node) {
	for n := range a.tree.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// form reads the form that goes to a path, as the browser would send it.
func (a answer) form(action string) url.Values {
	a.t.Helper()
	for _, f := range a.all("form") {
		if attr(f, "action") != action {
			continue
		}
		values := url.Values{}
		for n := range f.Descendants() {
			if n.Type == html.ElementNode && n.Data == "input" && attr(n, "name") != "" && attr(n, "type") != "checkbox" {
				values.Add(attr(n, "name"), attr(n, "value"))
			}
		}
		return values
	}
	a.t.Fatalf("%s has no form to %s:\n%s", a.Request.URL, action, a.text)
	return nil
}

var errDown = errors.New("redis_down: connection refused")
