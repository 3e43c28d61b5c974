package workertest_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"autopurchase/internal/bus"
)

// Where a worker may die on its way. A worker that does not come to its point dies before it would acknowledge.
var (
	beforeTheOrder = []string{"before admit", "after admit", "before draw", "after place"}
	behindTheOrder = []string{"before admit", "after admit", "before draw", "after draw", "before find", "after find",
		"before settle", "after settle", "before publish", "after publish", "before ack"}
)

// TestHundredCrashesOfOneRequest kills a hundred worker processes on one request, each at a point drawn from a seed. Each death
// is followed by a redelivery, and in the end there are one order, one reservation and one result.
func TestHundredCrashesOfOneRequest(t *testing.T) {
	t.Parallel()
	const seed, crashes = 1688, 100
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, seed))
	s := newScene(t, processes(t), &door{})
	s.redeliverAfter(100 * time.Millisecond)
	s.ask(s.request("doomed", 0))
	died := make(chan *process, crashes+waiting)
	for range waiting {
		s.startDoomed(dice, died)
	}
	for range crashes {
		(<-died).killed()
		if key, orders := s.key("1000001"), s.orders("doomed"); key.Used+key.Held > 1 || len(orders) > 1 {
			t.Fatalf("%+v and orders %+v", key, orders)
		}
		s.startDoomed(dice, died)
	}
	for range waiting {
		(<-died).killed()
	}
	s.work()
	s.finished("doomed")
	s.judge("doomed", placed)
}

// waiting is how many processes are there at a time: starting one takes longer than its life, and the broker chooses which
// one is next.
const waiting = 3

// startDoomed starts a worker that dies on its first delivery. One that could die between the draw and the order's leaving
// comes only once there is an order: else it would rightly be parked.
func (s scene) startDoomed(dice *rand.Rand, died chan<- *process) {
	points := behindTheOrder
	if len(s.orders("doomed")) == 0 {
		points = beforeTheOrder
	}
	p := s.startWorker(part{DieAt: []string{points[dice.IntN(len(points))], "before ack"}, LookFor: time.Hour, Concurrent: 1})
	go func() {
		<-p.done
		died <- p
	}()
}

// redeliverAfter sets after how long without a sign of life a request is delivered again.
func (s scene) redeliverAfter(wait time.Duration) {
	s.t.Helper()
	b, err := bus.Connect(s.ctx, bus.Config{URL: s.stack.NATS, AckWait: wait})
	s.must(err)
	s.must(b.Provision(s.ctx))
	s.must(b.Close())
}
