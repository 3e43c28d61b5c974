package workertest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// counted are a ledger and a stock that count what is asked of them.
type counted struct {
	worker.Ledger
	worker.Stock
	draws, probes atomic.Int64
}

func (c *counted) Draw(ctx context.Context, d *worker.Draw) (*worker.Claim, error) {
	c.draws.Add(1)
	return c.Ledger.Draw(ctx, d)
}

func (c *counted) Left(ctx context.Context, pool string) (int64, error) {
	c.probes.Add(1)
	return c.Stock.Left(ctx, pool)
}

func (c *counted) Room(ctx context.Context, pool string, payer worker.Payer) (worker.Size, error) {
	c.probes.Add(1)
	return c.Stock.Room(ctx, pool, payer)
}

// submitAll publishes n requests of so many orders' lines of one seller, all at once.
func (r *rig) submitAll(prefix string, n, lines int) {
	r.t.Helper()
	q := r.sameSeller("", lines)
	err := r.bus.SubmitAll(r.ctx, "acme", func(yield func(bus.Submission) bool) {
		for i := range n {
			q.ID = fmt.Sprintf("%s-%d", prefix, i)
			if !yield(bus.Submission{ID: q.ID, Body: schemas.AppendRequest(nil, q)}) {
				return
			}
		}
	}, func(o bus.Outcome) {
		if o.Err != nil {
			r.t.Error(o.Err)
		}
	})
	r.must(err)
}

func paused(w *worker.Worker, code worker.Code) bool {
	return slices.ContainsFunc(w.Vitals().Pauses, func(p worker.Pause) bool { return p.Code == code && p.Reason != "" })
}

// stillness lets a paused worker ask a hundred times more whether it may go on, and returns how often it drew and how often the
// broker delivered by then.
func (r *rig) stillness(b broker, c *counted) (draws int64, deliveries uint64) {
	r.t.Helper()
	enough := c.probes.Load() + 100
	r.eventually("a hundred probes", func() bool { return c.probes.Load() > enough })
	return c.draws.Load(), b.worker().Delivered.Consumer
}

// TestEveryKeySpentWithThousandsWaiting: nothing storms, nothing is dead-lettered. A raised limit and a new key wake the work at
// once.
func TestEveryKeySpentWithThousandsWaiting(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 4)
	c := &counted{Ledger: r.pool, Stock: r.pool}
	const waiting, atOnce = 5000, 8
	r.submitAll("spent", waiting, 1)
	w, stop := r.hire(func(config *worker.Config, p *worker.Ports) { config.Concurrent, p.Ledger, p.Stock = atOnce, c, c })
	r.until("the pause", func(e worker.Event) bool { return e.Stage == worker.StagePaused && e.Code == worker.CodeNoKey })
	placed := 4
	for round, wake := range []func(){func() { r.addKey("1000001", 20) }, func() { r.addKey("1000002", 12) }} {
		draws, deliveries := r.stillness(b, c)
		if most := placed + (round+1)*3*atOnce; draws > int64(most) || deliveries > uint64(most) {
			t.Errorf("round %d: %d draws and %d deliveries for %d orders while no key has room", round, draws, deliveries, placed)
		}
		if !paused(w, worker.CodeNoKey) {
			t.Errorf("round %d: it does not say that no key has room", round)
		}
		wake()
		r.measure("a key has room")
		r.eventually("the pause when the key is spent", func() bool { return paused(w, worker.CodeNoKey) && r.left() == 0 })
		placed = []int{20, 32}[round]
	}
	stop()
	if got := len(r.sim.Orders(sim1688.OrderFilter{})); got != placed {
		t.Errorf("%d orders exist, want %d", got, placed)
	}
	depth, err := r.bus.Depth(r.ctx)
	r.must(err)
	if int(depth.Waiting)+depth.InFlight != waiting-placed || b.stored(bus.StreamDead) != 0 || b.stored(bus.StreamResults) != uint64(placed) {
		t.Errorf("%+v, %d dead letters, %d results", depth, b.stored(bus.StreamDead), b.stored(bus.StreamResults))
	}
}

// left is what the pool can still take.
func (r *rig) left() int64 {
	r.t.Helper()
	left, err := r.pool.Left(r.ctx, "default")
	r.must(err)
	return left
}

