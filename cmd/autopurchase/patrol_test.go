package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestOrdersThatStandStillAreAnAlarmOnce: two workers, an order that is paid and not shipped, and one whose pushes were all lost.
func TestOrdersThatStandStillAreAnAlarmOnce(t *testing.T) {
	t.Parallel()
	a := newApart(t, 1, "info")
	more := []string{"--orders-every", "50ms", "--orders-silent", "300ms", "--alarm-unshipped-after", "1s", "--alarm-untraced-after", "0", "--alarm-unmoved-after", "0"}
	first, second := a.startWorker(more...), a.startWorker(more...)
	a.addKeys()
	b := connect(t, a.nats)
	if _, err := b.Submit(t.Context(), "acme", "PR-1", []byte(body("PR-1", 1))); err != nil {
		t.Fatal(err)
	}
	reach(t, a.nats, "acme", 1)
	var orders []sim1688.Order
	get(t, a.admin+"/admin/orders", "orders", &orders)
	progress := func(step, parcels string) { // and no push tells of it
		post(t, a.admin+"/admin/progress", `{"order_id":"`+orders[0].OrderID+`","step":"`+step+`","silent":true,"parcels":[`+parcels+`]}`)
	}
	state := func() worker.OrderCourse {
		course, err := b.Outbox().Course(t.Context(), "acme", "PR-1")
		must(t, err)
		o, _ := course.Order(orders[0].OrderID)
		return o
	}
	alarms := alarmsOn(t, b, "purchase.alarm.unshipped.all")
	progress("pay", "")
	until(t, func() bool { return state().State == worker.StatePaid })
	until(t, func() bool { return len(alarms()) > 0 })
	progress("ship", `{"number":"SF1","carrier":"SF"}`)
	until(t, func() bool { return state().State == worker.StateShipped && len(state().Parcels) == 1 })
	until(t, func() bool { return len(alarms()) > 1 })
	if got := alarms(); len(got) != 2 || !strings.Contains(got[0], "raised 1 orders were paid") || !strings.Contains(got[0], "acme.PR-1-1") || !strings.HasPrefix(got[1], "over no order waits") {
		t.Errorf("%q", got)
	}
	stopped(t, first, second, a.relay, a.sim)
}

// alarmsOn gives what was stored on a subject of alarms since the test began.
func alarmsOn(t *testing.T, b *bus.Bus, subject string) func() []string {
	t.Helper()
	var mutex sync.Mutex
	var texts []string
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for message, err := range b.Watch(ctx, bus.WatchOptions{Subjects: []string{subject}, Since: time.Unix(1, 0)}) {
			var alarm worker.Alarm
			if err != nil || json.Unmarshal(message.Data, &alarm) != nil {
				t.Errorf("%s: %v", message.Data, err)
				return
			}
			mutex.Lock()
			texts = append(texts, string(alarm.State)+" "+alarm.Text)
			mutex.Unlock()
		}
	})
	t.Cleanup(func() { cancel(); watching.Wait() })
	return func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(texts)
	}
}
