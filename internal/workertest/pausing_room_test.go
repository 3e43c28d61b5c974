package workertest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// tight is a rig whose only key has three products left, with so many orders of five waiting in vain.
func tight(t *testing.T, big int, change ...func(*worker.Config, *worker.Ports)) (*rig, broker, *counted, *worker.Worker) {
	t.Helper()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 8)
	c := &counted{Ledger: r.pool, Stock: r.pool}
	w, _ := r.hire(append(change, func(_ *worker.Config, p *worker.Ports) { p.Ledger, p.Stock = c, c })...)
	r.submitAll("first", 1, 5)
	r.until("the first order", finished)
	r.submitAll("big", big, 5)
	return r, b, c, w
}

// inHand gives how many orders wait in the worker's hands.
func inHand(w *worker.Worker) (orders int) {
	for _, crowd := range w.Vitals().Waiting {
		orders += crowd.Orders
	}
	return orders
}

// TestRestTooSmallForWhatWaits: two hundred orders of five wait for a pool with three left. Each is delivered once and drawn for
// once; smaller ones behind them go on; the worker says what it waits for; a new key wakes them at once.
func TestRestTooSmallForWhatWaits(t *testing.T) {
	t.Parallel()
	const big, small = 200, 2
	r, b, c, w := tight(t, big)
	r.submitAll("small", small, 1)
	r.eventually("the small orders", func() bool { return b.stored(bus.StreamResults) == 1+small })
	r.eventually("the big ones to be in hand", func() bool { return inHand(w) == big })
	draws, deliveries := r.stillness(b, c)
	again, deliveriesAgain := r.stillness(b, c)
	if deliveries != 1+big+small || deliveriesAgain != deliveries || draws != again || draws > 2*(1+big+small) {
		t.Errorf("%d then %d deliveries, %d then %d draws of %d requests", deliveries, deliveriesAgain, draws, again, 1+big+small)
	}
	if crowd := w.Vitals().Waiting[0]; crowd.Pool != "default" || crowd.Least.Lines != 5 || len(w.Vitals().Pauses) != 0 {
		t.Errorf("%+v, paused %+v", crowd, w.Vitals().Pauses)
	}
	start := time.Now()
	r.forget()
	r.addKey("1000002", 1000)
	r.until("a big order", finished)
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v to go on", took)
	}
	r.eventually("all", func() bool { return b.stored(bus.StreamResults) == 1+big+small && b.worker().NumAckPending == 0 })
	t.Logf("%d big orders were done %v after there was room", big, time.Since(start).Round(time.Millisecond))
	if got := b.worker().Delivered.Consumer; got != deliveries {
		t.Errorf("%d deliveries, want none again", got-deliveries)
	}
	if first, second := r.key("1000001"), r.key("1000002"); first.Used != 7 || second.Used != 1000 || first.Held+second.Held != 0 {
		t.Errorf("%+v, %+v", first, second)
	}
	if orders := r.sim.Orders(sim1688.OrderFilter{}); len(orders) != 1+big+small || b.stored(bus.StreamDead) != 0 {
		t.Errorf("%d orders, %d dead letters", len(orders), b.stored(bus.StreamDead))
	}
}

// TestNoPlaceToWait: more orders wait than a worker keeps in hand. It stops fetching and says so.
func TestNoPlaceToWait(t *testing.T) {
	t.Parallel()
	const big, places, atOnce = 100, 10, 4
	r, b, c, w := tight(t, big, func(config *worker.Config, _ *worker.Ports) {
		config.MaxWaiting, config.Concurrent = places, atOnce
	})
	r.eventually("the pause", func() bool { return paused(w, worker.CodeNoKey) })
	draws, deliveries := r.stillness(b, c)
	if most := 1 + places + 2*atOnce; deliveries > uint64(most) || draws > int64(2*most) || inHand(w) != places {
		t.Errorf("%d deliveries and %d draws, %d wait in hand", deliveries, draws, inHand(w))
	}
	start := time.Now()
	r.forget()
	r.addKey("1000002", 1000)
	r.until("a big order", finished)
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v to go on", took)
	}
	r.eventually("all", func() bool { return b.stored(bus.StreamResults) == 1+big && b.worker().NumAckPending == 0 })
	if second := r.key("1000002"); second.Used != 5*big || second.Held != 0 || b.stored(bus.StreamDead) != 0 {
		t.Errorf("%+v, %d dead letters", second, b.stored(bus.StreamDead))
	}
}

