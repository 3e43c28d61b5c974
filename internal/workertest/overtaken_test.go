package workertest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestOvertakenAfterALoss: a worker has ended one order of a request and waits for the answer to the other when Redis loses
// everything. The next delivery finds neither at 1688, which lists them late, and parks both. Then the first worker knows how both
// ended: its result takes the place of the unknown one, and the ledger, which had forgotten the first order, agrees with it.
func TestOvertakenAfterALoss(t *testing.T) {
	servers := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: servers.URL})
	r.addKey("1000001", 1000)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "late_list", DelayMS: 60_000, Count: 2}))
	first, second := make(hand), make(hand)
	booked, answer := make(chan struct{}), make(chan struct{})
	var sent atomic.Int64
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Inbox = first
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			got := *r.client.Place(ctx, &order)
			if sent.Add(1) == 2 {
				close(booked)
				<-answer
			}
			return got
		}}
	})
	r.work(func(c *worker.Config, p *worker.Ports) {
		p.Inbox, c.LookFor, p.Market = second, 300*time.Millisecond, r.counted(&sent)
	})
	a, b := r.apart()
	q := r.request("both", a, b)
	published := time.Now()
	d, firstReceipt := deliver(q, 1, published)
	first <- d
	<-booked
	r.flushRedis(servers.Addr)
	for attempt := 2; ; attempt++ {
		d, how := deliver(q, attempt, published)
		second <- d
		if r.settled(how) == "ack" {
			break
		}
	}
	if result := r.result("both"); result.Outcome != worker.OutcomeUnknown || len(result.Unknown) != 2 {
		t.Errorf("parked as %+v", result)
	}
	r.books(0, 2)
	close(answer)
	if got := r.settled(firstReceipt); got != "ack" {
		t.Errorf("the first delivery ended with %s", got)
	}
	result, _, err := r.bus.Result(r.ctx, "acme", "both")
	r.must(err)
	if result.Outcome != worker.OutcomePlaced || len(result.Orders) != 2 || len(r.orders("both")) != 2 || sent.Load() != 2 {
		t.Errorf("%+v, sent %d times", result, sent.Load())
	}
	if open := r.listed(); open != 0 {
		t.Errorf("%d orders are still listed as parked", open)
	}
	r.books(2, 0)
}
