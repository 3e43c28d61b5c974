package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// Config says which broker to use and how. Zero values take the default.
type Config struct {
	// URL of the servers, with commas between them. Default nats://127.0.0.1:4222.
	URL string
	// Server connects inside the process instead of through URL. May be nil.
	Server nats.InProcessConnProvider
	// Stopped says that the broker was stopped in good order the last time, and not killed: see Embedded.Stopped. Default false,
	// since of any other broker that is not known.
	Stopped bool
	// Apart works beside the queue. Default "": in it.
	Apart Apart
	// Name shows up in the broker's list of connections. Default "autopurchase".
	Name string
	// User is as whom to connect: see Roles. Its replies come in on an inbox of its own. nil connects as nobody in particular.
	User *User
	// TLS is how to talk to the servers; nil leaves it to them, with the system's roots. With it, a server without TLS is refused.
	TLS *tls.Config
	// Replicas is on how many servers each message is stored: 1, 3 or 5. Default 1; a stream that exists keeps what it has
	// unless this is set.
	Replicas int
	// Retention is how long messages are kept.
	Retention Retention
	// AckWait is after how long without a sign of life a request is delivered again. 0 keeps what the consumer has, 30 s for a
	// new one: a worker that merely joins must not change it for the others, whose signs of life follow it. Taken by Provision.
	AckWait time.Duration
	// LaneShares is how the inbox shares takers out among the lanes. Default worker.DefaultLaneShares.
	LaneShares worker.LaneShares
	// Alarm is told what a person must look at, in one line. It must not block. May be nil; it is logged in any case.
	Alarm func(text string)
	// Connected is told false when the connection is lost, and true when it is back. It must not block. May be nil; it is logged
	// in any case.
	Connected func(bool)
	// Log is quiet at info on a healthy day.
	Log zerolog.Logger
}

// Retention is how long the messages of each stream are kept; 0 takes the default. The journal of the key pools is kept for
// ever. Results must outlive the requests: a request delivered again is answered from them.
type Retention struct {
	Requests time.Duration // default 30 days: so long an id stays taken
	Results  time.Duration // default 400 days: a rebuild of the key pool adds them up
	Status   time.Duration // default 400 days
	Dead     time.Duration // default 400 days
}

const day = 24 * time.Hour

func (c Config) withDefaults() Config {
	setDefault(&c.URL, nats.DefaultURL)
	setDefault(&c.Name, "autopurchase")
	setDefault(&c.Retention.Requests, 30*day)
	setDefault(&c.Retention.Results, 400*day)
	setDefault(&c.Retention.Status, 400*day)
	setDefault(&c.Retention.Dead, 400*day)
	if c.Alarm == nil {
		c.Alarm = func(string) {}
	}
	if c.Connected == nil {
		c.Connected = func(bool) {}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports everything that is wrong with the settings at once.
func (c Config) Validate() error {
	c = c.withDefaults()
	var problems []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(c.AckWait != 0 && c.AckWait < 100*time.Millisecond, "ack-wait %v: must be at least 100ms", c.AckWait)
	if err := c.Apart.check(); err != nil {
		problems = append(problems, err)
	}
	bad(c.Replicas < 0 || c.Replicas > 5, "replicas %d: must be 1 to 5", c.Replicas)
	bad(c.Retention.Requests < time.Hour, "retention of requests %v: must be at least 1h", c.Retention.Requests)
	bad(c.Retention.Results < c.Retention.Requests, "retention of results %v: must not be shorter than that of requests, %v",
		c.Retention.Results, c.Retention.Requests)
	bad(c.Retention.Status < day, "retention of status %v: must be at least 24h", c.Retention.Status)
	bad(c.Retention.Dead < day, "retention of dead letters %v: must be at least 24h", c.Retention.Dead)
	return errors.Join(problems...)
}

// Bus is one connection to NATS with everything that autopurchase does there. It is safe for concurrent use.
type Bus struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	config  Config
	streams sync.Map // name → jetstream.Stream
	closing context.Context
	close   context.CancelFunc
	running sync.WaitGroup
	closed  chan struct{} // by the connection, once it is gone
	dialer  dialer

	connected atomic.Int64 // when it last was, nanoseconds of uptime
	forbidden refusals
	tenants   crowdedTenants
	courses   courses
	shelf     shelf
}

// Connect connects to the broker. It returns an error of one line when no server answers before ctx or 5 s end, and when
// JetStream is not enabled there. Once connected, the bus reconnects by itself for ever.
func Connect(ctx context.Context, config Config) (*Bus, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	b := &Bus{config: config.withDefaults(), closed: make(chan struct{})}
	b.closing, b.close = context.WithCancel(context.Background())
	conn, err := nats.Connect(b.config.URL, b.options(ctx)...)
	if err != nil {
		b.close()
		return nil, unreachable(redacted(b.config.URL), err)
	}
	b.conn = conn
	b.connected.Store(int64(uptime()))
	if enabled, _ := conn.ConnectedServerJetStream(); !enabled {
		return nil, errors.Join(fmt.Errorf("NATS at %s has no JetStream: start nats-server with -js and a -sd folder", redacted(b.config.URL)), b.Close())
	}
	b.js, err = jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(2*maxInFlight), jetstream.WithPublishAsyncTimeout(attemptTimeout))
	return b, err
}

