package benchmark

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"autopurchase/internal/channel"
)

// As in production, NATS and whoever answers on the websocket are processes of their own: this program again, told by
// variables which part it is. A part says its address in one line and ends with its standard input.
const (
	partVar    = "AUTOPURCHASE_BENCH_PART"
	partArgVar = "AUTOPURCHASE_BENCH_PART_ARG"
)

// parts run until stop is closed.
var parts = map[string]func(arg string, ready func(address string), stop <-chan struct{}) error{
	"nats":  runNATS,
	"relay": runRelay,
	"peer":  runPeer,
}

// serveIfPart makes this process a part if it was started as one, and then never returns.
func serveIfPart() {
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

func runNATS(store string, ready func(string), stop <-chan struct{}) error {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: store, NoLog: true, NoSigs: true})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		return fmt.Errorf("NATS takes no connection")
	}
	ready(s.ClientURL())
	<-stop
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

func runRelay(takes string, ready func(string), stop <-chan struct{}) error {
	d, err := time.ParseDuration(takes)
	if err != nil {
		return err
	}
	return runWeb(channel.NewServer(channel.ServerConfig{Token: token, Desk: &desk{takes: d}}), ready, stop)
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

// start runs a part until the test ends and gives its address.
func start(t testing.TB, part, arg string) string {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), partVar+"="+part, partArgVar+"="+arg)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	t.Cleanup(func() {
		_ = in.Close()
		stuck := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
		defer stuck.Stop()
		if err := c.Wait(); err != nil {
			t.Errorf("%s: %v", part, err)
		}
	})
	if err != nil {
		t.Fatalf("%s says no address: %v", part, err)
	}
	return strings.TrimSpace(address)
}
