package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// underWay is how many orders are at the simulator in the tests of stopping.
const underWay = 20

// shutdown is how a worker with orders under way is told to end, and how it must.
type shutdown struct {
	name    string
	grace   string
	signals int
	code    int
	within  time.Duration // of the first signal
	stays   bool          // it finishes its orders itself
}

var shutdowns = []shutdown{
	{name: "all that was running is finished", grace: "60s", signals: 1, code: exitOK, within: patience, stays: true},
	{name: "what is over the budget is left behind", grace: "500ms", signals: 1, code: exitOK, within: 3 * time.Second},
	{name: "the second signal ends it at once", grace: "60s", signals: 2, code: 128 + int(syscall.SIGTERM), within: 2 * time.Second},
}

// TestAWorkerIsToldToEnd tells a worker with twenty orders under way at a slow 1688 to end. What it leaves behind, another one
// finds: one order and one result each.
func TestAWorkerIsToldToEnd(t *testing.T) {
	t.Parallel()
	for _, c := range shutdowns {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.play(t)
		})
	}
}

func (c shutdown) play(t *testing.T) {
	a := newApart(t, 1, "info")
	post(t, a.admin+"/admin/faults", `[{"operation":"fastCreateOrder","kind":"latency","delay_ms":4000}]`)
	first := a.startWorker("--workers", fmt.Sprint(underWay), "--grace", c.grace, "--look-for", "30s")
	a.addKeys()
	path, ids := singles(t, underWay)
	publishFile(t, a.nats, "acme", path).accepted(underWay)
	awaitHits(t, a.admin, underWay)

	told := time.Now()
	for range c.signals {
		first.signal(syscall.SIGTERM)
		first.says("request stopping", "")
	}
	if code := first.exit(); code != c.code {
		t.Errorf("exit %d, want %d: %s", code, c.code, first.err.String())
	}
	if took := time.Since(told); took > c.within {
		t.Errorf("it took %v to end", took)
	}
	second := a.startWorker("--look-for", "30s")
	reach(t, a.nats, "acme", underWay)
	got := gather(t, a.nats, a.admin, "acme")
	got.judge(t, ids)
	c.judge(t, got)
	stopped(t, second, a.relay, a.sim)
}

// judge also asks that every order was placed, by whom it had to be.
func (c shutdown) judge(t *testing.T, got trial) {
	t.Helper()
	if len(got.orders) != underWay || got.used() != underWay {
		t.Errorf("%d orders of %d products exist", len(got.orders), got.used())
	}
	for id, results := range got.results {
		if r := results[0]; r.Outcome != worker.OutcomePlaced || c.stays != (r.Attempt == 1) {
			t.Errorf("%s: %s in attempt %d", id, r.Outcome, r.Attempt)
		}
	}
}

// singles writes requests for one product each.
func singles(t *testing.T, n int) (path string, ids []string) {
	t.Helper()
	offer := sim1688.DefaultCatalogue()[0]
	samples := newSamples(sim1688.DefaultCatalogue(), 7)
	var body []byte
	for i := range n {
		q := samples.request(fmt.Sprintf("one-%d", i))
		q.Lines = []worker.Line{{OfferID: offer.OfferID, SpecID: offer.SpecIDs[0], Quantity: max(1, offer.MinQuantity), Seller: offer.Seller}}
		body = append(schemas.AppendRequest(body, q), '\n')
		ids = append(ids, q.ID)
	}
	return write(t, "singles.ndjson", body), ids
}

// awaitHits waits until the simulator's fault has fired so often.
func awaitHits(t *testing.T, admin string, n int64) {
	t.Helper()
	late, again := time.After(patience), time.NewTicker(20*time.Millisecond)
	defer again.Stop()
	for {
		var faults []sim1688.FaultBook
		get(t, admin+"/admin/faults", "faults", &faults)
		if len(faults) == 1 && faults[0].Hits == n {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("waited in vain for %d calls: %+v", n, faults)
		}
	}
}

// TestHeed: the first signal stops the command, the second ends the process with the code that a shell gives for it.
func TestHeed(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		signals, events := make(chan os.Signal), make(chan int, 2)
		done := make(chan struct{})
		go func() {
			defer close(done)
			heed(signals, func() { events <- 0 }, func(code int) { events <- code })
		}()
		signals <- os.Interrupt
		if got := <-events; got != 0 {
			t.Errorf("the first signal: %d", got)
		}
		signals <- s
		if got := <-events; got != 128+int(s) {
			t.Errorf("the second signal: %d", got)
		}
		<-done
	}
}
