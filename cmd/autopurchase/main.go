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

	"autopurchase/internal/benchmark"
)

func main() {
	benchmark.ServeIfPart()
	logging.Disable() // go-redis writes to stderr by itself what its errors say anyway
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go heed(signals, stop, os.Exit)
	os.Exit(run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv}))
}

// heed stops the command at the first signal, and ends the process at once at the second: the claims say how far it got. The
// exit code is a shell's for a process that died of the signal. It is not left to the signal itself, which does nothing to the
// first process of a container.
func heed(signals <-chan os.Signal, stop func(), exit func(int)) {
	<-signals
	stop()
	if again, ok := (<-signals).(syscall.Signal); ok {
		exit(128 + int(again))
	}
}
