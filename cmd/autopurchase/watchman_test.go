package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestAPersonIsToldOnce of each thing that is wrong with the queue, by two workers and a webhook that is down at first, not again
// by the two that come after them, and once that it is over.
func TestAPersonIsToldOnce(t *testing.T) {
	t.Parallel()
	pager := newPager(t)
	file := write(t, "webhook", []byte(pager.server.URL+"/"+markerToken+"\n"))
	url, redis, door := workertest.NATS(t).URL, workertest.Redis(t).URL, nowhere(t)
	start := func() *process {
		p := launch(t, "worker", "--nats", url, "--redis", redis, "--channel", "ws://"+door+"/channel", "--alarm-webhook-file", file,
			"--alarm-every", "200ms", "--alarm-relay-after", "15s", "--alarm-queue-after", "1s")
		p.says("worker is up", "")
		return p
	}
	first, second := start(), start()
	b := connect(t, url)
	if _, err := b.Submit(t.Context(), "acme", "PR.1", []byte(body("PR.1", 1))); err != nil {
		t.Fatal(err)
	}
	must(t, b.Outbox().Bury(t.Context(), worker.DeadLetter{Tenant: "acme", Subject: "purchase.request.acme.X", Sequence: 7, Code: worker.CodeInvalid, Reason: "poison", At: time.Now()}))
	park(t, b, 1000)
	until(t, func() bool {
		return pager.tries("alarm:relay:") > 0 && pager.tries("alarm:queue:") > 0 && pager.tries("alarm:dead:") > 0 && pager.tries("alarm:unknown:") > 0
	})
	if heard := pager.heard(); len(heard) != 0 {
		t.Errorf("heard while it was down: %q", heard)
	}
	pager.take()
	told := map[string]int{"no worker has had a relay for": 1, "requests wait, the oldest for": 1, "1 dead letters": 1}
	until(t, func() bool {
		for words := range told {
			if len(pager.about(words)) == 0 {
				return false
			}
		}
		return len(pager.about("are parked as unknown")) > 0
	})
	stopped(t, first, second)

	third, fourth := start(), start()
	empty(t, url, bus.StreamDead)
	until(t, func() bool { return len(pager.about("no dead letter is left after")) == 1 })
	empty(t, url, bus.StreamParked)
	until(t, func() bool { return len(pager.about("no unknown order is left after")) == 1 })
	keys, _ := writeKeys(t, 1)
	relay := launch(t, "relay", "--listen", door, "--keys-file", keys, "--gateway", "http://"+nowhere(t), "--messages", "")
	until(t, func() bool { return len(pager.about("relay is back after")) == 1 })
	for words, want := range told {
		if got := pager.about(words); len(got) != want {
			t.Errorf("%q", got)
		}
	}
	if parked := pager.about("are parked as unknown"); len(parked) > 4 {
		t.Errorf("a thousand parked requests are told in %d messages: %q", len(parked), parked)
	}
	stopped(t, third, fourth, relay)
}

// park stores so many unknown results.
func park(t *testing.T, b *bus.Bus, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			id := fmt.Sprintf("PARKED-%d", i)
			if err := b.Outbox().Publish(t.Context(), worker.Result{
				Tenant: "acme", RequestID: id, Outcome: worker.OutcomeUnknown, Code: worker.CodeNoAnswer, Reason: "no answer", DecidedAt: time.Now(),
				Unknown: []worker.OpenOrder{{OutOrderID: "acme." + id + "-1", AppKey: "1000001", Products: 1, Lines: []int{0}}},
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// empty removes all that a stream holds, as if a person had seen to it.
func empty(t *testing.T, url, stream string) {
	t.Helper()
	conn, err := nats.Connect(url)
	must(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	must(t, err)
	s, err := js.Stream(t.Context(), stream)
	must(t, err)
	must(t, s.Purge(t.Context()))
}

// tries is how often it was tried to tell something, by the beginning of its key.
func (p *pager) tries(key string) (n int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for id, times := range p.tried {
		if strings.HasPrefix(id, key) {
			n += times
		}
	}
	return n
}
