package benchmark

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/internal/channel"
)

// As in production, NATS and whoever answers on the websocket are processes of their own: this program again, told by
// variables which part it is. A part says its address in one line and ends with its standard input.
const (
	partVar    = "AUTOPURCHASE_BENCH_PART"
	partArgVar = "AUTOPURCHASE_BENCH_PART_ARG"
)

// The parts. NATS takes the folder of its store, NATSSync too, and writes each message through to the disk before it is
// acknowledged.
const (
	NATS     = "nats"
	NATSSync = "nats-sync"

	relayPart = "relay" // takes how long the platform takes
	peerPart  = "peer"  // takes the length of an answer
)

// parts run until stop is closed.
var parts = map[string]func(arg string, ready func(address string), stop <-chan struct{}) error{
	NATS: func(store string, ready func(string), stop <-chan struct{}) error {
		return runNATS(store, false, ready, stop)
	},
	NATSSync: func(store string, ready func(string), stop <-chan struct{}) error {
		return runNATS(store, true, ready, stop)
	},
	relayPart: runRelay,
	peerPart:  runPeer,
}

// ServeIfPart makes this process a part if Start started it as one, and then never returns. A program calls it before anything else.
func ServeIfPart() {
	run, asked := parts[os.Getenv(partVar)]
	if !asked {
		return
	}
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it, or has ended
		close(stop)
	}()
	if err := run(os.Getenv(partArgVar), func(address string) { fmt.Println(address) }, stop); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runNATS(store string, sync bool, ready func(string), stop <-chan struct{}) error {
	s, err := bus.Embed(bus.EmbedConfig{StoreDir: store, SyncAlways: sync, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	ready(s.ClientURL())
	<-stop
	s.Shutdown()
	return nil
}

func runRelay(takes string, ready func(string), stop <-chan struct{}) error {
	d, err := time.ParseDuration(takes)
	if err != nil {
		return err
	}
	return runWeb(channel.NewServer(channel.ServerConfig{Token: token, Desk: &desk{takes: d}, MaxInFlight: 1 << 14}), ready, stop)
}

func runPeer(length string, ready func(string), stop <-chan struct{}) error {
	n, err := strconv.Atoi(length)
	if err != nil {
		return err
	}
	return runWeb(peer(n), ready, stop)
}

func runWeb(handler http.Handler, ready func(string), stop <-chan struct{}) error {
	web := httptest.NewServer(handler)
	ready("ws" + strings.TrimPrefix(web.URL, "http"))
	<-stop
	return nil
}

// Start starts a part and gives its address. stop ends it and waits until it has ended. A terminal's Ctrl-C does not reach it: it is
// needed until what was made there is removed.
func Start(part, arg string) (address string, stop func(context.Context) error, err error) {
	c := exec.Command(os.Args[0]) //nolint:noctx // stop ends it, also after the context of who started it
	c.Env = append(os.Environ(), partVar+"="+part, partArgVar+"="+arg)
	c.Stderr, c.SysProcAttr = os.Stderr, apartFromTerminal()
	in, err := c.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := c.Start(); err != nil {
		return "", nil, err
	}
	stop = func(ctx context.Context) error {
		_ = in.Close()
		defer context.AfterFunc(ctx, func() { _ = c.Process.Kill() })()
		if err := c.Wait(); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		return nil
	}
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = stop(context.Background())
		return "", nil, fmt.Errorf("%s says no address: %w", part, err)
	}
	return strings.TrimSpace(address), stop, nil
}
