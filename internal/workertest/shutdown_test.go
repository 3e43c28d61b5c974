package workertest_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// hold keeps orders at the relay until the test lets them go on, and counts those that came.
type hold struct {
	came    atomic.Int64
	release chan struct{}
}

func (h *hold) around(place func() worker.Answer) worker.Answer {
	h.came.Add(1)
	<-h.release
	return place()
}

// ending is how a worker process with orders under way is told to end.
type ending struct {
	name   string
	cutOff bool // its time is over before 1688 answers
}

// TestWorkerEndsWithOrdersUnderWay tells a worker process that has twenty orders at the relay, and five requests waiting behind
// them, to end. The five go to another worker at once. The twenty are finished by their own worker without being delivered
// again; or left behind as sent if its time is over, and found by the other one.
func TestWorkerEndsWithOrdersUnderWay(t *testing.T) {
	t.Parallel()
	for i, stack := range separate(t, 2) {
		e := []ending{{name: "in time"}, {name: "over the budget", cutOff: true}}[i]
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			h := &hold{release: make(chan struct{})}
			e.play(newScene(t, stack, &door{around: h.around}), h)
		})
	}
}

func (e ending) play(s scene, h *hold) {
	const running, waiting = 20, 5
	let := sync.OnceFunc(func() { close(h.release) })
	s.t.Cleanup(let)
	b := s.broker(s.stack.NATS)
	s.redeliverAfter(10 * patience) // so that only what is handed back comes again
	p := part{Concurrent: running, LookFor: patience, Grace: patience}
	if e.cutOff {
		p.Grace = 1
	}
	first := s.startWorker(p)
	s.flood("ending", running+waiting)()
	s.eventually("the orders to be under way", func() bool { return h.came.Load() == running })
	first.signal(syscall.SIGTERM)
	if e.cutOff {
		first.endedWell()
		s.sent(running)
	}
	s.work(func(c *worker.Config, _ *worker.Ports) { c.LookFor = patience; c.Concurrent = running + waiting })
	s.eventually("the requests that waited to be taken by the other worker", func() bool { return h.came.Load() == running+waiting })
	let()
	if !e.cutOff {
		first.endedWell()
	}
	s.audit(b, running+waiting)
	if got := b.worker().Delivered.Consumer; !e.cutOff && got != running+waiting {
		s.t.Errorf("%d deliveries of %d requests", got, running+waiting)
	}
}

// sent checks that so many claims hold their product and that nothing has been counted or released.
func (s scene) sent(n int64) {
	s.t.Helper()
	if key := s.key("1000001"); key.Used != 0 || key.Held != n {
		s.t.Errorf("%+v, want %d held", key, n)
	}
	if orders := s.sim.Orders(sim1688.OrderFilter{}); len(orders) != 0 {
		s.t.Errorf("%d orders exist already", len(orders))
	}
}

// TestRollingRestart ends three workers and two relays one after the other under load and starts each again. Nothing is lost or
// doubled, and nobody has to look an order up: each finishes what it has.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	s := newScene(t, stack, &door{})
	b := s.broker(stack.NATS)
	at := newSocket(t)
	s.must(s.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "latency", DelayMS: 100}))
	startRelay := func() *process { return s.startRelay(at, part{}) }
	startWorker := func() *process {
		return startChild(t, part{NATS: stack.NATS, Redis: stack.Redis, Channel: at.url, Concurrent: 8, LookFor: patience, Grace: patience})
	}
	relays := []*process{startRelay(), startRelay()}
	workers := []*process{startWorker(), startWorker(), startWorker()}
	const n = 600
	filled := s.flood("rolling", n)
	for round := range 2 {
		for i := range workers {
			s.progress(b, 20)
			workers[i] = restarted(workers[i], startWorker)
		}
		for i := range relays {
			s.progress(b, 20)
			relays[i] = restarted(relays[i], startRelay)
		}
		t.Logf("round %d: %d of %d results", round, b.stored(bus.StreamResults), n)
	}
	if b.stored(bus.StreamResults) >= n {
		t.Error("all was done before everything had been restarted: the test shows little")
	}
	filled()
	s.audit(b, n)
	t.Logf("%d deliveries of %d requests", b.worker().Delivered.Consumer, n)
	for _, p := range append(workers, relays...) {
		p.stop()
	}
}

// restarted ends a process well and gives its successor.
func restarted(p *process, start func() *process) *process {
	p.t.Helper()
	p.stop()
	return start()
}

// progress waits until so many more results are stored.
func (s scene) progress(b broker, more uint64) {
	s.t.Helper()
	want := b.stored(bus.StreamResults) + more
	s.eventually(fmt.Sprintf("%d results", want), func() bool { return b.stored(bus.StreamResults) >= want })
}
