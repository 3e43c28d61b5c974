package workertest

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// loopback is the only address that a test may listen on or dial.
const loopback = "127.0.0.1"

// startTimeout bounds how long a server may take to answer. It is generous because packages are tested side by side.
const startTimeout = 30 * time.Second

// NATSServer is a NATS server with JetStream inside the test process. Its file store and its port outlive a restart.
type NATSServer struct {
	URL string // nats://127.0.0.1:port, the same for the server's whole life

	t       testing.TB
	options *server.Options
	running *server.Server
}

// SyncAlways makes [NATS] write every message to the disk before it is acknowledged, as production should.
func SyncAlways(o *server.Options) { o.SyncAlways = true }

// NATSConf makes [NATS] take accounts, users and TLS from a configuration file; where it listens and stores stays the test's.
func NATSConf(t testing.TB, file string) func(*server.Options) {
	t.Helper()
	configured, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *server.Options) {
		configured := configured.Clone() // of each server its own
		o.Accounts, o.Nkeys, o.SyncAlways = configured.Accounts, configured.Nkeys, configured.SyncAlways
		o.TLS, o.TLSVerify, o.TLSConfig, o.TLSTimeout = configured.TLS, configured.TLSVerify, configured.TLSConfig, configured.TLSTimeout
	}
}

// NATS starts a server and returns once it takes connections; the test fails if it does not. Each option may change the
// server's settings before the first start.
func NATS(t testing.TB, options ...func(*server.Options)) *NATSServer {
	t.Helper()
	_, text, _ := net.SplitHostPort(freeAddr(t))
	port, _ := strconv.Atoi(text)
	o := &server.Options{
		Host:      loopback,
		Port:      port,
		JetStream: true,
		StoreDir:  t.TempDir(),
		NoLog:     true,
		NoSigs:    true,
	}
	for _, option := range options {
		option(o)
	}
	s := &NATSServer{t: t, options: o}
	t.Cleanup(s.Stop)
	s.start()
	s.URL = s.running.ClientURL()
	return s
}

// Reload has the server take other settings while it runs, as it does on a signal; the test fails if it refuses.
func (s *NATSServer) Reload(option func(*server.Options)) {
	s.t.Helper()
	option(s.options)
	if err := s.running.ReloadOptions(s.options.Clone()); err != nil {
		s.t.Fatalf("nats-server: %v", err)
	}
}

// Stop shuts the server down and waits for its goroutines and files. Connected clients lose their connection.
// Stopping a stopped server does nothing.
func (s *NATSServer) Stop() {
	if s.running == nil {
		return
	}
	s.running.Shutdown()
	s.running.WaitForShutdown()
	s.running = nil
}

// Restart stops the server if it runs and starts it on the same port and store.
func (s *NATSServer) Restart() {
	s.t.Helper()
	s.Stop()
	s.start()
}

func (s *NATSServer) start() {
	s.t.Helper()
	running, err := server.NewServer(s.options.Clone()) // the server writes into its options
	if err != nil {
		s.t.Fatalf("nats-server: %v", err)
	}
	s.running = running
	running.Start()
	if !running.ReadyForConnections(startTimeout) {
		s.t.Fatalf("nats-server took no connection within %v", startTimeout)
	}
	s.options.Port = running.Addr().(*net.TCPAddr).Port
}
