// Command chaos runs the whole system under load and faults, and ends with one line of JSON that judges it by the books of the
// simulated 1688. Exit 0 if every promise was kept, 1 if not, 2 for wrong usage.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"autopurchase/internal/chaos"
)

func main() {
	chaos.ServeIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	config := chaos.Config{Progress: stderr}
	keep, kinds := false, ""
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&config.Binary, "binary", "bin/autopurchase", "the built `program`")
	flags.IntVar(&config.Orders, "orders", 2000, "purchase requests to publish")
	flags.IntVar(&config.Faults, "faults", 200, "faults to inject")
	flags.Uint64Var(&config.Seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "of the plan and of the requests; a new one each time if left out")
	flags.IntVar(&config.Workers, "workers", 4, "worker processes")
	flags.IntVar(&config.Relays, "relays", 2, "relay processes")
	flags.IntVar(&config.AtOnce, "at-once", 4, "faults at the same time")
	flags.BoolVar(&config.Flush, "flush", false, "also FLUSHALL Redis")
	flags.StringVar(&kinds, "kinds", "", "only these `kinds` of faults, with commas between them; see go doc ./internal/chaos")
	flags.DurationVar(&config.Timeout, "timeout", 30*time.Minute, "after which it is judged as it is")
	flags.BoolVar(&keep, "keep", false, "keep the data and the logs, and say where")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return 2
	}
	for kind := range strings.SplitSeq(kinds, ",") {
		if kind != "" {
			config.Kinds = append(config.Kinds, chaos.Kind(kind))
		}
	}
	report, err := perform(ctx, config, keep)
	if err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	_ = json.NewEncoder(stdout).Encode(report) // an output that is gone cannot be told
	if !report.Right() {
		fmt.Fprintf(stderr, "a promise was broken; again with SEED=%d\n", report.Seed)
		return 1
	}
	return 0
}

// perform runs in a folder of its own.
func perform(ctx context.Context, config chaos.Config, keep bool) (chaos.Report, error) {
	dir, err := os.MkdirTemp("", "autopurchase-chaos-")
	if err != nil {
		return chaos.Report{}, err
	}
	config.Dir = dir
	fmt.Fprintf(config.Progress, "seed %d\n", config.Seed)
	if keep {
		fmt.Fprintf(config.Progress, "data and logs stay in %s\n", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	return chaos.Run(ctx, config)
}
