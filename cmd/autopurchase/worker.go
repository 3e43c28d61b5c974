package main

import (
	"github.com/spf13/cobra"

	"autopurchase/internal/collector"
	"autopurchase/internal/metrics"
)

// newWorker runs one worker against stores and a relay that are elsewhere.
func newWorker(term terminal) *cobra.Command {
	var set workerSettings
	var nats natsSettings
	var redis redisSettings
	var http, level string
	return command(term, &cobra.Command{
		Use:   "worker",
		Short: "Run one worker; any number of them share the work",
		Example: "  autopurchase worker --nats nats://127.0.0.1:4222 --redis redis://127.0.0.1:6379 --channel ws://127.0.0.1:7700/channel\n" +
			"  autopurchase worker --redis 'redis-sentinel://10.0.0.1:26379/0?master_name=main&addr=10.0.0.2:26379' --channel wss://relay.example.com/channel\n" +
			"  autopurchase worker --redis 'redis-cluster://10.0.0.1:6379?addr=10.0.0.2:6379' --channel wss://relay.example.com/channel",
	}, func(s *settings) {
		set.bind(s)
		nats.bindClient(s)
		redis.bind(s, "redis://127.0.0.1:6379", "URL of Redis: ", checkRedisURL)
		set.channel.bind(s)
		s.text(&http, "http", "", "where /livez, /readyz and "+metrics.Path+" listen, such as 127.0.0.1:7710; empty for nowhere", orEmpty(anAddress))
		s.text(&level, "log", "info", "trace | debug | info | warn | error", checkLevel)
	}, func(cmd *cobra.Command, _ []string) (err error) {
		var undo cleanup
		defer func() { err = joinStop(err, undo.run(stopBudget)) }()
		ctx := cmd.Context()
		see, err := newWitness(ctx, term, "autopurchase-worker", level, &undo)
		if err != nil {
			return err
		}
		log := see.log
		collector.Ease(set.Concurrent)
		broker := nats.config("autopurchase-worker", log)
		broker.AckWait, broker.Replicas, broker.LaneShares = set.ackWait, set.replicas, set.lanes
		stores, err := openStores(ctx, see.broker(broker), see.redis(redis.config(redis.url)), &undo)
		if err != nil {
			return unbegun(ctx, err)
		}
		part, err := newWorkerPart(ctx, stores, set, see, &undo)
		if err != nil {
			return unbegun(ctx, err)
		}
		handler := healthHandler(part.readiness(), part.organs())
		handler.Handle("GET "+metrics.Path, see.metrics)
		if err := serveHealth(http, handler, &undo); err != nil {
			return err
		}
		log.Info().Int("workers", set.Concurrent).Msg("worker is up")
		part.run(ctx)
		return nil
	})
}