// TestWhoWaitsForRoomLetsGo: a worker that stops hands back at once what it kept in hand; another one takes it. A deadline that
// passes meanwhile ends an order.
func TestWhoWaitsForRoomLetsGo(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	scene{r, stack}.redeliverAfter(10 * patience) // only what is handed back comes again
	r.addKey("1000001", 3)
	first, stop := r.hire()
	q := r.sameSeller("late", 3)
	q.Lines = append(q.Lines, r.sameSeller("late", 5).Lines[3:]...)
	r.addKey("1000001", 6) // room for one of five, of which one is left then
	r.submitAll("first", 1, 5)
	r.until("the first order", finished)
	r.submitAll("big", 20, 5)
	r.eventually("the big ones to be in hand", func() bool { return inHand(first) == 20 })
	q.Deadline = time.Now().Add(time.Second)
	r.ask(q)
	if result := r.result("late"); result.Outcome != worker.OutcomeCancelled || result.Code != worker.CodeDeadline || len(r.orders("late")) != 0 {
		t.Errorf("%+v", result)
	}
	stop()
	if n := inHand(first); n != 0 {
		t.Errorf("%d still wait in the hands of a worker that has stopped", n)
	}
	second, _ := r.hire()
	r.eventually("the other one to have them", func() bool { return inHand(second) == 20 })
	r.addKey("1000002", 100)
	b := r.broker(stack.NATS)
	r.eventually("all", func() bool { return b.stored(bus.StreamResults) == 22 && b.worker().NumAckPending == 0 })
	if key := r.key("1000002"); key.Used != 100 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

// TestOtherAccountsKeysAreNoRoom: the pool has room, but not for this buyer's orders.
func TestOtherAccountsKeysAreNoRoom(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	c := &counted{Ledger: r.pool, Stock: r.pool}
	w, _ := r.hire(func(_ *worker.Config, p *worker.Ports) { p.Ledger, p.Stock = c, c })
	for i := range 20 {
		q := r.request(fmt.Sprint("theirs-", i), 0)
		q.Account = "them"
		r.ask(q)
	}
	r.eventually("their orders to be in hand", func() bool { return inHand(w) == 20 })
	r.ask(r.request("ours", 0))
	if result := r.result("ours"); result.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", result)
	}
	if draws, deliveries := r.stillness(b, c); deliveries != 21 || draws > 2*21 {
		t.Errorf("%d draws, %d deliveries of 21 requests", draws, deliveries)
	}
	r.addKeyOf("1000002", "them")
	r.eventually("all", func() bool { return b.stored(bus.StreamResults) == 21 && b.worker().NumAckPending == 0 })
	if ours, theirs := r.key("1000001"), r.key("1000002"); ours.Used != 1 || theirs.Used != 20 {
		t.Errorf("%+v, %+v", ours, theirs)
	}
}

// TestFiveThousandWaitForAKey: every key is spent and 5,000 requests wait. A handful is delivered meanwhile, and all are bought
// once there is room.
func TestFiveThousandWaitForAKey(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	const all, atOnce = 5000, 16
	r.addKey("1000001", 1)
	c := &counted{Ledger: r.pool, Stock: r.pool}
	w, _ := r.hire(func(config *worker.Config, p *worker.Ports) { config.Concurrent, p.Ledger, p.Stock = atOnce, c, c })
	r.ask(r.request("first", 0))
	r.until("the first order", finished)
	r.submitAll("spent", all, 1)
	r.eventually("the pause", func() bool { return paused(w, worker.CodeNoKey) })
	if draws, deliveries := r.stillness(b, c); draws > 1+2*atOnce || deliveries > 1+2*atOnce {
		t.Errorf("%d draws and %d deliveries while no key has room", draws, deliveries)
	}
	start := time.Now()
	r.forget()
	r.addKey("1000003", all)
	r.until("the first finished request", finished)
	woke := time.Since(start)
	for n := uint64(500); n <= all; n += 500 { // step by step: all of them take long on a busy machine
		r.eventually(fmt.Sprint(n, " results"), func() bool { return b.stored(bus.StreamResults) > n })
	}
	r.eventually("the last acknowledgement", func() bool { return b.worker().NumAckPending == 0 })
	t.Logf("the first was finished %v after a key came, all %v after", woke.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
	if woke > time.Second {
		t.Errorf("it took %v to go on", woke)
	}
	orders := len(r.sim.Orders(sim1688.OrderFilter{}))
	if key := r.key("1000003"); key.Used != all || key.Held != 0 || orders != 1+all || b.stored(bus.StreamDead) != 0 {
		t.Errorf("%+v, %d orders, %d dead letters", key, orders, b.stored(bus.StreamDead))
	}
}

// TestPostponementsAreNoFailures: a request that was delivered a hundred times because it was throttled is not given up at its
// first failure, but when it has failed as often as is allowed.
func TestPostponementsAreNoFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	inbox := make(hand)
	answers := make(chan worker.Answer, 1)
	r.work(func(c *worker.Config, p *worker.Ports) {
		p.Inbox, c.MaxAttempts = inbox, 2
		p.Market = market{r.client, func(context.Context, worker.Order) worker.Answer { return <-answers }}
		p.Decode = func(body []byte) (*worker.Request, error) {
			q, err := schemas.DecodeRequest(body)
			if err == nil && q.Note == "boom" {
				panic(q.Note)
			}
			return q, err
		}
	})
	attempt := 0
	try := func(note string) string {
		attempt++
		q := r.request("patient", 0)
		q.Note = note
		d, how := deliver(q, attempt, time.Now())
		inbox <- d
		return r.settled(how)
	}
	for range 100 {
		answers <- worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeThrottled, Reason: "later"}
		if got := try(""); got != "nak" {
			t.Fatalf("delivery %d ended with %s", attempt, got)
		}
	}
	for _, want := range []string{"nak", "ack"} {
		if got := try("boom"); got != want {
			t.Errorf("delivery %d, a failure, ended with %s, want %s", attempt, got, want)
		}
	}
	if result := r.result("patient"); result.Outcome != worker.OutcomeUnknown || result.Code != worker.CodeInternal {
		t.Errorf("%+v", result)
	}
}
