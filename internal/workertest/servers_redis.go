package workertest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"autopurchase/internal/address"
)

// portAttempts is how often a start is tried again on another port: between finding a free port and redis-server binding
// it, another process may take it.
const portAttempts = 5

// RedisServer is a redis-server process with an append-only file (fsync every second) and no eviction, as production
// should have. Its folder and its port outlive a restart.
type RedisServer struct {
	URL  string // redis://127.0.0.1:port/0, the same for the server's whole life
	Addr string // 127.0.0.1:port

	t       testing.TB
	dir     string
	line    func(port string) []string // what comes after redis-server on its command line
	ready   string                     // what it prints when it takes connections
	process *exec.Cmd
	log     *redisLog
}

// Redis starts a redis-server and returns once it takes connections; the test fails if it does not, or if there is no
// redis-server on the PATH. The arguments come last on its command line, so they override the settings named at
// [RedisServer], for example Redis(t, "--maxmemory-policy", "allkeys-lru").
func Redis(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	return redisServer(t, func() []string { return args })
}

// RedisTLS is Redis that takes connections with TLS only, and asks for no certificate. URL begins with rediss.
func RedisTLS(t testing.TB, ca *CA, args ...string) *RedisServer {
	t.Helper()
	certFile, keyFile := ca.Certificate()
	s := &RedisServer{t: t, dir: t.TempDir(), ready: "Ready to accept connections"}
	s.open(func() func(port string) []string {
		return func(port string) []string {
			return append(append(s.settings("0"), "--tls-port", port, "--tls-cert-file", certFile, "--tls-key-file", keyFile,
				"--tls-ca-cert-file", ca.File, "--tls-auth-clients", "no"), args...)
		}
	})
	s.URL = "rediss://" + s.Addr + "/0"
	return s
}

// redisServer is Redis with arguments that are made anew for each try, since there may be ports among them.
func redisServer(t testing.TB, args func() []string) *RedisServer {
	t.Helper()
	s := &RedisServer{t: t, dir: t.TempDir(), ready: "Ready to accept connections"}
	return s.open(func() func(port string) []string {
		args := args()
		return func(port string) []string { return append(s.settings(port), args...) }
	})
}

// open starts a server for the first time, on a free port.
func (s *RedisServer) open(line func() func(port string) []string) *RedisServer {
	t := s.t
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not on the PATH: run make test, which installs it")
	}
	t.Cleanup(s.Kill)
	for range portAttempts {
		s.Addr, s.line = freeAddr(t), line()
		if s.start() {
			s.URL = "redis://" + s.Addr + "/0"
			return s
		}
	}
	t.Fatalf("redis-server did not start:\n%s", s.log.text())
	return nil
}

// Kill ends the process at once, as a crash does (SIGKILL). Killing a server that does not run does nothing.
func (s *RedisServer) Kill() { s.end(syscall.SIGKILL) }

// Stop lets the server write its files and end (SIGTERM). Stopping a server that does not run does nothing.
func (s *RedisServer) Stop() { s.end(syscall.SIGTERM) }

// Freeze stops the process in the middle of what it does (SIGSTOP): its connections stay and nothing answers. A frozen server
// can be killed.
func (s *RedisServer) Freeze() { _ = s.process.Process.Signal(syscall.SIGSTOP) }

// Restart stops the server if it runs and starts it on the same port and folder.
func (s *RedisServer) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.start() {
		s.t.Fatalf("redis-server did not start again on %s:\n%s", s.Addr, s.log.text())
	}
}

// start reports whether the server takes connections. If not, the process is gone.
func (s *RedisServer) start() bool {
	s.t.Helper()
	_, port, _ := strings.Cut(s.Addr, ":")
	process := exec.Command("redis-server", s.line(port)...)
	stdout, err := process.StdoutPipe()
	if err != nil {
		s.t.Fatalf("redis-server: %v", err)
	}
	process.Stderr = process.Stdout // a wrong setting is named there
	if err := process.Start(); err != nil {
		s.t.Fatalf("redis-server: %v", err)
	}
	s.process, s.log = process, readRedisLog(stdout, s.ready)
	select {
	case <-s.log.ready:
		return true
	case <-s.log.ended:
	case <-time.After(startTimeout):
	}
	s.Kill()
	return false
}

func (s *RedisServer) settings(port string) []string {
	return []string{
		"--bind", loopback, "--port", port, "--dir", s.dir, "--daemonize", "no",
		"--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
	}
}

// end waits for the log first: reading from the pipe must be over before Wait closes it.
func (s *RedisServer) end(signal os.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(signal) // fails only for a process that ended by itself
	<-s.log.ended
	_ = s.process.Wait() // the exit status of a server told to end says nothing
	s.process = nil
}

// redisLog follows what a redis-server prints. It keeps all of it: a test's server prints a few dozen lines.
type redisLog struct {
	ready chan struct{} // closed when the server takes connections
	ended chan struct{} // closed when the process has closed its output
	lines []string      // to be read after ended only
}

func readRedisLog(r io.Reader, ready string) *redisLog {
	l := &redisLog{ready: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		announced := false
		for lines := bufio.NewScanner(r); lines.Scan(); {
			l.lines = append(l.lines, lines.Text())
			if !announced && strings.Contains(lines.Text(), ready) {
				announced = true
				close(l.ready)
			}
		}
	}()
	return l
}

// text is the log of a process that has ended.
func (l *redisLog) text() string {
	<-l.ended
	return strings.Join(l.lines, "\n")
}

// freeAddr is a loopback address that stays its server's while that is started again.
func freeAddr(t testing.TB) string {
	t.Helper()
	free, err := address.Free()
	if err != nil {
		t.Fatal(err)
	}
	return free
}
