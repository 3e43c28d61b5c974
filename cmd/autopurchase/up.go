package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/relay"
)

// stopBudget is how long everything but the running requests may take to stop.
const stopBudget = 15 * time.Second

// The platform's public addresses, from its documentation; nothing here has been tried against them.
const (
	publicGateway  = "https://gw.open.1688.com"
	publicMessages = "ws://message.1688.com/websocket"
)

// newUp runs everything on one machine against the real platform.
func newUp(term terminal) *cobra.Command {
	set := systemSettings{sync: true, index: true}
	var edge relaySettings
	return command(term, &cobra.Command{
		Use:   "up",
		Short: "Run everything on this machine: NATS, Redis, relay and worker",
		Long: "Runs an embedded NATS JetStream with a file store, a Redis, a relay and a worker, all on loopback, with their data in\n" +
			"one folder. Stopping and starting again loses nothing. Other programs find the addresses in DIR/addresses.json, and further\n" +
			"workers the channel's token in DIR/channel-token. The relay's identity is DIR/identity: without it, what was sealed for it is lost.\n" +
			"The dashboard is at --http; whoever logs in there with the token in DIR/admin-token may change things.",
		Example: "  autopurchase up --data ./data\n  autopurchase keys add 1000001 --nats \"$(jq -r .nats data/addresses.json)\"\n" +
			"  autopurchase keys seal 1000001 --nats \"$(jq -r .nats data/addresses.json)\"",
	}, func(s *settings) {
		set.bind(s, "folder for all data (required)")
		edge.bind(s, publicGateway, publicMessages)
	}, func(cmd *cobra.Command, _ []string) error {
		if set.data == "" {
			return usage(fmt.Errorf("--data: is required: a folder for all data"))
		}
		return runUp(cmd, term, set, edge)
	})
}

func runUp(cmd *cobra.Command, term terminal, set systemSettings, edge relaySettings) (err error) {
	var undo cleanup
	defer func() { err = joinStop(err, undo.run(stopBudget)) }()
	ctx := cmd.Context()
	data, err := openFolder(ctx, set.data, &undo)
	if err != nil {
		return err
	}
	see, err := newWitness(ctx, term, "autopurchase", set.log, &undo)
	if err != nil {
		return err
	}
	config, err := edge.config(see.log)
	if err != nil {
		return err
	}
	if set.worker.channel.token.text, err = data.token(); err != nil {
		return err
	}
	if config.Identities, err = data.identity(); err != nil {
		return err
	}
	s, err := newSystem(ctx, set, data, config, see, &undo)
	if err != nil {
		return unbegun(ctx, err)
	}
	if err := data.publish(s.where); err != nil {
		return err
	}
	s.log.Info().Str("nats", withoutPassword(s.where.NATS)).Str("redis", withoutPassword(s.where.Redis)).Str("channel", s.where.Channel).Str("http", s.where.HTTP).
		Str("dashboard", s.where.HTTP+"/").Str("admin_token_file", filepath.Join(data.path, adminTokenFile)).Msg("up")
	s.run(ctx)
	return nil
}

// relaySettings are what a relay is told from outside.
type relaySettings struct {
	gateway     string
	messages    string
	authorize   string
	callback    string
	keysFile    string
	perKey      int
	missedEvery time.Duration
	timeout     time.Duration
	districts   bool
}

func (r *relaySettings) bind(set *settings, gateway, messages string) {
	set.text(&r.gateway, "gateway", gateway, "1688's Open API", aURL("http", "https"))
	set.text(&r.messages, "messages", messages, "1688's message websocket; empty to hear no messages", orEmpty(aURL("ws", "wss")))
	set.text(&r.authorize, "authorize-page", alibaba.DefaultAuthorize, "1688's page where a buyer authorizes an app key", aURL("http", "https"))
	set.text(&r.callback, "callback", "", "address under which browsers reach "+relay.CallbackPath+" of --http, as the app's settings on 1688 have it; empty to paste the code by hand", orEmpty(aURL("http", "https")))
	set.text(&r.keysFile, "keys-file", "", "file with the secrets and tokens of managed keys, and of any that are not sealed, mode 0600")
	set.duration(&r.missedEvery, "missed-every", relay.DefaultMissedEvery, time.Second, "about how often each app key is asked for pushes that were missed; 1688 keeps those that nobody confirmed")
	set.number(&r.perKey, "per-key", 20, 0, 10000, "calls a second for one app key; 0 for no limit")
	set.flag(&r.districts, "district-codes", "ask 1688 for the code of the district that an address in texts is in, and order with it; one answer serves for a day, and an order goes without if there is none")
	set.duration(&r.timeout, "gateway-timeout", 30*time.Second, time.Second, "how long one call to 1688 may take")
}
