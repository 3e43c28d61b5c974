package channel

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"autopurchase/worker"
)

// proxy forwards TCP until it is frozen: then it keeps every connection open and forwards nothing.
type proxy struct {
	target   string
	listener net.Listener
	ctx      context.Context
	work     sync.WaitGroup

	mu     sync.Mutex
	thawed chan struct{} // closed while it forwards
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &proxy{target: target, listener: listener, ctx: ctx, thawed: make(chan struct{})}
	close(p.thawed)
	p.work.Go(p.accept)
	t.Cleanup(func() { stop(); _ = listener.Close(); p.work.Wait() })
	return p
}

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thawed = make(chan struct{})
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.thawed)
}

// flowing waits while the proxy is frozen; false when the test ends.
func (p *proxy) flowing() bool {
	p.mu.Lock()
	thawed := p.thawed
	p.mu.Unlock()
	select {
	case <-thawed:
		return true
	case <-p.ctx.Done():
		return false
	}
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		context.AfterFunc(p.ctx, func() { _ = near.Close(); _ = far.Close() })
		p.work.Go(func() { p.forward(near, far) })
		p.work.Go(func() { p.forward(far, near) })
	}
}

func (p *proxy) forward(from, to net.Conn) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !p.flowing() || err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestFrozenProxy(t *testing.T) {
	const ping = 100 * time.Millisecond
	started := make(chan struct{}, 8)
	hold := func(ctx context.Context, o worker.Order) worker.Answer {
		if o.Reference != "held" {
			return placed(o.Reference)
		}
		started <- struct{}{}
		<-ctx.Done()
		return *unknown("held")
	}
	server, url := serve(t, ServerConfig{Desk: desk{place: hold}, PingEvery: ping, MaxAsk: time.Second})
	between := newProxy(t, strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/channel"))
	w := dialOpen(t, ClientConfig{URL: "ws://" + between.listener.Addr().String() + "/channel", PingEvery: ping})
	held := later(func() worker.Answer { return *w.Place(t.Context(), new(order("held"))) })
	next(t, started)

	between.freeze()
	frozen := time.Now()
	answer := next(t, held)
	took := time.Since(frozen)
	if want(t, answer, worker.Unknown, worker.CodeNoAnswer); took > 2*ping+ping {
		t.Errorf("noticed after %v, want within two ping intervals of %v", took, ping)
	}
	if !strings.Contains(answer.Reason, errSilent.Error()) {
		t.Errorf("reason %q", answer.Reason)
	}
	eventually(t, "consumption pauses", func() bool { return w.Ready(t.Context()) != nil })
	want(t, *w.Place(t.Context(), new(order("PR"))), worker.NotAttempted, worker.CodeChannelDown)
	eventually(t, "the relay notices too", func() bool { return server.Workers() == 0 })

	between.thaw()
	eventually(t, "it resumes", func() bool { return w.Place(t.Context(), new(order("PR"))).Verdict == worker.Placed })
}