// unreachable says what may be wrong.
func unreachable(urls string, err error) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return fmt.Errorf("NATS at %s does not let this user in: %w", urls, err)
	case untrusted:
		return fmt.Errorf("NATS at %s does not prove that it is the one: %w", urls, err)
	}
	return fmt.Errorf("cannot reach NATS at %s: %w: is it running there?", urls, err)
}

// The connection is checked every second: a cut that nobody announces is noticed within two.
func (b *Bus) options(ctx context.Context) []nats.Option {
	timeout := 5 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, max(time.Until(deadline), time.Millisecond))
	}
	b.dialer.Timeout = timeout
	options := []nats.Option{
		nats.Name(b.config.Name),
		nats.Timeout(timeout),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a server that reads its users anew may not know this one for a moment
		nats.SetCustomDialer(&b.dialer),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectBufSize(-1), // a publish that was reported as failed must not be sent later
		nats.PingInterval(time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DrainTimeout(5 * time.Second),
		nats.ErrorHandler(b.onError),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.config.Log.Warn().Err(err).Msg("NATS connection lost")
				b.config.Connected(false)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			b.connected.Store(int64(uptime()))
			b.config.Log.Warn().Msg("NATS connection is back")
			b.config.Connected(true)
		}),
		nats.ClosedHandler(func(*nats.Conn) { close(b.closed) }),
	}
	options = append(options, b.config.access()...)
	if b.config.Server != nil {
		options = append(options, nats.InProcessServer(b.config.Server))
	}
	return options
}

// access is what lets a connection in.
func (c Config) access() (options []nats.Option) {
	if c.User != nil {
		options = append(options, c.User.option(), nats.CustomInboxPrefix(c.User.inbox))
	}
	if c.TLS != nil {
		options = append(options, nats.Secure(c.TLS))
	}
	return options
}

// Plain connects with the client library alone, to the same servers as the same user: it is what a bus is compared with.
func (c Config) Plain() (*nats.Conn, error) {
	c = c.withDefaults()
	return nats.Connect(c.URL, append(c.access(), nats.Name(c.Name))...)
}

// onError is where the broker's refusals come in: the call itself only sees a time-out.
func (b *Bus) onError(_ *nats.Conn, sub *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		b.forbidden.heard(err.Error())
	}
	event := b.config.Log.Error().Err(err)
	if sub != nil {
		event = event.Str("subject", sub.Subject)
	}
	event.Msg("NATS")
}

// Ready returns nil while the broker is in reach.
func (b *Bus) Ready(context.Context) error {
	if status := b.conn.Status(); status != nats.CONNECTED {
		return fmt.Errorf("NATS at %s is %s", redacted(b.config.URL), strings.ToLower(status.String()))
	}
	return nil
}

// Alive returns nil unless the connection was closed for good: then nothing but a new process brings it back. While the broker is
// away it lives.
func (b *Bus) Alive(context.Context) error {
	if b.conn.IsClosed() && b.closing.Err() == nil {
		return errors.New("the connection to NATS is closed and stays so")
	}
	return nil
}

// Close ends inboxes, services and watches, sends what is under way and closes the connection. Closing twice does nothing.
func (b *Bus) Close() error {
	b.close()
	b.running.Wait()
	if b.conn.IsClosed() {
		return nil
	}
	if err := b.conn.Drain(); err != nil {
		b.conn.Close() // not connected: there is nothing to send
	}
	<-b.closed
	b.dialer.hangUp()
	return nil
}

// stored is what a stream is called where this bus works, and at what a subject is.
func (b *Bus) stored(stream string) string { return b.config.Apart.Stream(stream) }
func (b *Bus) at(subject string) string    { return b.config.Apart.Subject(subject) }

// stream gives a handle of a stream; the first call asks the broker.
func (b *Bus) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	if known, ok := b.streams.Load(name); ok {
		return known.(jetstream.Stream), nil
	}
	stream, err := b.js.Stream(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	b.streams.Store(name, stream)
	return stream, nil
}

// last gives the last message on a subject of a stream, or nil if there is none. The subject may have wildcards.
func (b *Bus) last(ctx context.Context, name, subject string) (*jetstream.RawStreamMsg, error) {
	msg, err := b.lastOf(ctx, name, subject)
	if msg == nil || err != nil {
		return nil, err
	}
	return &jetstream.RawStreamMsg{Subject: msg.Subject, Sequence: msg.Sequence, Header: msg.Header, Data: msg.Data, Time: msg.Time}, nil
}

// alarm reports what a person must look at.
func (b *Bus) alarm(text string) {
	b.config.Log.Error().Msg(text)
	b.config.Alarm(text)
}

// redacted hides passwords and tokens in a list of URLs.
func redacted(urls string) string {
	parts := strings.Split(urls, ",")
	for i, part := range parts {
		u, err := url.Parse(strings.TrimSpace(part))
		switch {
		case err != nil:
			parts[i] = "(unreadable URL)"
		case u.User != nil:
			u.User = url.User("xxxxx")
			parts[i] = u.String()
		}
	}
	return strings.Join(parts, ",")
}
