package workertest_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/relay"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// life is a rig on which 1688's pushes travel to NATS, through a relay and workers' ends of the channel that a test may take away.
type life struct {
	*rig
	out *bus.Outbox
}

func newLife(t *testing.T) *life {
	l := &life{rig: newRig(t, processes(t))}
	l.out = l.bus.Outbox()
	l.addKey("1000001", 1000)
	l.work()
	return l
}

// edge is a relay that hears what 1688 pushes, and a worker's end of its channel that stores it.
type edge struct {
	url    string // of its channel
	client *channel.Client
	stop   func()
}

// dial connects a worker's end to an edge's channel.
func (l *life) dial(url string, take func(context.Context, worker.Push) error) *channel.Client {
	client := channel.Dial(context.WithoutCancel(l.ctx), channel.ClientConfig{URL: url, Token: "token", CallTimeout: 5 * time.Second, OnPush: take})
	l.t.Cleanup(func() { _ = client.Close() })
	return client
}

// open connects one more edge. take stands between a push and its confirmation; nil stores it.
func (l *life) open(take func(context.Context, worker.Push) error, change ...func(*relay.Config)) *edge {
	l.t.Helper()
	if take == nil {
		take = l.out.TakePush
	}
	var server *channel.Server
	config := relay.Config{Gateway: l.sim.GatewayURL(), Messages: l.sim.MessagesURL(), Keys: relayKeys(), MissedEvery: time.Hour,
		OnPush: func(ctx context.Context, push worker.Push) error { return server.Push(ctx, push) }}
	for _, c := range change {
		c(&config)
	}
	desk, err := relay.New(config)
	l.must(err)
	server = channel.NewServer(channel.ServerConfig{Token: "token", Desk: desk})
	door := httptest.NewServer(server)
	client := l.dial(wsURL(door.URL), take)
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.ctx))
	var running sync.WaitGroup
	running.Go(func() {
		l.eventually("the channel", func() bool { return server.Workers() == 1 || ctx.Err() != nil })
		if err := desk.Run(ctx); err != nil {
			l.t.Error(err)
		}
	})
	e := &edge{url: wsURL(door.URL), client: client}
	e.stop = sync.OnceFunc(func() {
		cancel()
		_ = client.Close()
		_ = server.Shutdown(context.WithoutCancel(l.ctx))
		door.Close()
		running.Wait()
	})
	l.t.Cleanup(e.stop)
	return e
}

// follow has it found out what pushes do not tell, through an edge.
func (l *life) follow(e *edge) {
	l.t.Helper()
	tracker := &worker.Tracker{Orders: e.client, Record: l.out, Apart: l.out, CallTimeout: 5 * time.Second}
	l.must(l.bus.FollowStatuses(l.ctx, tracker.Shipped))
	l.must(l.bus.FollowStrays(l.ctx, tracker.Sort))
}

// eventually waits until something is so.
func (l *life) eventually(what string, is func() bool) {
	l.t.Helper()
	late, again := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-late:
			l.t.Errorf("waited %v in vain for %s", patience, what)
			return
		}
	}
}

// buy has one order placed and gives it.
func (l *life) buy(id string) sim1688.Order {
	l.t.Helper()
	l.ask(l.request(id, 0))
	if result := l.result(id); result.Outcome != worker.OutcomePlaced {
		l.t.Fatalf("%+v", result)
	}
	return l.orders(id)[0]
}

// step takes an order a step further on the website.
func (l *life) step(order sim1688.Order, step string, parcels ...sim1688.Parcel) {
	l.t.Helper()
	l.must(l.sim.Progress(sim1688.Progress{OrderID: order.OrderID, Step: step, Parcels: parcels}))
}

// push sends a message of 1688's about an order, and gives its id.
func (l *life) push(topic, orderID, status string) string {
	l.t.Helper()
	return l.sim.Push("1000001", topic, map[string]any{"orderId": json.Number(orderID), "currentStatus": status})
}

// told are the statuses on record of a request.
func (l *life) told(id string) (all []worker.Status) {
	l.t.Helper()
	entries, err := l.bus.Chronicle(l.ctx, "acme", id)
	l.must(err)
	for _, e := range entries {
		if e.Status != nil {
			all = append(all, *e.Status)
		}
	}
	return all
}

// course is what they come to.
func (l *life) course(id string, order sim1688.Order) worker.OrderCourse {
	l.t.Helper()
	course, err := l.out.Course(l.ctx, "acme", id)
	l.must(err)
	o, _ := course.Order(order.OrderID)
	return o
}

// reaches waits until an order is in a state on record.
func (l *life) reaches(id string, order sim1688.Order, state worker.OrderState) {
	l.t.Helper()
	l.eventually(string(state), func() bool { return l.course(id, order).State == state })
}

// hears waits until so many events of a kind are on record.
func (l *life) hears(id string, event worker.OrderEvent, n int) {
	l.t.Helper()
	l.eventually(string(event), func() bool { return l.count(id, event) == n })
}

func (l *life) count(id string, event worker.OrderEvent) (n int) {
	for _, s := range l.told(id) {
		if s.Event == event {
			n++
		}
	}
	return n
}

// allConfirmed waits until 1688 has nothing left to push.
func (l *life) allConfirmed() {
	l.t.Helper()
	l.eventually("every confirmation", func() bool { return len(l.sim.Unconfirmed("1000001")) == 0 })
}

// strays are what is kept apart.
func (l *life) strays() (all []worker.Stray) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	list, err := l.bus.Strays(ctx)
	l.must(err)
	return list
}

// once fails the test if an event is on record twice, or a state goes back.
func (l *life) once(id string) {
	l.t.Helper()
	known := map[string]bool{}
	var states []worker.OrderState
	for _, s := range l.told(id) {
		if known[s.EventID] {
			l.t.Errorf("event %s is stored twice", s.EventID)
		}
		known[s.EventID] = true
		states = append(states, s.State)
	}
	if !slices.IsSortedFunc(states, func(a, b worker.OrderState) int {
		switch {
		case a == b:
			return 0
		case b.Reached(a):
			return -1
		}
		return 1
	}) {
		l.t.Errorf("states go back: %v", states)
	}
}
