package bus

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// ear is who tells alarms; it fails as often as it is told to.
type ear struct {
	mutex sync.Mutex
	fails int
	heard []int64
	told  chan int64
}

func newEar(fails int) *ear { return &ear{fails: fails, told: make(chan int64, 100)} }

func (e *ear) tell(_ context.Context, event worker.PoolEvent) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.heard = append(e.heard, event.Sequence)
	if e.fails > 0 {
		e.fails--
		return errors.New("nobody is there")
	}
	e.told <- event.Sequence
	return nil
}

func (e *ear) times() int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return len(e.heard)
}

func record(t *testing.T, b *Bus, sequence int64, kind worker.EventKind) {
	t.Helper()
	must(t, b.Journal().Record(bounded(t), worker.PoolEvent{Pool: "default", Sequence: sequence, Kind: kind, At: time.UnixMilli(sequence).UTC()}))
}

// settled waits until every alarm is told and acknowledged.
func settled(t *testing.T, b *Bus) {
	t.Helper()
	until(t, "nothing is left to tell", func() bool {
		consumer, err := b.js.Consumer(bounded(t), StreamKeyPool, ConsumerAlarms)
		must(t, err)
		info := consumer.CachedInfo()
		return info.NumPending == 0 && info.NumAckPending == 0
	})
}

// TestAlarmsAreToldOnce: two processes share them, each is told once, what is no alarm and what was before is not told.
func TestAlarmsAreToldOnce(t *testing.T) {
	t.Parallel()
	first, server := provisioned(t, Config{})
	second := connect(t, Config{URL: server.URL})
	record(t, first, 1, worker.EventLow)
	one := newEar(0)
	must(t, first.Alarms(t.Context(), one.tell))
	must(t, second.Alarms(t.Context(), one.tell))
	kinds := []worker.EventKind{worker.EventLow, worker.EventExhausted, worker.EventBenched, worker.EventSpent, worker.EventAdded, worker.EventRotated}
	for i := range 30 {
		record(t, first, int64(i+2), kinds[i%len(kinds)])
	}
	seen := map[int64]bool{}
	for range 20 {
		seen[receive(t, one.told)] = true
	}
	settled(t, first)
	if len(seen) != 20 || one.times() != 20 || seen[1] || seen[6] || seen[7] {
		t.Errorf("%d told, %d different: %v", one.times(), len(seen), seen)
	}
}

// TestAnAlarmIsToldUntilItIsHeard, whatever happens in between: the process ends, the broker restarts.
func TestAnAlarmIsToldUntilItIsHeard(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := newServer(t)
	b, err := Connect(bounded(t), Config{URL: server, Log: zerolog.New(&log)})
	must(t, err)
	must(t, b.Provision(bounded(t)))
	deaf := newEar(1000)
	must(t, b.Alarms(t.Context(), deaf.tell))
	record(t, b, 1, worker.EventExhausted)
	until(t, "it was told in vain", func() bool { return deaf.times() >= 2 })
	must(t, b.Close())
	if text := log.String(); !strings.Contains(text, `"message":"an alarm was not told"`) || !strings.Contains(text, `"error":"nobody is there"`) || !strings.Contains(text, `"subject":"keypool.event.default.exhausted"`) {
		t.Errorf("the log says %s", text)
	}
	record(t, connect(t, Config{URL: server}), 2, worker.EventLow) // while nobody listens
	again := connect(t, Config{URL: server})
	quick := newEar(1)
	must(t, again.Alarms(t.Context(), quick.tell))
	got := map[int64]bool{receive(t, quick.told): true, receive(t, quick.told): true}
	settled(t, again)
	if !got[1] || !got[2] || quick.times() != 3 {
		t.Errorf("told %v in %d attempts", got, quick.times())
	}
}

func TestAlarmsOutliveTheBroker(t *testing.T) {
	t.Parallel()
	b, server := provisioned(t, Config{})
	one := newEar(0)
	must(t, b.Alarms(t.Context(), one.tell))
	record(t, b, 1, worker.EventLow)
	receive(t, one.told)
	settled(t, b)
	server.Restart()
	record(t, b, 2, worker.EventLow)
	if got := receive(t, one.told); got != 2 {
		t.Errorf("told %d", got)
	}
	must(t, b.js.DeleteConsumer(bounded(t), StreamKeyPool, ConsumerAlarms))
	until(t, "the consumer is there again", func() bool {
		_, err := b.js.Consumer(bounded(t), StreamKeyPool, ConsumerAlarms)
		return err == nil
	})
	record(t, b, 3, worker.EventLow)
	if got := receive(t, one.told); got != 3 {
		t.Errorf("told %d", got)
	}
}

func TestAlarmsWithoutAStream(t *testing.T) {
	t.Parallel()
	b := connect(t, Config{URL: newServer(t)})
	if err := b.Alarms(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "consumer alarms of stream KEYPOOL") {
		t.Errorf("%v", err)
	}
}
