package dashboard

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"autopurchase/worker"
)

// allPages are the addresses of every kind of page.
var allPages = []string{"/", "/keys", "/keys/default/1000001", "/keys/default/1000001?steps=show", "/keys/default/1000001/limit",
	"/keys/default/1000001/retire", "/workers", "/requests", "/requests?state=waiting&tenant=acme", "/requests?from=x", "/dead", "/requests/one?tenant=acme&id=PR.2",
	"/requests/one?tenant=bolt&id=PR.3", "/requests/change?do=cancel&pick=acme:PR.2&pick=bolt:PR.3", "/requests/change?do=placed&pick=bolt:PR.3",
	"/dead/change?do=replay&pick=41", "/dead/all?do=drop", "/requests/all?do=retry", "/keys/default/1000001/onboard?step=company&verdict=waived", "/login", "/nothing"}

// TestPagesCanBeUsedByEverybody: each has a language, a title, one heading, names for whatever can be used, headers and a caption
// in tables, and neither scripts nor styles written into it, which the policy would block.
func TestPagesCanBeUsedByEverybody(t *testing.T) {
	t.Parallel()
	b := open(t, busy())
	b.login("li", adminToken)
	for _, path := range allPages {
		page := b.get(path)
		if len(page.all("h1")) != 1 || len(page.all("main")) != 1 || attr(page.all("html")[0], "lang") != "en" || textOf(page.all("title")[0]) == "" {
			t.Errorf("%s: heading, main, language or title", path)
		}
		if first := page.all("a")[0]; attr(first, "href") != "#main" {
			t.Errorf("%s: the first link does not skip to the content", path)
		}
		for _, table := range page.all("table") {
			inside := answer{tree: table}
			if len(inside.all("caption")) != 1 || len(inside.all("th")) == 0 {
				t.Errorf("%s: a table without caption or headers", path)
			}
		}
		for n := range page.tree.Descendants() {
			if n.Type == html.ElementNode {
				checkElement(t, path, page, n)
			}
		}
	}
}

func checkElement(t *testing.T, path string, page answer, n *html.Node) {
	t.Helper()
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			t.Errorf("%s: %s has %s=%q", path, n.Data, a.Key, a.Val)
		}
	}
	name := textOf(n) + attr(n, "aria-label")
	switch n.Data {
	case "style":
		t.Errorf("%s: a style in the page", path)
	case "script":
		if attr(n, "src") == "" {
			t.Errorf("%s: a script in the page", path)
		}
	case "a", "button":
		if name == "" {
			t.Errorf("%s: a %s without a name", path, n.Data)
		}
	case "svg":
		if attr(n, "aria-label") == "" || attr(n, "role") != "img" {
			t.Errorf("%s: a picture without words", path)
		}
	case "input", "select":
		labelled := slices.ContainsFunc(page.all("label"), func(l *html.Node) bool {
			return attr(l, "for") != "" && attr(l, "for") == attr(n, "id") || n.Parent == l
		})
		if attr(n, "type") != "hidden" && !labelled && attr(n, "aria-label") == "" {
			t.Errorf("%s: %s %s without a label", path, n.Data, attr(n, "name"))
		}
	}
}

func textOf(n *html.Node) string {
	var text strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			text.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(text.String())
}

