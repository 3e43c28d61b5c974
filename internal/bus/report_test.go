package bus

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// crier collects which alarms were told; it fails as often as it is told to.
type crier struct {
	fails int
	cries chan worker.Alarm
}

func (c *crier) tell(_ context.Context, alarm worker.Alarm) error {
	if c.fails > 0 {
		c.fails--
		return errors.New("nobody is there")
	}
	c.cries <- alarm
	return nil
}

func found(kind worker.AlarmKind, state worker.AlarmState, count int64) worker.Finding {
	return worker.Finding{Kind: kind, What: worker.Everything, State: state, Count: count, Mark: uint64(count)}
}

// TestSeveralFindTheSame: however many instances find something, and find it again after they were started again, it is stored
// once; and once that it is over.
func TestSeveralFindTheSame(t *testing.T) {
	t.Parallel()
	first, server := provisioned(t, Config{})
	kinds := []worker.AlarmKind{worker.AlarmUnknown, worker.AlarmDead, worker.AlarmRelay, worker.AlarmQueue, worker.AlarmPool, worker.AlarmPrice, worker.AlarmPayment}
	report := func(state worker.AlarmState, count int64) {
		var all sync.WaitGroup
		for range 4 {
			b := connect(t, Config{URL: server.URL})
			all.Go(func() {
				for range 3 {
					for _, kind := range kinds {
						if err := b.Report(bounded(t), found(kind, state, count)); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		all.Wait()
	}
	report(worker.AlarmOver, 0)
	if n := stored(t, first, StreamAlarms); n != 0 {
		t.Errorf("%d messages tell that nothing is wrong", n)
	}
	report(worker.AlarmRaised, 1)
	server.Restart()
	until(t, "the broker is back", func() bool { return first.Report(bounded(t)) == nil })
	report(worker.AlarmRaised, 2)
	if n := stored(t, first, StreamAlarms); n != uint64(len(kinds)) {
		t.Errorf("%d messages, want one of each kind", n)
	}
	report(worker.AlarmOver, 0)
	if n := stored(t, first, StreamAlarms); n != uint64(2*len(kinds)) {
		t.Errorf("%d messages, want two of each kind", n)
	}
	last, err := first.last(bounded(t), StreamAlarms, "purchase.alarm.relay.all")
	must(t, err)
	var alarm worker.Alarm
	must(t, json.Unmarshal(last.Data, &alarm))
	if alarm.State != worker.AlarmOver || alarm.Text == "" || alarm.Since.IsZero() || alarm.At.IsZero() {
		t.Errorf("%+v", alarm)
	}
}

// TestAFloodIsAFewMessages: a thousand of the same, found one by one.
func TestAFloodIsAFewMessages(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	for i := range int64(1000) {
		must(t, b.Report(bounded(t), found(worker.AlarmUnknown, worker.AlarmRaised, i+1)))
	}
	if n := stored(t, b, StreamAlarms); n != 4 { // 1, 10, 100 and 1000
		t.Errorf("%d messages", n)
	}
}

// TestQueueAlarmsAreToldOnce by two processes together, in the order in which they came, until they are heard.
func TestQueueAlarmsAreToldOnce(t *testing.T) {
	t.Parallel()
	server := workertest.NATS(t)
	b := connect(t, Config{URL: server.URL})
	must(t, b.Provision(bounded(t)))
	must(t, b.Report(bounded(t), found(worker.AlarmRelay, worker.AlarmRaised, 0))) // before anybody is there to be told
	c := &crier{fails: 2, cries: make(chan worker.Alarm, 10)}
	must(t, b.QueueAlarms(t.Context(), c.tell))
	if got := receive(t, c.cries); got.Kind != worker.AlarmRelay || got.State != worker.AlarmRaised {
		t.Errorf("%+v", got)
	}
	second := connect(t, Config{URL: server.URL})
	must(t, second.QueueAlarms(t.Context(), c.tell))
	must(t, b.Report(bounded(t), found(worker.AlarmRelay, worker.AlarmOver, 0)))
	must(t, second.Report(bounded(t), found(worker.AlarmRelay, worker.AlarmOver, 0)))
	if got := receive(t, c.cries); got.State != worker.AlarmOver {
		t.Errorf("%+v", got)
	}
	until(t, "nothing is left to tell", func() bool {
		consumer, err := b.js.Consumer(bounded(t), StreamAlarms, ConsumerAlarms)
		must(t, err)
		return consumer.CachedInfo().NumPending+uint64(consumer.CachedInfo().NumAckPending) == 0
	})
	if len(c.cries) != 0 {
		t.Errorf("told again: %+v", <-c.cries)
	}
}

func TestReportWithoutAStream(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	if err := b.Report(bounded(t), found(worker.AlarmRelay, worker.AlarmRaised, 0)); err == nil {
		t.Error("no error")
	}
}
