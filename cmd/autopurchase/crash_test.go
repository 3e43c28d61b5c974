package main

import (
	"strings"
	"testing"
)

// TestAKilledWorkerLosesAndDoublesNothing kills one of two workers in the middle of its orders; the other one finishes them.
func TestAKilledWorkerLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	a := newApart(t, 9, "info")
	doomed, other := a.startWorker(), a.startWorker()
	a.addKeys()
	path, ids := sampleFile(t, "CRASH", 2000)
	publisher := publishFile(t, a.nats, "acme", path)
	reach(t, a.nats, "acme", 300)
	doomed.kill()
	publisher.accepted(len(ids))
	reach(t, a.nats, "acme", len(ids))

	got := gather(t, a.nats, a.admin, "acme")
	got.judge(t, ids)
	if got.used() < 5000 {
		t.Errorf("only %d products were ordered: the test shows little", got.used())
	}
	stopped(t, other, a.relay, a.sim)
}

// TestAKilledRelayLosesAndDoublesNothing kills the relay while 1688 is slow, so that orders are under way: what became of
// them is looked up once it is back.
func TestAKilledRelayLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	a := newApart(t, 4, "info")
	worker := a.startWorker("--workers", "32")
	a.addKeys()
	post(t, a.admin+"/admin/faults", `[{"operation":"fastCreateOrder","kind":"latency","delay_ms":50}]`)
	path, ids := sampleFile(t, "RELAY", 500)
	publisher := publishFile(t, a.nats, "acme", path)
	reach(t, a.nats, "acme", 100)
	a.relay.kill()
	address := strings.TrimSuffix(strings.TrimPrefix(a.channel, "ws://"), "/channel")
	a.relay = a.startRelay(address)
	publisher.accepted(len(ids))
	reach(t, a.nats, "acme", len(ids))

	got := gather(t, a.nats, a.admin, "acme")
	got.judge(t, ids)
	again := 0
	for _, results := range got.results {
		if results[0].Attempt > 1 {
			again++
		}
	}
	if again == 0 {
		t.Error("no order was under way when the relay was killed: the test shows nothing")
	}
	stopped(t, worker, a.relay, a.sim)
}

// TestAWorkerGoesOnWhenRedisIsBack kills Redis in the middle: the worker stands still and goes on by itself.
func TestAWorkerGoesOnWhenRedisIsBack(t *testing.T) {
	t.Parallel()
	a := newApart(t, 2, "info")
	worker := a.startWorker()
	a.addKeys()
	path, ids := sampleFile(t, "REDIS", 200)
	publisher := publishFile(t, a.nats, "acme", path)
	reach(t, a.nats, "acme", 20)
	a.redisServer.Kill()
	worker.says("request paused", "code")
	a.redisServer.Restart()
	publisher.accepted(len(ids))
	reach(t, a.nats, "acme", len(ids))
	gather(t, a.nats, a.admin, "acme").judge(t, ids)
	stopped(t, worker, a.relay, a.sim)
}
