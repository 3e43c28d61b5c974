package channel

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// ClientConfig says how a worker reaches its relay. The callbacks may be nil.
type ClientConfig struct {
	// URL is the ws:// or wss:// address of the relay's channel, or several with commas between them: the worker is connected to
	// one at a time, at first to a random one, and dials the next when it is lost. They are dialled directly, without a proxy.
	URL   string
	Token string // bearer token, the same for all; in no log and no error

	// OnPush takes what 1688 pushed; the relay gets its confirmation once it returns nil. Up to 64 run at once, in any
	// order. It must return soon after ctx, which ends with the connection: Close waits for it. Without OnPush nothing is
	// ever confirmed.
	OnPush func(ctx context.Context, push worker.Push) error
	// OnState is told when the channel opens, closes, or stays closed and a relay gives another reason than it gave before. Calls
	// do not overlap.
	OnState func(open bool, why string)
	// OnLate is told of a reply that names an order of the reference and came after its ask had ended without it, so that
	// it is put on record; Alarm is told too. It may take its time, but must return soon after ctx, which ends with the
	// client: Close waits for it.
	OnLate func(ctx context.Context, reference string, answer worker.Answer)
	// Alarm is told what a person should look at, such as a late reply that names an order. It must not block.
	Alarm func(text string)

	MaxInFlight int           // asks at once; the next one waits for a place; default 256
	CallTimeout time.Duration // the longest any ask takes; default 30 s
	PingEvery   time.Duration // a dead connection is noticed within two of these; default 10 s
	Backoff     Backoff       // waits between connections
	TLS         *tls.Config   // for wss://; nil takes the system's roots
	Log         zerolog.Logger
}

func (c ClientConfig) withDefaults() ClientConfig {
	c.MaxInFlight = orDefault(c.MaxInFlight, 256)
	c.CallTimeout = orDefault(c.CallTimeout, 30*time.Second)
	c.PingEvery = orDefault(c.PingEvery, 10*time.Second)
	c.Backoff = c.Backoff.withDefaults()
	if c.OnPush == nil {
		c.OnPush = func(context.Context, worker.Push) error { return errors.New("nobody takes pushes") }
	}
	if c.OnState == nil {
		c.OnState = func(bool, string) {}
	}
	if c.OnLate == nil {
		c.OnLate = func(context.Context, string, worker.Answer) {}
	}
	if c.Alarm == nil {
		c.Alarm = func(string) {}
	}
	return c
}

// Client is the worker's end of the channel, a worker.Market. It is safe for use by many goroutines.
type Client struct {
	cfg    ClientConfig
	ctx    context.Context
	stop   context.CancelCauseFunc
	seats  chan struct{} // one for each ask in flight
	late   chan struct{} // one for each late order that is being put on record
	route  *route
	lastID atomic.Uint64 // over all connections
	line   atomic.Pointer[line]
	why    atomic.Pointer[string] // it is not open
	work   sync.WaitGroup         // the connecting goroutine and the pushes in work
}

// Dial starts connecting in the background and keeps at it until ctx ends or Close is called. It does not fail because the
// relay is not there yet: Ready and OnState tell.
func Dial(ctx context.Context, cfg ClientConfig) *Client {
	cfg = cfg.withDefaults()
	c := &Client{cfg: cfg, seats: make(chan struct{}, cfg.MaxInFlight), late: make(chan struct{}, cfg.MaxInFlight), route: newRoute(cfg.URL)}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	why := "not connected yet"
	c.why.Store(&why)
	c.work.Go(c.keepConnected)
	return c
}

// Ready returns nil while the channel is open, else a *worker.Trouble with CodeChannelDown and the reason.
func (c *Client) Ready(context.Context) error {
	why := *c.why.Load()
	if l := c.line.Load(); l != nil {
		if l.ctx.Err() == nil {
			return nil
		}
		why = context.Cause(l.ctx).Error()
	}
	return &worker.Trouble{Code: worker.CodeChannelDown, Reason: why}
}

// Relay names the relay that the channel is open to: its instance, or its host and port if it does not say; "" while it is closed.
func (c *Client) Relay() string {
	if l := c.line.Load(); l != nil && l.ctx.Err() == nil {
		return l.relay
	}
	return ""
}

// Close ends the channel: asks still queued are not_attempted, those sent are unknown. It waits until every goroutine,
// OnPush included, has returned. It always returns nil and may be called more than once.
func (c *Client) Close() error {
	c.stop(errClosed)
	c.work.Wait()
	return nil
}

func (c *Client) keepConnected() {
	for c.ctx.Err() == nil {
		lived, cause := c.connectOnce()
		if c.ctx.Err() != nil {
			break
		}
		c.closed(cause)
		pause := time.NewTimer(c.route.onward(lived, cause, c.cfg.Backoff))
		select {
		case <-pause.C:
		case <-c.ctx.Done():
		}
		pause.Stop()
	}
	c.closed(errClosed)
}

// closed records why the channel is closed and tells it if that is news. The reason is there before the line is gone.
func (c *Client) closed(cause error) {
	why := cause.Error()
	c.why.Store(&why)
	c.line.Store(nil)
	if !c.route.news(why) {
		return
	}
	level := zerolog.WarnLevel
	if usual(cause) {
		level = zerolog.DebugLevel
	}
	c.cfg.Log.WithLevel(level).Str("relay", c.route.host()).Str("why", why).Msg("order channel closed")
	c.cfg.OnState(false, why)
}

// opened takes the line into use and tells that the channel is open.
func (c *Client) opened(l *line) {
	c.line.Store(l)
	lost := "the connection to the relay was lost"
	c.why.Store(&lost) // until closed knows better
	c.route.opened()
	c.cfg.Log.Debug().Str("relay", c.route.host()).Msg("order channel open")
	c.cfg.OnState(true, "")
}

// connectOnce holds one connection from dialling to its end.
func (c *Client) connectOnce() (lived time.Duration, cause error) {
	ws, tcp, err := c.dial()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	l := newLine(c, ws, tcp)
	patience := time.AfterFunc(2*c.cfg.PingEvery, l.expectHello)
	defer patience.Stop()
	cause = l.run(l.handle)
	return time.Since(start), cause
}

func (c *Client) dial() (*websocket.Conn, *socket, error) {
	release, tcp := func() bool { return true }, &socket{}
	dialer := websocket.Dialer{
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil { // a relay that takes the connection and is silent must not hold Close up: the library looks at ctx no more
				release = context.AfterFunc(c.ctx, func() { _ = conn.Close() })
			}
			tcp.Conn = conn
			return tcp, err
		},
		Subprotocols:     []string{Subprotocol},
		TLSClientConfig:  c.cfg.TLS,
		HandshakeTimeout: 2 * c.cfg.PingEvery,
		ReadBufferSize:   socketBuffer,
		WriteBufferSize:  socketBuffer,
	}
	header := http.Header{"Authorization": {"Bearer " + c.cfg.Token}}
	ws, response, err := dialer.DialContext(c.ctx, c.route.address(), header)
	release()
	if response != nil && err != nil {
		return nil, nil, &refusal{response.StatusCode}
	}
	if err != nil {
		return nil, nil, unreachable(err)
	}
	if ws.Subprotocol() != Subprotocol {
		_ = ws.Close()
		return nil, nil, &parting{closeBadVersion, "the other side does not speak " + Subprotocol}
	}
	return ws, tcp, nil
}
