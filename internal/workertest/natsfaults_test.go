package workertest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/worker"
)

// TestTheSameAttemptComesTwice: a consumer that was made anew, or a broker that lost its last words, counts deliveries from one
// again. The second first attempt reaches the same worker while the first still waits for its answer: the order is sent once.
func TestTheSameAttemptComesTwice(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	var sent atomic.Int64
	placed, thaw := make(chan struct{}, 2), make(chan struct{})
	r.work(func(_ *worker.Config, p *worker.Ports) {
		p.Inbox = inbox
		p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
			sent.Add(1)
			answer := r.client.Place(ctx, order)
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
