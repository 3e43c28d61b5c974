package benchmark

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/channel"
	"autopurchase/schemas"
	"autopurchase/worker"
)

func BenchmarkPurchase(b *testing.B) {
	for _, concurrent := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(concurrent), func(b *testing.B) {
			r := newRig(b)
			t := take(*pairs, *long, r.workers(concurrent), r.bareLoop(concurrent))
			t.report(b, fmt.Sprintf("purchases, %d at a time", concurrent), "purchases/s")
		})
	}
}

// TestBothSidesFinish keeps the benchmark from rotting unseen: each side sees every request to its end.
func TestBothSidesFinish(t *testing.T) {
	r := newRig(t)
	ours, bare := r.workers(4), r.bareLoop(4)
	for range 2 {
		if ours(50) <= 0 || bare(50) <= 0 {
			t.Error("a run took no time")
		}
	}
	left, err := r.bus.Depth(t.Context())
	r.must(err)
	if left.Waiting != 0 || left.InFlight != 0 {
		t.Errorf("left over: %+v", left)
	}
}

// workers is our side: the whole worker, from the stream of requests to the acknowledgement.
func (r *rig) workers(concurrent int) side {
	return r.witnessed(concurrent, func(worker.Event) {}, func(p worker.Ports) worker.Ports { return p })
}

// witnessed is our side with somebody who is told what happens and stands around the ports.
func (r *rig) witnessed(concurrent int, observe func(worker.Event), around func(worker.Ports) worker.Ports) side {
	client := r.channel(concurrent)
	return func(n int) time.Duration {
		r.publish(n)
		finished := newGoal(n)
		w, err := worker.New(
			worker.Config{Instance: fmt.Sprint("bench-", r.made), Concurrent: concurrent, Observe: func(e worker.Event) { observe(e); finished.observe(e) }},
			around(worker.Ports{Inbox: r.inbox, Decode: schemas.DecodeRequest, Ledger: r.pool, Stock: r.pool, Market: client, Outbox: r.bus.Outbox()}))
		r.must(err)
		ctx, stop := context.WithCancel(r.Context())
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()
		begin := time.Now()
		running.Go(func() { w.Run(ctx) })
		r.must(finished.wait())
		return time.Since(begin)
	}
}

// goal waits for n requests to be placed.
type goal struct {
	left    atomic.Int64
	reached chan error
}

func newGoal(n int) *goal {
	g := &goal{reached: make(chan error, 1)}
	g.left.Store(int64(n))
	return g
}

func (g *goal) observe(e worker.Event) {
	switch {
	case e.Stage != worker.StageFinished || e.Code != worker.CodePlaced:
		g.end(fmt.Errorf("%s %s: %s: %s %w", e.RequestID, e.Stage, e.Code, e.Reason, e.Err))
	case g.left.Add(-1) == 0:
		g.end(nil)
	}
}

func (g *goal) end(err error) {
	select {
	case g.reached <- err:
	default: // it has ended
	}
}

func (g *goal) wait() error {
	select {
	case err := <-g.reached:
		return err
	case <-time.After(patience):
		return fmt.Errorf("%d of the requests not finished after %v", g.left.Load(), patience)
	}
}

// channel opens an order channel to a platform that answers at once.
func (r *rig) channel(concurrent int) *channel.Client {
	open := make(chan struct{}, 1)
	client := channel.Dial(r.Context(), channel.ClientConfig{
		URL: r.relay(0), Token: token, MaxInFlight: concurrent,
		OnState: func(isOpen bool, _ string) {
			if isOpen {
				open <- struct{}{}
			}
		},
	})
	r.Cleanup(func() { r.must(client.Close()) })
	select {
	case <-open:
	case <-time.After(patience):
		r.Fatal("the channel does not open")
	}
	return client
}

// relay starts a relay whose platform takes so long, and gives its URL.
func (r *rig) relay(takes time.Duration) string {
	return start(r, "relay", takes.String()) + "/channel"
}

// desk is a platform that places every order after so long.
type desk struct{ takes time.Duration }

func (d *desk) Place(ctx context.Context, _ worker.Order) worker.Answer {
	if d.takes > 0 {
		select {
		case <-time.After(d.takes):
		case <-ctx.Done():
		}
	}
	return placed
}

func (d *desk) Preview(context.Context, worker.Order) worker.Answer           { return placed }
func (d *desk) Find(context.Context, string, string) worker.Answer            { return placed }
func (d *desk) Probe(context.Context, string) worker.Answer                   { return placed }
func (d *desk) Check(context.Context, string, worker.Check) worker.Answer     { return placed }
func (d *desk) Detail(context.Context, string, string) worker.Answer          { return placed }
func (d *desk) List(context.Context, worker.Leaf) worker.Answer               { return placed }
func (d *desk) CancelOrder(context.Context, string, string) worker.Answer     { return placed }
func (d *desk) Pay(context.Context, worker.Charge) worker.Answer              { return placed }
func (d *desk) PayLink(context.Context, string, []string) worker.Answer       { return placed }
func (d *desk) Authorize(context.Context, worker.Authorization) worker.Answer { return placed }

var placed = worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced,
	Orders: []worker.PlacedOrder{{ID: "2257000000000000973", Total: 4598, Postage: 600}}}
