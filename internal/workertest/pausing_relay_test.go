package workertest_test

import (
	"context"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// deaf is a listener whose connections read nothing while it is deaf, as those of a relay that was stopped: what arrives stays
// in their buffers, and nobody is told.
type deaf struct {
	net.Listener
	mutex sync.Mutex
	hears chan struct{} // closed while it reads
	dials chan struct{} // one for each connection
}

func (d *deaf) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case d.dials <- struct{}{}:
	default:
	}
	return &deafConn{Conn: conn, ears: d, closed: make(chan struct{})}, nil
}

func (d *deaf) hearing() chan struct{} {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.hears
}

func (d *deaf) stop() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.hears = make(chan struct{})
}

func (d *deaf) resume() { close(d.hearing()) }

type deafConn struct {
	net.Conn
	ears   *deaf
	once   sync.Once
	closed chan struct{}
}

func (c *deafConn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	select {
	case <-c.ears.hearing():
	case <-c.closed:
	}
	return n, err
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// overDeaf gives the rig's relay another listener, which can be deaf, and a client that uses it.
func (r *rig) overDeaf(config channel.ClientConfig) (*deaf, *channel.Client) {
	r.t.Helper()
	web := httptest.NewUnstartedServer(r.door.server)
	d := &deaf{Listener: web.Listener, hears: make(chan struct{}), dials: make(chan struct{}, 1<<10)}
	close(d.hears)
	web.Listener = d
	web.Start()
	r.t.Cleanup(web.Close)
	config.URL, config.Token = wsURL(web.URL), "token"
	client := channel.Dial(context.WithoutCancel(r.ctx), config)
	r.t.Cleanup(func() { r.must(client.Close()) })
	return d, client
}

// TestRelayThatStopsReadingPausesTheWorkers: three hundred requests wait, and nobody takes what is sent. The worker takes no
// more than it can have in hand, says why, and goes on with another connection to the same relay; no order is doubled, and only
// one that was sent may end unknown.
func TestRelayThatStopsReadingPausesTheWorkers(t *testing.T) {
	t.Parallel()
	const n, atOnce, ping = 300, 8, 200 * time.Millisecond
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	relay, client := r.overDeaf(channel.ClientConfig{PingEvery: ping})
	w, _ := r.hire(func(c *worker.Config, p *worker.Ports) {
		c.Concurrent, c.LookFor, p.Market = atOnce, 3*time.Second, client
	})
	r.flood("before", 1)()
	r.until("a finished request", finished)
	<-relay.dials

	before := b.worker().Delivered.Consumer
	relay.stop()
	filled := r.flood("deaf", n)
	r.eventually("the pause", func() bool { return paused(w, worker.CodeChannelDown) })
	filled()
	for range 5 {
		select { // it dials in vain
		case <-relay.dials:
		case <-time.After(patience):
			t.Fatal("it does not dial any more")
		}
	}
	deliveries := b.worker().Delivered.Consumer
	if taken := deliveries - before; taken == 0 || taken > 3*atOnce {
		t.Errorf("%d requests were taken from a relay that does not read", taken)
	}
	relay.resume()
	r.measure("the relay reads again")
	r.eventually("the last acknowledgement", func() bool {
		info := b.worker()
		return info.NumPending == 0 && info.NumAckPending == 0 && b.stored(bus.StreamResults) >= 1+n
	})
	parked, err := r.bus.Parked(r.ctx)
	r.must(err)
	once := map[string]int64{}
	for _, order := range r.sim.Orders(sim1688.OrderFilter{}) {
		if calls, again := once[order.OutOrderID]; again && calls != order.Call {
			t.Errorf("%s was ordered twice", order.OutOrderID)
		}
		once[order.OutOrderID] = order.Call
	}
	t.Logf("%d requests were taken meanwhile, %d are parked", deliveries-before, len(parked))
	if key := r.key("1000001"); len(parked) > atOnce || key.Used != int64(1+n-len(parked)) || key.Held != int64(len(parked)) ||
		b.stored(bus.StreamResults) != 1+n || b.stored(bus.StreamDead) != 0 {
		t.Errorf("%+v, %d parked, %d results, %d dead letters", key, len(parked), b.stored(bus.StreamResults), b.stored(bus.StreamDead))
	}
}

// TestManyThrottledAtOnce: 1688 throttles three hundred calls in a row while 120 requests wait. Each waits for its turn with its
// claim held on the same key: it is sent again once for each answer, no other key is touched, and all are bought once.
func TestManyThrottledAtOnce(t *testing.T) {
	t.Parallel()
	const n, throttled, atOnce = 120, 300, 16
	stack := processes(t)
	r := newRig(t, stack)
	b := r.broker(stack.NATS)
	r.addKey("1000001", 1000)
	r.addKey("1000002", 1000)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "throttled", Count: throttled}))
	r.flood("slow", n)()
	w, _ := r.hire(func(c *worker.Config, _ *worker.Ports) { c.Concurrent = atOnce })
	r.eventually("all to hold their place", func() bool { return r.key("1000001").Held == n })
	if used, pauses := r.key("1000001").Used, w.Vitals().Pauses; used != 0 || len(pauses) != 0 {
		t.Errorf("%d used, paused %+v", used, pauses)
	}
	r.audit(b, n)
	if got := b.worker().Delivered.Consumer; got != n+throttled {
		t.Errorf("%d deliveries of %d requests that were throttled %d times", got, n, throttled)
	}
	if other := r.key("1000002"); other.Used != 0 || other.Held != 0 {
		t.Errorf("the next key was burnt: %+v", other)
	}
}