// forget drops the events that nobody has waited for.
func (r *rig) forget() {
	for len(r.events) > 0 {
		<-r.events
	}
}

// measure tells how long it takes from now, the end of a cause, to the first request that is finished.
func (r *rig) measure(cause string) {
	r.t.Helper()
	r.forget()
	start := time.Now()
	r.until("a finished request after "+cause, finished)
	took := time.Since(start)
	r.t.Logf("%s: the first request was finished %v later", cause, took.Round(time.Millisecond))
	if took > 10*time.Second {
		r.t.Errorf("%s: it took %v to go on", cause, took)
	}
}

// outage is something that a worker needs and that can be away.
type outage struct {
	code     worker.Code
	down, up func()
}

// TestPausesUntilTheCauseIsGone takes away each thing that a worker needs. It takes no more requests, says why, and goes on by
// itself soon after the thing is back; each request is bought once, and nothing is dead-lettered.
func TestPausesUntilTheCauseIsGone(t *testing.T) {
	t.Parallel()
	broker, redis := workertest.NATS(t), workertest.Redis(t)
	d := &door{}
	r := newRigWithDoor(t, workertest.Stack{NATS: broker.URL, Redis: redis.URL}, d)
	b := r.broker(broker.URL)
	r.addKey("1000001", 1000)
	line, url := newWire(t, d.http.URL)
	client := channel.Dial(context.WithoutCancel(r.ctx), channel.ClientConfig{URL: strings.Replace(url, "http", "ws", 1) + "/channel", Token: "token"})
	t.Cleanup(func() { r.must(client.Close()) })
	w, _ := r.hire(func(c *worker.Config, p *worker.Ports) { c.Concurrent, c.ProbeEvery, p.Market = 4, 0, client })
	r.flood("before", 1)()
	r.until("a finished request", finished)
	const each = 40
	asked := 1
	for _, o := range []outage{
		{code: worker.CodeChannelDown, down: func() {
			d.shut.Store(true)
			line.cut()
			// What is written before the client has read of the cut is lost with its answer: unknown, not waiting.
			r.eventually("the channel's end", func() bool { return client.Ready(r.ctx) != nil })
		}, up: func() { d.shut.Store(false) }},
		{code: worker.CodeRedisDown, down: redis.Stop, up: redis.Restart},
		{code: worker.CodeNATSDown, down: broker.Stop, up: broker.Restart},
	} {
		before := b.worker().Delivered.Consumer
		o.down()
		wait := r.flood(string(o.code), each)
		r.eventually("the pause", func() bool { return paused(w, o.code) })
		if o.code != worker.CodeNATSDown {
			wait()
			if taken := b.worker().Delivered.Consumer - before; taken > 3*4 {
				t.Errorf("%s: %d requests were taken", o.code, taken)
			}
		}
		o.up()
		r.measure(string(o.code))
		wait()
		asked += each
		r.audit(b, asked)
		if pauses := w.Vitals().Pauses; len(pauses) != 0 {
			t.Errorf("%s: still paused: %+v", o.code, pauses)
		}
	}
}

// TestSlowWorkOutlivesAckWait: ten requests, two workers that take longer than AckWait for each. The signs of life keep each with
// its worker.
func TestSlowWorkOutlivesAckWait(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	short, err := bus.Connect(r.ctx, bus.Config{URL: stack.NATS, AckWait: time.Second})
	r.must(err)
	defer func() { r.must(short.Close()) }()
	r.must(short.Provision(r.ctx))
	slow := func(c *worker.Config, p *worker.Ports) {
		c.Concurrent = 2
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			select {
			case <-time.After(1500 * time.Millisecond): // longer than AckWait
			case <-ctx.Done():
			}
			return *r.client.Place(ctx, &order)
		}}
	}
	r.work(r.elsewhere(stack.NATS), slow)
	r.work(r.elsewhere(stack.NATS), slow)
	const n = 10
	r.flood("slow", n)()
	r.audit(b, n)
	if info := b.worker(); info.Delivered.Consumer != n {
		t.Errorf("%d deliveries of %d requests", info.Delivered.Consumer, n)
	}
}
