package workertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
	"autopurchase/internal/keypool"
	"autopurchase/internal/relay"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// childPart is the variable by which this test binary, started again, learns which part of the product it is.
const childPart = "WORKERTEST_CHILD"

// TestMain makes the test binary a worker or a relay of its own when it is started as one.
func TestMain(m *testing.M) {
	logging.Disable() // the client of Redis says by itself what its callers are told
	if text, isChild := os.LookupEnv(childPart); isChild {
		if err := beChild(text); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// part says what a child process is and what it does to itself on its way.
type part struct {
	NATS, Redis, Channel, Gateway string
	// Relay makes it a relay, which listens on the socket that it inherits; otherwise it is a worker.
	Relay bool
	// Cashier makes it one that pays for orders.
	Cashier bool
	// DieAt are the points at which it kills itself, StopAt those at which it freezes until it is continued, once.
	DieAt, StopAt []string
	LookFor       time.Duration
	OnAbsent      worker.OnAbsent
	Concurrent    int           // requests handled at the same time; 0 takes the worker's default
	Grace         time.Duration // for what is running at SIGTERM; 0 takes the worker's default
}

func beChild(text string) error {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if p.Relay {
		return p.beRelay(ctx)
	}
	if p.Cashier {
		return p.beCashier(ctx)
	}
	return p.beWorker(ctx)
}

// beWorker is wired as the program's own worker is, with a fate in front of each port.
func (p part) beWorker(ctx context.Context) error {
	b, err := bus.Connect(ctx, bus.Config{URL: p.NATS, Name: "child"})
	if err != nil {
		return err
	}
	inbox, err := b.Inbox(ctx)
	if err != nil {
		return err
	}
	pool, err := keypool.Open(ctx, keypool.Config{URL: p.Redis})
	if err != nil {
		return err
	}
	f := newFate(p)
	client := channel.Dial(context.WithoutCancel(ctx), channel.ClientConfig{URL: p.Channel, Token: "token", CallTimeout: 2 * patience})
	w, err := worker.New(worker.Config{
		Instance: fmt.Sprint("child-", os.Getpid()), Concurrent: p.Concurrent, LookFor: p.LookFor,
		OnAbsent: p.OnAbsent, ProbeEvery: 10 * time.Millisecond, Grace: p.Grace,
	}, worker.Ports{
		Inbox: fatefulInbox{inbox, f}, Decode: f.decoder(schemas.DecodeRequest), Ledger: fatefulLedger{pool, f}, Stock: pool,
		Market: fatefulMarket{client, f}, Outbox: fatefulOutbox{b.Outbox(), f},
		Previewer: fatefulPreviewer{client, f}, Undrawn: fatefulUndrawn{pool, f},
		Choices: fatefulChoices{b.Choices(), f},
	})
	if err != nil {
		return err
	}
	w.Run(ctx)
	return b.Close()
}

// beRelay is wired as the program's own relay is, with a fate in front of its desk.
func (p part) beRelay(ctx context.Context) error {
	desk, err := relay.New(relay.Config{Gateway: p.Gateway, Keys: relayKeys()})
	if err != nil {
		return err
	}
	inherited := os.NewFile(3, "listener")
	listener, err := net.FileListener(inherited)
	if err != nil {
		return err
	}
	server := channel.NewServer(channel.ServerConfig{Token: "token", Desk: fatefulDesk{desk, newFate(p)}})
	front := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = front.Serve(listener) }() // it ends by Close only
	err = desk.Run(ctx)
	if draining := server.Shutdown(context.WithoutCancel(ctx)); draining != nil {
		return draining
	}
	return err // the listener ends with the process: closing it would wait for others that share its socket
}

// relayKeys are rigKeys with the secrets that the simulated platform knows.
func relayKeys() []relay.Key {
	var keys []relay.Key
	for _, appKey := range rigKeys {
		keys = append(keys, relay.Key{AppKey: appKey, Secret: "secret-" + appKey, RefreshToken: "refresh-" + appKey})
	}
	return keys
}

// wsURL is the address of the channel behind an http:// or bare address.
func wsURL(address string) string {
	return "ws://" + strings.TrimPrefix(address, "http://") + "/channel"
}
