package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"autopurchase/worker"
)

// queueBecomes asks for the queue's state until it is as wanted, and gives it with what people are shown then.
func queueBecomes(t *testing.T, nats, what string, wanted func(worker.QueueStatus) bool) (status worker.QueueStatus, screen string) {
	t.Helper()
	for tick, late := time.Tick(100*time.Millisecond), time.After(patience); ; {
		code, out, errs := execute(t, nil, "queue", "--json", "--nats", nats)
		status = worker.QueueStatus{}
		if code != exitOK || json.Unmarshal([]byte(out), &status) != nil {
			t.Fatalf("%s: exit %d, %s%s", what, code, out, errs)
		}
		if wanted(status) {
			_, screen, _ = execute(t, nil, "queue", "--nats", nats)
			return status, screen
		}
		select {
		case <-tick:
		case <-late:
			t.Fatalf("%s: %+v", what, status)
		}
	}
}

// standsStill waits until nobody fetches for a cause, and checks what people are told: why, and what to do.
func standsStill(t *testing.T, nats, why, todo string) worker.QueueStatus {
	t.Helper()
	status, screen := queueBecomes(t, nats, why, func(s worker.QueueStatus) bool { return s.Paused && strings.Contains(s.PausedBecause, why) })
	first, rest, _ := strings.Cut(screen, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	if !strings.HasPrefix(first, "paused: ") || !strings.Contains(first, why) || !strings.HasPrefix(second, "to do: ") || !strings.Contains(second, todo) {
		t.Errorf("%s: the screen says\n%s", why, screen)
	}
	if status.Depth == 0 {
		t.Errorf("%s: nothing waits: %+v", why, status)
	}
	start := time.Now()
	if code, _, _ := execute(t, nil, "queue", "--nats", nats, "--json", "--fail-when-paused"); code != exitFailed {
		t.Errorf("%s: exit %d for a queue that stands still", why, code)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("%s: the answer took %v", why, took)
	}
	return status
}

// goesOn waits until everything is done.
func goesOn(t *testing.T, nats string) {
	t.Helper()
	idle, screen := queueBecomes(t, nats, "to go on", func(s worker.QueueStatus) bool {
		what, _ := s.Say()
		return s.Depth == 0 && what == "nothing to do: no request waits"
	})
	if !strings.HasPrefix(screen, "nothing to do: no request waits\n") || idle.Paused || idle.RateOut == 0 {
		t.Errorf("%+v\n%s", idle, screen)
	}
}

// TestWhyTheQueueStandsStill takes away one thing after the other from a queue at work: the command names the cause and the remedy,
// and says that there is nothing to do once all is done.
func TestWhyTheQueueStandsStill(t *testing.T) {
	t.Parallel()
	a := newApart(t, 2, "info")
	publish := func(prefix string, n int) {
		path, _ := sampleFile(t, prefix, n)
		publishFile(t, a.nats, "acme", path).accepted(n)
	}
	w := a.startWorker()
	_, screen := queueBecomes(t, a.nats, "no keys", func(s worker.QueueStatus) bool { return s.Workers == 1 && s.Relays == 1 && !s.Paused })
	if !strings.HasPrefix(screen, "nothing to do: no request waits") {
		t.Errorf("at first it says\n%s", screen)
	}

	stranger := "9000001" // the relay has no secret for it
	addKeys(t, a.nats, stranger)
	publish("benched", 5)
	if s := standsStill(t, a.nats, "no key of pool default can be used: 1 is benched", "keys probe APPKEY"); s.Keys.Benched != 1 || s.Keys.Active != 0 {
		t.Errorf("%+v", s.Keys)
	}
	addKeys(t, a.nats, a.appKeys[0])
	goesOn(t, a.nats)

	change := func(args ...string) {
		t.Helper()
		if code, _, errs := execute(t, nil, append(append([]string{"keys"}, args...), "--by", "li", "--why", "tried", "--nats", a.nats)...); code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, errs)
		}
	}
	change("remove", stranger, "--yes")
	change("limit", a.appKeys[0], "1") // below what it has ordered
	publish("no-key", 5)
	if s := standsStill(t, a.nats, "no key has room in pool default", "`autopurchase keys add APPKEY`"); len(s.Tenants) > 0 && s.Tenants[0].Tenant != "acme" {
		t.Errorf("%+v", s.Tenants)
	}
	addKeys(t, a.nats, a.appKeys[1])
	goesOn(t, a.nats)

	a.relay.kill()
	publish("no-relay", 1)
	if s := standsStill(t, a.nats, "no relay is in reach", "`autopurchase relay`"); s.Relays != 0 {
		t.Errorf("%+v", s)
	}
	a.relay = a.startRelay(strings.TrimSuffix(strings.TrimPrefix(a.channel, "ws://"), "/channel"))
	goesOn(t, a.nats)

	a.redisServer.Kill()
	publish("no-redis", 1)
	if s := standsStill(t, a.nats, "Redis cannot be used", "start Redis"); len(s.Unasked) != 1 || s.Unasked[0] != worker.UnaskedRedis {
		t.Errorf("%+v", s)
	}
	a.redisServer.Restart()
	goesOn(t, a.nats)

	stopped(t, w)
	publish("no-worker", 2)
	_, screen = queueBecomes(t, a.nats, "no worker", func(s worker.QueueStatus) bool { return s.Workers == 0 && s.Depth == 2 })
	if !strings.Contains(screen, "2 requests wait") || !strings.Contains(screen, "no worker is alive") || !strings.Contains(screen, "`autopurchase worker`") {
		t.Errorf("without a worker it says\n%s", screen)
	}
	stopped(t, a.relay, a.sim)
}

// TestOneAnswerOfSeveralWorkers: whoever answers counts all of them; a killed and a frozen one count no more after three beats.
func TestOneAnswerOfSeveralWorkers(t *testing.T) {
	t.Parallel()
	a := newApart(t, 1, "info")
	one, two, three := a.startWorker(), a.startWorker(), a.startWorker()
	a.addKeys()
	alive := func(n int) func(worker.QueueStatus) bool {
		return func(s worker.QueueStatus) bool { return s.Workers == n && s.Relays == 1 && len(s.Instances) == n }
	}
	for range 5 { // whoever answers
		queueBecomes(t, a.nats, "three workers", alive(3))
	}
	two.kill()
	three.signal(syscall.SIGSTOP)
	queueBecomes(t, a.nats, "one worker", func(s worker.QueueStatus) bool {
		for _, i := range s.Instances {
			if silent := s.At.Sub(i.At); silent > 3*beatEvery+3*time.Second {
				t.Errorf("one that has been silent for %v still counts", silent)
			}
		}
		return alive(1)(s)
	})
	three.signal(syscall.SIGCONT)
	queueBecomes(t, a.nats, "the frozen one again", alive(2))
	stopped(t, three)
	queueBecomes(t, a.nats, "one that has stopped", alive(1))
	stopped(t, one, a.relay, a.sim)
}
