package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/metrics"
	"autopurchase/internal/relay"
)

// newRelay runs the edge to 1688: it alone holds the keys' secrets.
func newRelay(term terminal) *cobra.Command {
	var edge relaySettings
	var sealed sealSettings
	var door doorSettings
	var http, level string
	var grace time.Duration
	return command(term, &cobra.Command{
		Use:   "relay",
		Short: "Run the edge to 1688 that signs and sends what workers order",
		Long: "Workers connect to the relay's channel; the relay alone can read app secrets and tokens. Those of the key pools are in Redis,\n" +
			"sealed for the relay's identity; those of managed keys, and any others, may be in the keys file:\n" +
			`  {"keys":[{"app_key":"1000001","secret":"…","refresh_token":"…","account":"buyer-1"}]}   (mode 0600)` + "\n" +
			"With --redis all relays share the tokens, refresh each one once, and a restarted relay goes on with them.",
		Example: "  autopurchase relay --listen 127.0.0.1:7700 --redis redis://127.0.0.1:6379 --identity relay.identity\n" +
			"  autopurchase relay --listen :7700 --channel-token-file token --tls-cert relay.pem --tls-key relay.key --keys-file keys.json",
	}, func(s *settings) {
		edge.bind(s, publicGateway, publicMessages)
		sealed.bind(s)
		door.bind(s)
		s.text(&http, "http", "", "where /livez, /readyz, "+metrics.Path+" and "+relay.CallbackPath+" listen; empty for nowhere", orEmpty(anAddress))
		s.duration(&grace, "grace", 20*time.Second, 0, "how long orders under way may take to be answered on SIGTERM; a second SIGTERM ends the process at once")
		s.text(&level, "log", "info", "trace | debug | info | warn | error", checkLevel)
	}, func(cmd *cobra.Command, _ []string) (err error) {
		var undo cleanup
		defer func() { err = joinStop(err, undo.run(grace+stopBudget)) }()
		see, err := newWitness(cmd.Context(), term, "autopurchase-relay", level, &undo)
		if err != nil {
			return err
		}
		log := see.log
		if edge.keysFile == "" && sealed.files == "" {
			return usage(errors.New("--redis and --identity, or --keys-file: are required: where the keys' secrets and tokens are"))
		}
		config, err := edge.config(log)
		if err != nil {
			return err
		}
		if config, err = sealed.open(cmd.Context(), config, see, &undo); err != nil {
			return err
		}
		part, err := newRelayPart(config, door, grace, see, &undo)
		if err != nil {
			return err
		}
		handler := healthHandler(part.readiness(config.Vault), nil)
		handler.Handle("GET "+metrics.Path, see.metrics)
		handler.Handle("GET "+relay.CallbackPath, part.relay.Callback())
		if err := serveHealth(http, handler, &undo); err != nil {
			return err
		}
		if door.token.text == "" {
			log.Warn().Msg("the channel has no token: every program on this machine may order")
		}
		log.Info().Str("channel", part.url).Str("gateway", edge.gateway).Msg("relay is up")
		return part.relay.Run(cmd.Context())
	})
}

// config reads the keys file, if there is one.
func (r *relaySettings) config(log zerolog.Logger) (relay.Config, error) {
	var keys []relay.Key
	if r.keysFile != "" {
		var err error
		if keys, err = relay.LoadKeys(r.keysFile); err != nil {
			return relay.Config{}, usage(fmt.Errorf("--keys-file: %w", err))
		}
	}
	return relay.Config{
		Gateway: r.gateway, Messages: r.messages, Authorize: r.authorize, Callback: r.callback,
		Keys: keys, MissedEvery: r.missedEvery, PerKey: float64(r.perKey), Timeout: r.timeout, DistrictCodes: r.districts, Log: log,
	}, nil
}
