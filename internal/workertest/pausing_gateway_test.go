package workertest_test

import (
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// TestRelayCannotReachTheGateway: the relay is there and says so, and every order comes back as not attempted. Only asking with
// an order tells whether that is over, so one at a time is asked with.
func TestRelayCannotReachTheGateway(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	var line *wire
	d := &door{reach: func(gateway string) (url string) {
		line, url = newWire(t, gateway)
		return url
	}}
	r := newRigWithDoor(t, stack, d)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	again := line.refuse()
	const waiting, atOnce, rounds = 200, 32, 20
	wait := r.flood("far", waiting)
	w, _ := r.hire(func(c *worker.Config, _ *worker.Ports) { c.Concurrent, c.ProbeEvery = atOnce, 100*time.Millisecond })
	for range rounds {
		r.until("the pause", func(e worker.Event) bool {
			return e.Stage == worker.StagePaused && e.Code == worker.CodeChannelDown && e.Reason != ""
		})
	}
	r.eventually("the status to say why", func() bool { return paused(w, worker.CodeChannelDown) })
	deliveries := b.worker().Delivered.Consumer
	t.Logf("%d deliveries in %d pauses", deliveries, rounds)
	if deliveries > 2*atOnce+2*rounds {
		t.Errorf("%d deliveries in %d pauses", deliveries, rounds)
	}
	r.must(again())
	r.measure("the gateway is back")
	wait()
	r.audit(b, waiting)
	if dead := b.stored(bus.StreamDead); dead != 0 {
		t.Errorf("%d dead letters", dead)
	}
}
