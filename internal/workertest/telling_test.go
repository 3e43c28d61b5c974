package workertest_test

import (
	"context"
	"sync/atomic"
	"testing"

	"autopurchase/worker"
)

// mute is an outbox that stores no result until it may, and does something else before the first.
type mute struct {
	worker.Outbox
	came  atomic.Int64
	may   chan struct{}
	first func()
}

func (m *mute) Publish(ctx context.Context, result worker.Result) error {
	if m.came.Add(1) == 1 && m.first != nil {
		m.first()
	}
	<-m.may
	return m.Outbox.Publish(ctx, result)
}

// TestTheNextIsBoughtWhileTheLastIsTold has a broker that stores no results: one place at work buys one more than is being told, and
// nothing after that. Told to end, the worker takes no more, and ends when both are told.
func TestTheNextIsBoughtWhileTheLastIsTold(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	m := &mute{may: make(chan struct{})}
	w, stop := r.hire(func(c *worker.Config, p *worker.Ports) {
		c.Concurrent, m.Outbox, p.Outbox = 1, p.Outbox, m
	})
	filled := r.flood("telling", 5)
	r.eventually("two to be bought", func() bool { return r.key("1000001").Used == 2 })
	r.eventually("nothing more to be asked for", func() bool { return b.worker().NumWaiting == 0 })
	if v := w.Vitals(); m.came.Load() != 1 || v.InFlight != 2 || v.Finished != 0 {
		t.Errorf("%d are being told, %+v", m.came.Load(), v)
	}
	ended := make(chan struct{})
	go func() { stop(); close(ended) }()
	r.until("the worker to stop", func(e worker.Event) bool { return e.Stage == worker.StageStopping })
	select {
	case <-ended:
		t.Error("it ended before it had told what it bought")
	default:
	}
	close(m.may)
	<-ended
	if v := w.Vitals(); v.InFlight != 0 || v.Finished != 2 || r.key("1000001").Used != 2 {
		t.Errorf("at its end %+v, %+v", v, r.key("1000001"))
	}
	r.work()
	filled()
	r.audit(b, 5)
}

// TestAPanicInTellingIsHandedBack: the purchase is on record, and the next delivery tells it.
func TestAPanicInTellingIsHandedBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	m := &mute{may: make(chan struct{}), first: func() { panic("no words") }}
	close(m.may)
	w, stop := r.hire(func(_ *worker.Config, p *worker.Ports) { m.Outbox, p.Outbox = p.Outbox, m })
	r.ask(r.request("PR-1", 0))
	if e := r.until("its failure", func(e worker.Event) bool { return e.Stage == worker.StageFailed }); e.Reason != "panic" || e.RequestID != "PR-1" {
		t.Errorf("%+v", e)
	}
	if result := r.result("PR-1"); result.Outcome != worker.OutcomePlaced || len(r.orders("PR-1")) != 1 {
		t.Errorf("%+v, %d orders", result, len(r.orders("PR-1")))
	}
	stop()
	if v := w.Vitals(); v.InFlight != 0 || v.Finished != 1 {
		t.Errorf("%+v", v)
	}
}
