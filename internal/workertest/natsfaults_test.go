package workertest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// TestTheSameAttemptComesTwice: a consumer that was made anew, or a broker that lost its last words, counts deliveries from one
// again. The second first attempt reaches the same worker while the first still waits for its answer: the order is sent once.
func TestTheSameAttemptComesTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	var sent atomic.Int64
	placed, thaw := make(chan struct{}, 2), make(chan struct{})
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Inbox = inbox
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			sent.Add(1)
			answer := *r.client.Place(ctx, &order)
			placed <- struct{}{}
			<-thaw
			return answer
		}}
	})
	q := r.request("twice-first", 0)
	first, firstReceipt := deliver(q, 1, time.Now())
	again, againReceipt := deliver(q, 1, time.Now())
	inbox <- first
	<-placed
	inbox <- again
	select {
	case <-placed:
		t.Error("the order was sent again")
	case got := <-againReceipt:
		if got != "nak" {
			t.Errorf("the second first attempt ended with %s, want to be fenced", got)
		}
	case <-time.After(patience):
		t.Fatal("the second first attempt never ended")
	}
	close(thaw)
	if got := r.settled(firstReceipt); got != "ack" {
		t.Errorf("the first attempt ended with %s", got)
	}
	if orders := r.orders("twice-first"); len(orders) != 1 || sent.Load() != 1 {
		t.Errorf("sent %d times, %d orders exist", sent.Load(), len(orders))
	}
	if key := r.key("1000001"); key.Used != 1 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// broker is what an operator does at the broker, past the product.
type broker struct {
	jetstream.JetStream
	r *rig
}

func (r *rig) broker(url string) broker {
	r.t.Helper()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	r.must(err)
	r.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	r.must(err)
	return broker{js, r}
}

// worker gives the state of the workers' consumer.
func (b broker) worker() (info *jetstream.ConsumerInfo) {
	b.r.t.Helper()
	b.r.eventually("word on the consumer", func() bool {
		consumer, err := b.Consumer(b.r.ctx, bus.StreamRequests, bus.ConsumerWorker)
		if err == nil {
			info = consumer.CachedInfo()
		}
		return err == nil
	})
	return info
}

// stored is how many messages a stream holds.
func (b broker) stored(stream string) (messages uint64) {
	b.r.t.Helper()
	b.r.eventually("word on the stream", func() bool {
		s, err := b.Stream(b.r.ctx, stream)
		if err == nil {
			messages = s.CachedInfo().State.Msgs
		}
		return err == nil
	})
	return messages
}

