package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
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

// TestASpentKeyIsAnAlarmWithoutASpare: three keys of one product are spent one after the other. The first has two behind it, one of
// which goes on waiting; the second has one, which takes over; of the third, that no key has room says it all.
func TestASpentKeyIsAnAlarmWithoutASpare(t *testing.T) {
	t.Parallel()
	pager := newPager(t)
	pager.take()
	file := write(t, "webhook", []byte(pager.server.URL+"/"+markerToken))
	nats, redis := workertest.NATS(t).URL, workertest.Redis(t).URL
	p := launch(t, "worker", "--nats", nats, "--redis", redis, "--channel", "ws://"+nowhere(t)+"/channel", "--alarm-webhook-file", file, "--alarm-every", "200ms")
	p.says("worker is up", "")
	if code, _, errs := execute(t, nil, "keys", "pool", "--low", "0", "--by", "li", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for i := range 3 {
		if code, _, errs := execute(t, nil, "keys", "add", fmt.Sprint(1000001+i), "--limit", "1", "--nats", nats); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	pool, err := keypool.Open(t.Context(), keypool.Config{URL: redis, Log: zerolog.Nop()})
	must(t, err)
	defer func() { must(t, pool.Close()) }()
	journal := newAdmin(t, nats).journal
	for i := range 3 {
		until(t, func() bool { return listKeys(t, nats)[i].State == "active" })
		claim, err := pool.Draw(t.Context(), &worker.Draw{Pool: "default", Reference: fmt.Sprint("acme.PR-1-", i+1), Size: worker.Size{Lines: 1, Units: 1}, Owner: "test", Attempt: 1, Published: time.Now()})
		must(t, err)
		err = pool.Settle(t.Context(), claim, &worker.Part{State: worker.ClaimPlaced, Code: worker.CodePlaced}, worker.Size{Lines: 1, Units: 1})
		must(t, err)
		until(t, func() bool { return allTold(t, journal, i+1) })
	}
	until(t, func() bool { return len(pager.about("no key has room")) > 0 })
	until(t, func() bool { // that it has none is on record
		count, _, err := connect(t, nats).Kept(t.Context(), bus.StreamAlarms)
		must(t, err)
		return count > 0
	})
	if code, _, errs := execute(t, nil, "keys", "add", "1000009", "--nats", nats); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	until(t, func() bool { return len(pager.about("app key pool default has room again after")) == 1 })
	stopped(t, p)
	if spent := pager.about("is spent"); len(spent) != 1 || spent[0] != "app key pool default: key 1000002 is spent and no key waits to take over, 1 products left: prepare a key" {
		t.Errorf("%q", spent)
	}
}

// allTold says whether so many keys were spent and nothing waits to be told.
func allTold(t *testing.T, journal jetstream.Stream, spent int) bool {
	t.Helper()
	info, err := journal.Info(t.Context(), jetstream.WithSubjectFilter("keypool.event.default.spent"))
	must(t, err)
	consumer, err := journal.Consumer(t.Context(), bus.ConsumerAlarms)
	must(t, err)
	now := consumer.CachedInfo()
	return info.State.Subjects["keypool.event.default.spent"] == uint64(spent) && now.NumPending+uint64(now.NumAckPending) == 0
}

// about lists the alarms that were taken with these words.
func (p *pager) about(words string) []string {
	return slices.DeleteFunc(p.heard(), func(text string) bool { return !strings.Contains(text, words) })
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
