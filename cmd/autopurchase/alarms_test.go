package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"autopurchase/internal/workertest"
)

// pager is a webhook that takes nothing until it is told to.
type pager struct {
	t      *testing.T
	server *httptest.Server

	mutex sync.Mutex
	takes bool
	tried map[string]int      // by Idempotency-Key
	taken map[string][]string // texts
}

func newPager(t *testing.T) *pager {
	p := &pager{t: t, tried: map[string]int{}, taken: map[string][]string{}}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	return p
}

func (p *pager) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var said struct{ Text string }
	if err != nil || json.Unmarshal(body, &said) != nil || r.URL.Path != "/"+markerToken {
		p.t.Errorf("%s %s: %s, %v", r.Method, r.URL, body, err)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	id := r.Header.Get("Idempotency-Key")
	p.tried[id]++
	if !p.takes {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	p.taken[id] = append(p.taken[id], said.Text)
}

func (p *pager) attempts() (most int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, n := range p.tried {
		most = max(most, n)
	}
	return most
}

// heard lists what was taken.
func (p *pager) heard() (texts []string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for id, each := range p.taken {
		if len(each) != 1 {
			p.t.Errorf("%s was told %d times: %q", id, len(each), each)
		}
		texts = append(texts, each...)
	}
	return texts
}

func (p *pager) take() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.takes = true
}

// TestAlarmsReachAPerson: two workers have the webhook, which takes nothing at first; both end and others begin in between. Each
// alarm is taken once, and the webhook's token is in nothing that they say.
func TestAlarmsReachAPerson(t *testing.T) {
	t.Parallel()
	pager := newPager(t)
	file := write(t, "webhook", []byte(pager.server.URL+"/"+markerToken+"\n"))
	nats, redis := workertest.NATS(t).URL, workertest.Redis(t).URL
	start := func() *process {
		p := launch(t, "worker", "--nats", nats, "--redis", redis, "--channel", "ws://"+nowhere(t)+"/channel", "--alarm-webhook-file", file, "--log", "trace")
		p.says("worker is up", "")
		return p
	}
	first, second := start(), start()
	if code, _, errs := execute(t, nil, "keys", "add", "1000001", "--limit", "50", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	until(t, func() bool { return pager.attempts() >= 2 })
	stopped(t, first, second)
	third, fourth := start(), start()
	pager.take()
	until(t, func() bool { return len(pager.heard()) > 0 })
	if code, _, errs := execute(t, nil, "keys", "add", "1000001", "--limit", "5000", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if code, _, errs := execute(t, nil, "keys", "pool", "--low", "10000", "--by", "li", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	until(t, func() bool { return len(pager.heard()) > 1 })
	stopped(t, third, fourth)
	for _, text := range pager.heard() {
		if !strings.HasPrefix(text, "app key pool default: low, ") {
			t.Errorf("%q", text)
		}
	}
	told := 0
	for _, p := range []*process{first, second, third, fourth} {
		mustNotTell(t, "a worker", []byte(p.out.String()+p.err.String()), markerToken)
		told += strings.Count(p.err.String(), "the webhook answered 503 Service Unavailable")
	}
	if told < 2 {
		t.Errorf("the logs tell of %d attempts in vain", told)
	}
}

func TestAWebhookThatCannotBe(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"hooks.example.com/" + markerToken:        "holds no URL",
		"http://hooks.example.com/" + markerToken: "without TLS",
	} {
		code, _, errs := execute(t, nil, "worker", "--alarm-webhook-file", write(t, "webhook", []byte(text)))
		if code != exitUsage || !strings.Contains(errs, "--alarm-webhook-file") || !strings.Contains(errs, reason) || strings.Contains(errs, markerToken) {
			t.Errorf("exit %d: %s", code, errs)
		}
	}
	refused(t, exitUsage, []string{"--alarm-webhook-file", "no such file"}, "worker", "--alarm-webhook-file", "/nowhere/webhook")
}
