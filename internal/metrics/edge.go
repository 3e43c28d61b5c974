package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"autopurchase/worker"
)

// Call is told that a call of 1688's Open API begins; what it returns is told how it ended. Both are closed vocabularies.
func (s *Set) Call(ctx context.Context, api string) (context.Context, func(how string)) {
	began := time.Now()
	return ctx, func(how string) {
		s.calls.WithLabelValues(api, how).Inc()
		s.calling.WithLabelValues(api).Observe(time.Since(began).Seconds())
	}
}

// Ask is told that a worker asks a relay for something; what it returns is told the answer.
func (s *Set) Ask(ctx context.Context, op string) (context.Context, func(worker.Answer)) {
	return ctx, func(answer worker.Answer) { s.asks.WithLabelValues(op, string(answer.Verdict)).Inc() }
}

// Token says until when a relay may act with an app key.
type Token struct {
	AppKey  string
	Expires time.Time // of the access token; zero when not known
	Ends    time.Time // of the refresh token, and with it of the authorization; zero when not known
	Heard   bool      // the key's message session is open
}

var (
	descExpires  = desc("token_expires_timestamp_seconds", "When a token of an app key ends; the refresh token's end is that of the authorization.", "app_key", "token")
	descSessions = desc("message_session_open", "Whether 1688's message websocket is open for an app key: 1 or 0.", "app_key")
)

// tokens are a relay's, asked for at each scrape.
type tokens struct{ ask func() []Token }

// Tokens has a relay asked about its keys' tokens. It is called once.
func (s *Set) Tokens(ask func() []Token) { s.registry.MustRegister(tokens{ask}) }

// Describe lists what Collect may give.
func (t tokens) Describe(to chan<- *prometheus.Desc) {
	to <- descExpires
	to <- descSessions
}

// Collect leaves out what is not known.
func (t tokens) Collect(to chan<- prometheus.Metric) {
	for _, token := range t.ask() {
		gauge(to, descSessions, flag(token.Heard), token.AppKey)
		for name, at := range map[string]time.Time{"access": token.Expires, "refresh": token.Ends} {
			if !at.IsZero() {
				gauge(to, descExpires, float64(at.UnixMilli())/1000, token.AppKey, name)
			}
		}
	}
}
