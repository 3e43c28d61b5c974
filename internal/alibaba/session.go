package alibaba

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"autopurchase/worker"
)

// Session keeps one key's connection to the platform's message websocket and hands on what it pushes.
//
// A push is confirmed only after OnPush returned nil; one that is not is sent again, as the official client has it: about
// three times, then the platform stores it. There is no negative answer. A repeat is handed on and confirmed like the first.
type Session struct {
	// URL of the websocket, ws or wss. Whether the platform speaks TLS there is not known. Required.
	URL string
	// AppKey and Secret sign the frames; no token is needed. Required.
	Credentials Credentials
	// OnPush keeps a push and returns nil once it is stored. It is called from one goroutine, one push after the other.
	// Required.
	OnPush func(context.Context, worker.Push) error
	// Observe is told nil when the platform acknowledged the connection, and the cause when one ended or could not be made.
	// A *SystemError is the platform's own complaint, such as a secret that does not fit. May be nil.
	Observe func(error)
	// OnMock is told the topic of a test push, source MOCK: a person sends them from the platform's page. May be nil.
	OnMock func(topic string)
	Log    zerolog.Logger

	Heartbeat time.Duration // between two heartbeats. Default 30 s (official client)
	AckWait   time.Duration // for CONNECT_ACK before CONNECT is sent again. Default 10 s (official client)
	PushWait  time.Duration // for OnPush. Default 30 s
	FirstWait time.Duration // before the first reconnect, doubled up to MaxWait, with jitter. Default 1 s
	MaxWait   time.Duration // Default 1 min
}

// SystemError is what the platform complained about in a SYSTEM frame.
type SystemError struct{ Message string }

// Error gives the platform's words.
func (e *SystemError) Error() string { return "1688's message websocket: " + e.Message }

const (
	maxFrame     = 256 << 10 // bytes; the platform's frames have up to 64 KiB
	maxConnects  = 3         // CONNECT frames on one connection before it is given up
	writeTimeout = 10 * time.Second
)

var errNoAck = errors.New("the platform does not acknowledge CONNECT")

// Run keeps the session up, reconnecting with growing delays, until ctx ends; then it returns nil. It returns an error only
// if the session is set up wrongly.
func (s Session) Run(ctx context.Context) error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return fmt.Errorf("messages %q: must be a ws or wss address", s.URL)
	}
	s = s.withDefaults()
	for failures := 0; ctx.Err() == nil; failures++ {
		acked, cause := s.connect(ctx)
		if acked {
			failures = 0
		}
		s.lost(ctx, cause)
		s.rest(ctx, failures)
	}
	return nil
}

// lost tells why a connection ended, unless it was asked to.
func (s Session) lost(ctx context.Context, cause error) {
	if ctx.Err() == nil {
		s.Observe(cause)
		s.Log.Warn().Str("app_key", s.Credentials.AppKey).Err(cause).Msg("message session ended, connecting again")
	}
}

func (s Session) withDefaults() Session {
	s.Heartbeat = cmp.Or(s.Heartbeat, 30*time.Second)
	s.AckWait = cmp.Or(s.AckWait, 10*time.Second)
	s.PushWait = cmp.Or(s.PushWait, 30*time.Second)
	s.FirstWait = cmp.Or(s.FirstWait, time.Second)
	s.MaxWait = cmp.Or(s.MaxWait, time.Minute)
	if s.Observe == nil {
		s.Observe = func(error) {}
	}
	if s.OnMock == nil {
		s.OnMock = func(string) {}
	}
	return s
}

// rest waits between half and the whole of the delay that follows from the failures in a row.
func (s Session) rest(ctx context.Context, failures int) {
	delay := min(s.MaxWait, s.FirstWait<<min(failures, 16))
	timer := time.NewTimer(delay/2 + rand.N(delay/2+1))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// connect runs one connection to its end and says whether the platform ever acknowledged it.
func (s Session) connect(ctx context.Context) (acked bool, err error) {
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: s.AckWait}
	socket, response, err := dialer.DialContext(ctx, s.URL, http.Header{"client_version": {"1"}})
	if err != nil {
		if response != nil {
			return false, fmt.Errorf("message websocket: HTTP %d: %w", response.StatusCode, err)
		}
		return false, fmt.Errorf("message websocket: %w", err)
	}
	link := newLink(s, socket)
	return link.run(ctx)
}
