package main

import (
	"context"
	stdlog "log"
	"net/http"
	"time"

	"autopurchase/internal/channel"
	"autopurchase/internal/relay"
	"autopurchase/worker"
)

// relayPart is a relay and the channel's server in front of it.
type relayPart struct {
	relay  *relay.Relay
	server *channel.Server
	url    string
}

// readiness says what a relay needs in order to work now: its channel, 1688, and the pools in Redis if it has keys from there.
func (p *relayPart) readiness(keys relay.Vault) readiness {
	needs := readiness{"channel": p.server.Ready, "1688": p.relay.Reach}
	if v, shared := keys.(vault); shared {
		needs["redis"] = v.pool.Ping
	}
	return needs
}

// newRelayPart starts a relay that listens for workers at the door. Without a token everybody may order: see
// doorSettings. grace is how long it waits, when it stops, for 1688's answers to the orders under way.
func newRelayPart(config relay.Config, door doorSettings, grace time.Duration, see witness, undo *cleanup) (*relayPart, error) {
	var server *channel.Server
	config.OnPush = func(ctx context.Context, push worker.Push) error { return server.Push(ctx, push) }
	r, err := relay.New(see.relay(config))
	if err != nil {
		return nil, err
	}
	server = channel.NewServer(see.channel(channel.ServerConfig{Token: door.token.text, Open: door.token.text == "", Desk: r, Log: config.Log}))
	see.metrics.Tokens(grants(r))
	mux := http.NewServeMux()
	mux.Handle("/channel", server)
	at, stop, err := listen("listen", door.address, mux, func(s *http.Server) {
		s.TLSConfig, s.ErrorLog = door.config, stdlog.New(config.Log, "", 0) // it tells of handshakes that fail
	})
	if err != nil {
		return nil, err
	}
	undo.add("channel's listener", stop)
	undo.add("channel's server", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			config.Log.Warn().Err(err).Msg("orders under way were left behind: workers look them up")
		}
		return nil
	})
	return &relayPart{relay: r, server: server, url: door.scheme() + at.String() + "/channel"}, nil
}
