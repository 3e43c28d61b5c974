package workertest_test

import (
	"syscall"
	"testing"
	"time"

	"autopurchase/worker"
)

// frozenWorker is a point at which a worker freezes, and how its request must end.
type frozenWorker struct {
	at      string
	thaw    string        // when it goes on: once the other one is looking the order up, or once it has finished
	lookFor time.Duration // of both workers
	resend  bool          // what is surely absent is sent again
	busy    bool          // it has no place left, and so no pulls at the broker that swallow redeliveries while it is frozen
	want    end
}

const (
	whileLooking = "while the other looks it up"
	afterwards   = "after the other has finished"
)

var frozenWorkers = []frozenWorker{
	{at: "before draw", thaw: afterwards, lookFor: patience, busy: true, want: placed},
	{at: "after draw", thaw: whileLooking, lookFor: 3 * patience, busy: true, want: placed},
	{at: "after draw", thaw: afterwards, lookFor: time.Second, busy: true, want: parked},
	{at: "after draw", thaw: afterwards, lookFor: time.Second, resend: true, busy: true, want: placed},
	{at: "before place", thaw: afterwards, lookFor: time.Second, resend: true, busy: true, want: placed},
	{at: "after place", thaw: afterwards, lookFor: patience, busy: true, want: placed},
	{at: "after place", thaw: afterwards, lookFor: patience, want: placed},
	{at: "after settle", thaw: afterwards, lookFor: patience, busy: true, want: placed},
	{at: "after publish", thaw: afterwards, lookFor: patience, busy: true, want: placed},
}

// TestFrozenWorkerThaws stops a worker process in the middle of an order until the broker has given the request to another
// one, and lets it go on: both believe that they own it. The order is sent once, and one result is published.
func TestFrozenWorkerThaws(t *testing.T) {
	t.Parallel()
	stacks := separate(t, len(frozenWorkers))
	for i, c := range frozenWorkers {
		t.Run(c.at+", "+c.thaw, func(t *testing.T) {
			t.Parallel()
			c.play(newScene(t, stacks[i], &door{}))
		})
	}
}

func (c frozenWorker) play(s scene) {
	s.redeliverAfter(time.Second)
	p := part{StopAt: []string{c.at}, LookFor: c.lookFor, OnAbsent: worker.Park}
	if c.resend {
		p.OnAbsent = worker.Resend
	}
	if c.busy {
		p.Concurrent = 1
	}
	frozen := s.startWorker(p)
	s.ask(s.request("frozen", 0))
	frozen.says("frozen " + c.at)
	stop := s.work(func(w *worker.Config, _ *worker.Ports) { w.LookFor, w.OnAbsent = p.LookFor, p.OnAbsent })
	if c.thaw == whileLooking {
		s.until("the look-up", func(e worker.Event) bool { return e.Stage == worker.StagePostponed && e.Code == worker.CodeNoAnswer })
	} else {
		s.finished("frozen")
	}
	frozen.signal(syscall.SIGCONT)
	s.result("frozen") // of either of them
	frozen.stop()      // once it has told the broker what it thinks of its delivery
	stop()
	s.judge("frozen", c.want)
}
