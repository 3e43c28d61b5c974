package benchmark

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"autopurchase/internal/channel"
	"autopurchase/internal/collector"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// workers are our side: the whole worker, from the stream of requests to the acknowledgement.
type workers struct {
	*Rig
	concurrent int
	market     *channel.Client
	observe    func(worker.Event)              // is told what happens; may be nil
	around     func(worker.Ports) worker.Ports // stands around the ports; may be nil
}

// workers opens our side with a platform that takes so long. The garbage collector of this process is set as a worker's is, for both
// sides.
func (r *Rig) workers(ctx context.Context, concurrent int, takes time.Duration) (*workers, error) {
	collector.Ease(concurrent)
	url, err := r.relay(takes)
	if err != nil {
		return nil, err
	}
	market, err := r.channel(ctx, url, concurrent)
	return &workers{Rig: r, concurrent: concurrent, market: market}, err
}

func (w *workers) run(ctx context.Context, n int) (time.Duration, error) {
	if err := w.publish(ctx, n); err != nil {
		return 0, err
	}
	return w.work(ctx, n)
}

// work takes n requests to their end.
func (w *workers) work(ctx context.Context, n int) (time.Duration, error) {
	finished := newGoal(n)
	ports := worker.Ports{Inbox: w.inbox, Decode: schemas.DecodeRequest, Ledger: w.keys, Stock: w.keys, Market: w.market, Outbox: w.bus.Outbox()}
	if w.around != nil {
		ports = w.around(ports)
	}
	observe := finished.observe
	if w.observe != nil {
		observe = func(e worker.Event) { w.observe(e); finished.observe(e) }
	}
	one, err := worker.New(worker.Config{Instance: fmt.Sprint("bench-", w.made), Concurrent: w.concurrent, Observe: observe}, ports)
	if err != nil {
		return 0, err
	}
	working, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	begin := time.Now()
	running.Go(func() { one.Run(working) })
	err = finished.wait(ctx)
	return time.Since(begin), err
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
	case e.Stage == worker.StageStopping:
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

func (g *goal) wait(ctx context.Context) error {
	select {
	case err := <-g.reached:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(patience):
		return fmt.Errorf("%d of the requests not finished after %v", g.left.Load(), patience)
	}
}

// channel opens an order channel to a relay.
func (r *Rig) channel(ctx context.Context, url string, concurrent int) (*channel.Client, error) {
	open := make(chan struct{}, 1)
	client := channel.Dial(context.WithoutCancel(ctx), channel.ClientConfig{
		URL: url, Token: token, MaxInFlight: concurrent,
		OnState: func(isOpen bool, _ string) {
			if isOpen {
				open <- struct{}{}
			}
		},
	})
	r.undo.add(func(context.Context) error { return client.Close() })
	select {
	case <-open:
		return client, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(patience):
		return nil, fmt.Errorf("the channel does not open: %w", client.Ready(ctx))
	}
}

// relay starts a relay whose platform takes so long, and gives its URL.
func (r *Rig) relay(takes time.Duration) (string, error) {
	url, err := r.start(relayPart, takes.String())
	return url + "/channel", err
}