// TestTheOverviewSaysHowItIs and why it stands still.
func TestTheOverviewSaysHowItIs(t *testing.T) {
	t.Parallel()
	open(t, busy()).get("/").is(200).says("Working", "9 waiting", "3 in hand", "1 500 products left", "30 a minute come in", "15 a minute",
		"2 need a person", "4 dead letters", "1000001 in use 497 of 1 000 ordered, 3 held", "waits for 40 s").lacks("stands still here")
	for code, at := range map[worker.Code]string{
		worker.CodeNoKey: "1688", worker.CodeNoPool: "1688", worker.CodeChannelDown: "Relay", worker.CodeRedisDown: "Workers", worker.CodeNATSDown: "Requests",
	} {
		s := busy()
		s.status.Pools, s.status.Pauses = nil, nil
		s.stop(worker.Pause{Code: code, Pool: "default", Reason: "the reason"})
		page := open(t, s).get("/").is(200).says("Standing still", "What to do:")
		stopped := ""
		for _, li := range page.all("li") {
			if attr(li, "class") == "stopped" {
				stopped += strings.Fields(textOf(li))[0]
			}
		}
		if stopped != at {
			t.Errorf("%s: stands still at %q, not %q", code, stopped, at)
		}
	}
	idle := busy()
	idle.status = worker.QueueStatus{Workers: 1}
	open(t, idle).get("/").is(200).says("Nothing to do")
	down := busy()
	down.down = errDown
	open(t, down).get("/").is(200).says("Nobody answers", "redis_down: connection refused", "The keys cannot be shown now")
}

// TestWhyItStandsStill: a person who looks finds the cause, what to do about it, and where.
func TestWhyItStandsStill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pause worker.Pause
		keys  worker.KeyCounts
		says  []string
	}{
		"no key left":     {worker.Pause{Code: worker.CodeNoKey, Pool: "default"}, worker.KeyCounts{Spent: 2}, []string{"no key has room", "autopurchase keys add"}},
		"account benched": {worker.Pause{Code: worker.CodeNoKey, Pool: "default"}, worker.KeyCounts{Benched: 2}, []string{"2 are benched", "autopurchase keys probe"}},
		"channel down":    {worker.Pause{Code: worker.CodeChannelDown, Reason: "connection refused"}, worker.KeyCounts{Active: 1}, []string{"o relay is in reach", "autopurchase relay"}},
		"Redis down":      {worker.Pause{Code: worker.CodeRedisDown, Reason: "connection refused"}, worker.KeyCounts{}, []string{"Redis cannot be used", "Start Redis"}},
	} {
		s := busy()
		s.status.Pools = []worker.PoolStatus{{Pool: "default", Keys: c.keys}}
		s.status.Keys, s.status.Unknown = c.keys, 0
		s.status.Instances[0].Relay = ""
		s.stop(c.pause)
		page := open(t, s).get("/").is(200).says("Standing still", "stands still here", "What to do:")
		if page.says(c.says...); t.Failed() {
			t.Fatal(name)
		}
	}
	idle := busy()
	idle.status.Depth, idle.status.InFlight, idle.status.Unknown, idle.status.UsedUpAt = 0, 0, 0, time.Time{}
	open(t, idle).get("/").is(200).says("Nothing to do", "no request waits").lacks("What to do:", "stands still here")
}

// TestManyLookAndOneAsks: the queue is asked once a second, however many look.
func TestManyLookAndOneAsks(t *testing.T) {
	t.Parallel()
	s := busy()
	b := open(t, s)
	began := time.Now()
	for range 50 {
		b.get("/").is(200)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if most := 1 + int(time.Since(began)/time.Second); s.asked > most {
		t.Errorf("asked %d times in %v", s.asked, time.Since(began))
	}
}

// TestAStatementIsAFile with a name.
func TestAStatementIsAFile(t *testing.T) {
	t.Parallel()
	got := open(t, busy()).get("/keys/default/1000001/statement.csv").is(200)
	if !strings.HasPrefix(got.Header.Get("Content-Type"), "text/csv") || !strings.Contains(got.Header.Get("Content-Disposition"), "statement-1000001.csv") || got.text == "" {
		t.Errorf("%v", got.Header)
	}
}

// TestPaymentsThatAreStopped: who looks sees by whom and why, and how many payments want a person.
func TestPaymentsThatAreStopped(t *testing.T) {
	t.Parallel()
	s := busy()
	open(t, s).get("/").is(200).lacks("Payments are stopped", "payments want a person")
	s = busy()
	s.status.Unpaid, s.status.PayStopped = 3, &worker.Switch{Stopped: true, By: "li", Why: "wrong <prices>", At: time.Now()}
	open(t, s).get("/").is(200).says("Payments are stopped by", "li", "wrong <prices>", "payments want a person")
}
