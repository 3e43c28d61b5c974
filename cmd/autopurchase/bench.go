package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/benchmark"
)

// benchSettings are those of a measurement.
type benchSettings struct {
	benchmark.Options
	nats     natsSettings
	redis    redisSettings
	data     string
	sync     bool
	replicas int
	json     bool
}

// newBench measures an installation.
func newBench(term terminal) *cobra.Command {
	var set benchSettings
	return command(term, &cobra.Command{
		Use:   "bench",
		Short: "Measure this installation: purchases a second, how long each takes, beside a bare loop that does the same I/O",
		Long: "Buys from a stand-in for 1688 that answers at once, with the NATS and the Redis that you name: whole purchases, from the stream\n" +
			"of requests to the acknowledgement, beside a bare loop that does the same input and output and has no logic, in turns. Then how\n" +
			"long a purchase takes where half as many come as can be taken, and what it needs of memory and of the network. 1688 is not called.\n" +
			"Streams, subjects and key pool are its own, with a random name, and removed at the end; what a killed run left is removed by the\n" +
			"next. It takes what the servers can give: others who use them will feel it. The NATS user must be allowed to make streams.",
		Example: "  autopurchase bench\n  autopurchase bench --nats nats://127.0.0.1:4222 --redis redis://127.0.0.1:6379 --json",
	}, func(s *settings) {
		set.nats.bind(s, "", "measure this NATS instead of one of its own; URLs of several servers with commas between them")
		set.redis.bind(s, redisAuto, "in-process | server | URL; auto takes redis-server if it is on the PATH; URLs: ", checkRedis)
		s.text(&set.data, "data", "", "folder on the disk to measure, for servers of its own; a temporary one if left out")
		s.flag(&set.sync, "sync", "have its own NATS write each message through to the disk before it is acknowledged, as up does")
		s.number(&set.replicas, "replicas", 1, 1, 5, "on how many NATS servers each message is stored")
		s.number(&set.Concurrent, "workers", 64, 1, 4096, "requests handled at the same time")
		s.number(&set.Pairs, "pairs", 7, 1, 99, "runs of each side; fewer are made if the time is over before")
		s.duration(&set.For, "for", 30*time.Second, time.Second, "about how long to measure; a slow installation takes longer, by a minute at most")
		s.flag(&set.json, "json", "print the report as one JSON object")
	}, func(cmd *cobra.Command, _ []string) error { return runBench(cmd.Context(), term, set) })
}

// benchGrace is how much longer than asked for a measurement may take.
const benchGrace = time.Minute

func runBench(ctx context.Context, term terminal, set benchSettings) (err error) {
	var undo cleanup
	defer func() { err = joinStop(err, undo.run(stopBudget)) }()
	config, durable, err := benchServers(ctx, set, &undo)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, set.For+benchGrace, fmt.Errorf("not done %v after the time was over: this installation is too slow for --for %v", benchGrace, set.For))
	defer cancel()
	rig, err := benchmark.Open(bounded, config)
	undo.add("measurement", rig.Close)
	if err != nil {
		return unbegun(ctx, err)
	}
	if !durable {
		fmt.Fprintln(term.err, "in-process Redis: its figures, and the allocations, say nothing of a real one")
	}
	var bar *progress
	set.Told = func(done, total int) {
		if bar == nil {
			bar = newProgress(term.err, "measured", total)
		}
		bar.reach(done)
	}
	report, err := rig.Measure(bounded, set.Options)
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped before everything was measured")
	case err != nil:
		return err
	case set.json:
		return json.NewEncoder(term.out).Encode(report)
	}
	return report.Write(term.out)
}

// benchServers are the servers to measure; it starts those that are not named.
func benchServers(ctx context.Context, set benchSettings, undo *cleanup) (config benchmark.Config, durable bool, err error) {
	config = benchmark.Config{NATS: set.nats.config("autopurchase-bench", zerolog.Nop()), Place: benchmark.NewPlace()}
	config.NATS.Replicas = set.replicas
	data := folder{path: set.data}
	if config.NATS.URL == "" || set.redis.url == redisAuto || set.redis.url == redisServer {
		if data, err = openFolder(ctx, set.data, undo); err != nil {
			return config, false, err
		}
	}
	if config.NATS.URL == "" {
		if config.NATS.URL, err = startBenchNATS(data, set.sync, undo); err != nil {
			return config, false, err
		}
	}
	redisURL, durable, err := startRedis(ctx, set.redis.url, data, undo)
	if err != nil {
		return config, false, err
	}
	config.Redis = set.redis.config(redisURL)
	config.Redis.Log = zerolog.Nop()
	return config, durable, nil
}

// startBenchNATS runs a NATS as a process of its own, as in production.
func startBenchNATS(data folder, sync bool, undo *cleanup) (url string, err error) {
	part := benchmark.NATS
	if sync {
		part = benchmark.NATSSync
	}
	url, stop, err := benchmark.Start(part, filepath.Join(data.path, "nats"))
	if err != nil {
		return "", fmt.Errorf("NATS of its own: %w", err)
	}
	undo.add("NATS", stop)
	return url, nil
}