// eventually waits for something that the broker tells only when it is asked.
func (r *rig) eventually(what string, is func() bool) {
	r.t.Helper()
	limit, again := time.After(2*patience), time.NewTicker(10*time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-limit:
			r.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// flood publishes n requests of one order each, in the background, through whatever happens to the broker; wait for its end.
func (r *rig) flood(prefix string, n int) (wait func()) {
	var done sync.WaitGroup
	done.Go(func() {
		for i := range n {
			q := r.request(fmt.Sprintf("%s-%d", prefix, i), i%len(r.offers))
			for r.ctx.Err() == nil {
				if _, err := r.bus.Submit(r.ctx, "acme", q.ID, schemas.AppendRequest(nil, q)); err == nil {
					break
				}
			}
		}
	})
	r.t.Cleanup(done.Wait)
	return done.Wait
}

func finished(e worker.Event) bool { return e.Stage == worker.StageFinished }

// audit holds the system against the simulator's own books once all n requests have been answered and acknowledged: each was
// placed once and answered once, and the pool counted what was bought.
func (r *rig) audit(b broker, n int) {
	r.t.Helper()
	r.eventually("the last acknowledgement", func() bool {
		info := b.worker()
		return info.NumPending == 0 && info.NumAckPending == 0 && b.stored(bus.StreamResults) >= uint64(n)
	})
	orders := r.sim.Orders(sim1688.OrderFilter{})
	once := map[string]int{}
	for _, order := range orders {
		once[order.OutOrderID]++
	}
	if len(orders) != n || len(once) != n {
		r.t.Errorf("%d orders of %d references exist, want %d of each", len(orders), len(once), n)
	}
	if got := b.stored(bus.StreamResults); got != uint64(n) {
		r.t.Errorf("%d results are stored, want %d", got, n)
	}
	if got := b.stored(bus.StreamDead); got != 0 {
		r.t.Errorf("%d dead letters", got)
	}
	used := int64(0)
	for _, appKey := range rigKeys[:1] {
		key := r.key(appKey)
		used += key.Used
		if key.Held != 0 {
			r.t.Errorf("%+v holds what has ended", key)
		}
	}
	if used != int64(n) {
		r.t.Errorf("%d products are counted, want %d", used, n)
	}
}

// TestNATSRestartsUnderLoad restarts the broker at once, and keeps it away until the workers say so: both times work goes on by
// itself, nothing twice, nothing lost.
func TestNATSRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	server := workertest.NATS(t)
	r := newRig(t, workertest.Stack{NATS: server.URL, Redis: workertest.Redis(t).URL})
	b := r.broker(server.URL)
	r.addKey("1000001", 1000)
	w, _ := r.hire()
	r.work()
	const n = 120
	filled := r.flood("restart", n)
	for range n / 8 {
		r.until("a finished request", finished)
	}
	server.Restart()
	for range n / 8 {
		r.until("a finished request after the restart", finished)
	}
	server.Stop()
	down := func(p worker.Pause) bool { return p.Code == worker.CodeNATSDown }
	r.eventually("the worker to say that the broker is away", func() bool { return slices.ContainsFunc(w.Vitals().Pauses, down) })
	server.Restart()
	back := time.Now()
	r.until("the end of the pause", func(e worker.Event) bool { return e.Stage == worker.StageResumed && e.Code == worker.CodeNATSDown })
	r.until("a finished request after the outage", finished)
	t.Logf("work went on %v after the broker was back", time.Since(back).Round(time.Millisecond))
	filled()
	r.audit(b, n)
	if pauses := w.Vitals().Pauses; len(pauses) != 0 {
		t.Errorf("still paused: %+v", pauses)
	}
}

// TestConsumerDeletedUnderLoad has an operator remove the workers' consumer in the middle, and again when all is done: every
// stored request is delivered once more, as if for the first time, and answered from what is on record.
func TestConsumerDeletedUnderLoad(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	r.work()
	r.work()
	const n = 100
	filled := r.flood("again", n)
	for range n / 4 {
		r.until("a finished request", finished)
	}
	r.must(b.DeleteConsumer(r.ctx, bus.StreamRequests, bus.ConsumerWorker))
	filled()
	r.eventually("the consumer to be made again", func() bool {
		_, err := b.Consumer(r.ctx, bus.StreamRequests, bus.ConsumerWorker)
		return err == nil
	})
	r.audit(b, n)
	r.must(b.DeleteConsumer(r.ctx, bus.StreamRequests, bus.ConsumerWorker))
	r.eventually("every stored request to be delivered again", func() bool {
		c, err := b.Consumer(r.ctx, bus.StreamRequests, bus.ConsumerWorker)
		return err == nil && c.CachedInfo().AckFloor.Stream == n
	})
	r.audit(b, n)
}

// elsewhere connects a worker to the broker over another way than the test's own.
func (r *rig) elsewhere(url string) func(*worker.Config, *worker.Ports) {
	r.t.Helper()
	own, err := bus.Connect(r.ctx, bus.Config{URL: url, Name: "elsewhere"})
	r.must(err)
	r.t.Cleanup(func() { r.must(own.Close()) })
	inbox, err := own.Inbox(r.ctx)
	r.must(err)
	return func(_ *worker.Config, p *worker.Ports) { p.Inbox, p.Outbox = inbox, own.Outbox() }
}

// TestConnectionFreezesForLongerThanAckWait: the broker hears nothing of a worker, and the worker nothing of the broker, without
// a word. Another worker takes over; what the first finished late changes nothing; it works on by itself after the thaw.
func TestConnectionFreezesForLongerThanAckWait(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	line, url := newWire(t, stack.NATS)
	const n = 8
	arrived, release := make(chan struct{}, n), make(chan struct{})
	_, stopFirst := r.hire(r.elsewhere(url), func(_ *worker.Config, p *worker.Ports) {
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			arrived <- struct{}{}
			<-release
			return *r.client.Place(ctx, &order)
		}}
	})
	r.flood("frozen", n)()
	for range n {
		<-arrived
	}
	line.freeze()
	close(release) // it buys, and cannot say so
	r.eventually("the orders", func() bool { return len(r.sim.Orders(sim1688.OrderFilter{})) == n })
	stopSecond := r.work()
	r.audit(b, n)
	if info := b.worker(); info.Delivered.Consumer < 2*n {
		t.Errorf("%d deliveries: the second worker did not take over", info.Delivered.Consumer)
	}
	stopSecond()
	line.thaw()
	const more = 4
	r.flood("thawed", more)()
	r.audit(b, n+more)
	stopFirst()
}

// TestPublishAcknowledgedLateOrNever: the result is on record, and its publisher does not hear of it in time, or never. The broker
// has forgotten the message id by then; what is on record is enough.
func TestPublishAcknowledgedLateOrNever(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*wire){"late": (*wire).thaw, "never": func(w *wire) { w.cut(); w.thaw() }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := processes(t)
			r := newRig(t, stack)
			b := r.broker(stack.NATS)
			r.addKey("1000001", 1000)
			results, err := b.Stream(r.ctx, bus.StreamResults)
			r.must(err)
			short := results.CachedInfo().Config
			short.Duplicates = 100 * time.Millisecond
			_, err = b.UpdateStream(r.ctx, short)
			r.must(err)
			line, url := newWire(t, stack.NATS)
			r.work(r.elsewhere(url), func(_ *worker.Config, p *worker.Ports) {
				p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
					line.freeze()
					return *r.client.Place(ctx, &order)
				}}
			})
			r.flood("late", 1)()
			r.eventually("the result", func() bool { return b.stored(bus.StreamResults) == 1 })
			r.eventually("the broker to forget the message id", func() bool {
				ack, err := b.Publish(r.ctx, "purchase.result.probe.probe", nil, jetstream.WithMsgID(name))
				r.must(err)
				return !ack.Duplicate && ack.Sequence > 2
			})
			s, err := b.Stream(r.ctx, bus.StreamResults)
			r.must(err)
			r.must(s.Purge(r.ctx, jetstream.WithPurgeSubject("purchase.result.probe.probe")))
			end(line)
			r.until("its end", finished)
			r.audit(b, 1)
		})
	}
}
