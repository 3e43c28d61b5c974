// Command autopurchase buys on 1688.com what it is asked for by messages: an event-driven purchase queue worker.
//
// It is one binary with a command for each part: up and demo run everything on one machine; worker, relay and sim are the
// parts on their own; publish, watch and keys are for people. This package is the shell around them: flags and environment
// in, exit code out. What a command does is in the packages that it wires together.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
)

func main() {
	logging.Disable() // go-redis writes to stderr by itself what its errors say anyway
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once: the claims say how far it got
	code := run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv})
	stop()
	os.Exit(code)
}
