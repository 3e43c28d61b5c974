package chaos

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
)

// The variables that make this program the NATS server of a run.
const (
	brokerStore  = "AUTOPURCHASE_CHAOS_NATS_STORE"
	brokerListen = "AUTOPURCHASE_CHAOS_NATS_LISTEN"
)

// ServeIfAsked makes this process the NATS server of a run if it was started as one, and then never returns. Every program
// that calls [Run] calls it first.
func ServeIfAsked() {
	store, asked := os.LookupEnv(brokerStore)
	if !asked {
		return
	}
	if err := serveBroker(store, os.Getenv(brokerListen)); err != nil {
		fmt.Fprintln(os.Stderr, "NATS of a chaos run:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveBroker writes every message through before it is acknowledged: it will be killed.
func serveBroker(store, address string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := zerolog.New(os.Stderr).With().Timestamp().Logger()
	server, err := bus.Embed(bus.EmbedConfig{StoreDir: store, Listen: address, SyncAlways: true, Log: log.Level(zerolog.InfoLevel)})
	if err != nil {
		return err
	}
	log.Info().Msg("NATS is up")
	<-ctx.Done()
	server.Shutdown()
	return nil
}
