package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// house is up on a data folder, with a simulator that outlives it as the platform does.
type house struct {
	t       *testing.T
	dir     string
	redis   string
	keys    string
	appKeys []string
	sim     *sim1688.Sim
	up      *process
	where   map[string]string
}

// atATime is how many requests up handles at a time if it is not told otherwise.
const atATime = 16

func newHouse(t *testing.T, redis string) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), redis: redis}
	h.keys, h.appKeys = writeKeys(t, 2)
	keys, err := loadSimKeys(h.keys)
	must(t, err)
	h.sim, err = sim1688.Start(t.Context(), sim1688.Config{Keys: keys})
	must(t, err)
	t.Cleanup(func() { must(t, h.sim.Close()) })
	h.start()
	addKeys(t, h.where["nats"], h.appKeys...)
	return h
}

func (h *house) start() {
	h.t.Helper()
	args := []string{"up", "--data", h.dir, "--redis", h.redis, "--gateway", h.sim.GatewayURL(),
		"--messages", h.sim.MessagesURL(), "--per-key", "0", "--look-for", "2s", "--ack-wait", "2s", "--grace", "1s"}
	if h.keys != "" {
		args = append(args, "--keys-file", h.keys)
	}
	h.up = launch(h.t, args...)
	h.up.says("up", "nats")
	h.where = readAddresses(h.t, h.dir)
}

// buy publishes so many samples and waits until so many of them have their result.
func (h *house) buy(tenant string, n, results int) (ids []string) {
	h.t.Helper()
	path, ids := sampleFile(h.t, tenant, n)
	publishFile(h.t, h.where["nats"], tenant, path).accepted(n)
	reach(h.t, h.where["nats"], tenant, results)
	return ids
}

// settle waits for the last of the tenant's results and judges them all.
func (h *house) settle(tenant string, ids []string) trial {
	h.t.Helper()
	reach(h.t, h.where["nats"], tenant, len(ids))
	got := gather(h.t, h.where["nats"], h.sim.AdminURL(), tenant)
	got.judge(h.t, ids)
	return got
}

// TestUpGoesOnWhereItStopped stops up while orders are under way, kills it later, and starts it again on the same folder.
func TestUpGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	before := h.settle("first", h.buy("first", 50, 50))

	ids := h.buy("second", 200, 5)
	stopped(t, h.up)
	closed(t, h.where)
	h.start()
	h.settle("second", ids)

	ids = h.buy("third", 200, 5)
	old := h.where
	h.up.kill()
	h.start() // the folder is free once the killed one's redis-server has ended too
	closed(t, map[string]string{"redis-server": old["redis"]})
	after := h.settle("third", ids)
	if after.used() <= before.used() || len(after.keys) != 2 {
		t.Errorf("keys before %+v, after %+v", before.keys, after.keys)
	}
	stopped(t, h.up)
}

// TestUpRebuildsAnInProcessRedis: it forgets everything at each stop, and the counts come back from the journal. What waits at a
// stop is bought as if nothing had been, and only what was in hand then may be parked. Nothing is bought twice after a kill, though
// NATS may have forgotten to whom it gave what.
func TestUpRebuildsAnInProcessRedis(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "in-process")
	before := h.settle("first", h.buy("first", 50, 50))
	stopped(t, h.up)
	h.start()
	if after := listKeys(t, h.where["nats"]); len(after) != 2 || after[0].Used != before.keys[0].Used || after[0].Used == 0 || after[0].Held != 0 ||
		after[0].State != before.keys[0].State || after[0].Account != "buyer" {
		t.Errorf("keys before %+v, after %+v", before.keys, after)
	}
	ids := h.buy("second", 200, 5)
	stopped(t, h.up)
	h.start()
	parked := 0
	for _, results := range h.settle("second", ids).results {
		if results[0].Outcome == worker.OutcomeUnknown {
			parked++
		}
	}
	inHand := atATime + len(worker.Lanes()) - 1 // beside those at work, what came from lanes that were listened to
	if parked > inHand {
		t.Errorf("%d requests are parked, though no more than %d were in hand", parked, inHand)
	}
	ids = h.buy("third", 200, 5)
	h.up.kill()
	h.start()
	reach(t, h.where["nats"], "third", len(ids))
	gather(t, h.where["nats"], h.sim.AdminURL(), "third").judgeOrders(t)
	stopped(t, h.up)
}

// TestARelativeFolder is how the examples name it.
func TestARelativeFolder(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	must(t, err)
	dir, err := filepath.Rel(here, t.TempDir())
	must(t, err)
	code, _, errs := execute(t, nil, "demo", "--data", dir, "--redis", "server", "--requests", "1")
	if code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestAStuckOrderDoesNotKeepItUp stops up while 1688 does not answer at all. Its order is unknown afterwards: looked up, not
// found, and held for a person.
func TestAStuckOrderDoesNotKeepItUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	must(t, h.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "latency", DelayMS: 3_600_000}))
	path, ids := sampleFile(t, "stuck", 1)
	publishFile(t, h.where["nats"], "stuck", path).accepted(1)
	for tick, late := time.Tick(10*time.Millisecond), time.After(patience); h.sim.Faults()[0].Hits == 0; {
		select {
		case <-tick:
		case <-late:
			t.Fatal("the order never reached 1688")
		}
	}
	stopped(t, h.up)
	must(t, h.sim.Inject())
	h.start()
	got := h.settle("stuck", ids)
	if result := got.results[ids[0]][0]; len(result.Unknown) == 0 || result.Attempt < 2 {
		t.Errorf("%+v", result)
	}
	stopped(t, h.up)
}

// TestUpNeedsNoPersonAfterARestart: the secret and the refresh token are typed once. The Redis forgets everything at each stop, and
// the platform takes a refresh token once only; the journal has the one that is good now.
func TestUpNeedsNoPersonAfterARestart(t *testing.T) {
	t.Parallel()
	_, appKeys := writeKeys(t, 1)
	h := &house{t: t, dir: t.TempDir(), redis: "in-process", appKeys: appKeys}
	var err error
	h.sim, err = sim1688.Start(t.Context(), sim1688.Config{RefreshOnce: true, TokenLife: 2 * time.Second, Keys: []sim1688.Key{
		{AppKey: appKeys[0], Secret: markerSecret, RefreshToken: markerToken, Member: "buyer"},
	}})
	must(t, err)
	t.Cleanup(func() { must(t, h.sim.Close()) })
	h.start()
	addKeys(t, h.where["nats"], appKeys...)
	if code, out, errs := sealBy(t, h.where["nats"], markerSecret+"\n"+markerToken, appKeys[0], "--with-refresh-token"); code != exitOK {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	for i, end := range []func(){func() { stopped(t, h.up) }, func() { h.up.kill() }, func() { stopped(t, h.up) }} {
		tenant := fmt.Sprint("tenant-", i)
		h.settle(tenant, h.buy(tenant, 30, 30))
		end()
		if i < 2 {
			h.start()
		}
	}
}
