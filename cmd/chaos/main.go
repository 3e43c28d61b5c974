// Command chaos runs the whole system under load and faults, and ends with one line of JSON that judges it by the books of the
// simulated 1688. Exit 0 if every promise was kept, 1 if not, 2 for wrong usage.
package main

import (
	"context"
	"encoding/json"
	"errors"
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
	asked, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	fmt.Fprintln(stderr, asked.again)
	report, err := perform(ctx, asked.config, asked.keep)
	if err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	_ = json.NewEncoder(stdout).Encode(report) // an output that is gone cannot be told
	if !report.Right() {
		fmt.Fprintln(stderr, "a promise was broken; again:", asked.again)
		return 1
	}
	return 0
}

// asked is what the command line asks for.
type asked struct {
	config chaos.Config
	keep   bool
	again  string // the command that asks for the same
}

// parse reads the command line, and has told on stderr what is wrong with it when it returns an error.
func parse(args []string, stderr io.Writer) (asked, error) {
	a, kinds := asked{config: chaos.Config{Progress: stderr}}, ""
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&a.config.Binary, "binary", "bin/autopurchase", "the built `program`")
	flags.IntVar(&a.config.Orders, "orders", 2000, "purchase requests to publish")
	flags.IntVar(&a.config.Faults, "faults", 200, "faults to inject")
	flags.Uint64Var(&a.config.Seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "of the plan and of the requests; a new one each time if left out")
	flags.IntVar(&a.config.Workers, "workers", 4, "worker processes")
	flags.IntVar(&a.config.Relays, "relays", 2, "relay processes")
	flags.IntVar(&a.config.AtOnce, "at-once", 4, "faults at the same time")
	flags.StringVar(&kinds, "kinds", "", "only these `kinds` of faults, with commas between them; see go doc ./internal/chaos")
	flags.DurationVar(&a.config.Timeout, "timeout", 30*time.Minute, "after which it is judged as it is")
	flags.BoolVar(&a.keep, "keep", false, "keep the data and the logs, and say where")
	if err := flags.Parse(args); err != nil {
		return a, err
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "chaos: %q: only flags are understood\n", flags.Arg(0))
		return a, errors.New("arguments")
	}
	for kind := range strings.SplitSeq(kinds, ",") {
		if kind != "" {
			a.config.Kinds = append(a.config.Kinds, chaos.Kind(kind))
		}
	}
	a.again = again(flags)
	return a, nil
}

// again is the command that runs the same again, with every flag that was given but those about this machine.
func again(flags *flag.FlagSet) string {
	var args []string
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "binary", "keep", "orders", "faults", "seed":
		default:
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	value := func(name string) string { return flags.Lookup(name).Value.String() }
	command := fmt.Sprintf("make chaos ORDERS=%s FAULTS=%s SEED=%s", value("orders"), value("faults"), value("seed"))
	if len(args) > 0 {
		command += fmt.Sprintf(" ARGS=%q", strings.Join(args, " "))
	}
	return command
}

// perform runs in a folder of its own.
func perform(ctx context.Context, config chaos.Config, keep bool) (chaos.Report, error) {
	dir, err := os.MkdirTemp("", "autopurchase-chaos-")
	if err != nil {
		return chaos.Report{}, err
	}
	config.Dir = dir
	if keep {
		fmt.Fprintf(config.Progress, "data and logs stay in %s\n", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	return chaos.Run(ctx, config)
}
