package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newWorker runs one worker against stores and a relay that are elsewhere.
func newWorker(term terminal) *cobra.Command {
	var set workerSettings
	var nats, redis, tokenFile, http, level string
	var plain bool
	return command(term, &cobra.Command{
		Use:   "worker",
		Short: "Run one worker; any number of them share the work",
		Example: "  autopurchase worker --nats nats://127.0.0.1:4222 --redis redis://127.0.0.1:6379 --channel ws://127.0.0.1:7700/channel\n" +
			"  autopurchase worker --redis 'redis-sentinel://10.0.0.1:26379/0?master_name=main&addr=10.0.0.2:26379' --channel wss://relay.example.com/channel\n" +
			"  autopurchase worker --redis 'redis-cluster://10.0.0.1:6379?addr=10.0.0.2:6379' --channel wss://relay.example.com/channel",
	}, func(s *settings) {
		set.bind(s)
		s.text(&nats, "nats", "nats://127.0.0.1:4222", "URL of NATS with JetStream, or of its servers with commas between them", urls("nats", "tls"))
		s.text(&redis, "redis", "redis://127.0.0.1:6379", "URL of Redis: "+redisURLs, checkRedisURL)
		s.text(&set.channelURL, "channel", "ws://127.0.0.1:7700/channel", "URL of a relay's channel, or of several relays' with commas between them: one is used, and the next when it is lost", urls("ws", "wss"))
		s.text(&tokenFile, "channel-token-file", "", "file with the channel's token; else the variable AUTOPURCHASE_CHANNEL_TOKEN")
		s.flag(&plain, "channel-insecure", "allow a channel without TLS to an address that is not loopback")
		s.text(&http, "http", "", "where /livez and /readyz listen, such as 127.0.0.1:7710; empty for nowhere", orEmpty(anAddress))
		s.text(&level, "log", "info", "trace | debug | info | warn | error", checkLevel)
	}, func(cmd *cobra.Command, _ []string) (err error) {
		var undo cleanup
		defer func() { err = joinStop(err, undo.run(stopBudget)) }()
		if set.channelToken, err = readToken(tokenFile, term); err != nil {
			return err
		}
		if err := checkChannels(set.channelURL); err != nil && !plain {
			return err
		}
		log := newLog(term.err, level)
		ctx := cmd.Context()
		stores, err := openStores(ctx, bus.Config{URL: nats, Name: "autopurchase-worker", Log: log, AckWait: set.ackWait, Replicas: set.replicas}, redis, &undo)
		if err != nil {
			return err
		}
		part, err := newWorkerPart(ctx, stores, set, log, &undo)
		if err != nil {
			return err
		}
		if err := serveHealth(http, part.readiness(), &undo); err != nil {
			return err
		}
		log.Info().Int("workers", set.Concurrent).Msg("worker is up")
		part.run(ctx)
		return nil
	})
}

// checkChannels refuses a channel on which others on the network could read along.
func checkChannels(list string) error {
	for address := range strings.SplitSeq(list, ",") {
		if u, _ := url.Parse(strings.TrimSpace(address)); u.Scheme == "ws" && !loopback(u.Hostname()) {
			return usage(fmt.Errorf("--channel %q: sends orders and the token in the clear: use wss://, or give --channel-insecure in a private network", address))
		}
	}
	return nil
}

// serveHealth listens for health checks if an address is given.
func serveHealth(address string, needs readiness, undo *cleanup) error {
	if address == "" {
		return nil
	}
	_, stop, err := listen("http", address, healthHandler(needs))
	if err != nil {
		return err
	}
	undo.add("health's listener", stop)
	return nil
}

// always is a part that needs nothing from outside.
func always(context.Context) error { return nil }
