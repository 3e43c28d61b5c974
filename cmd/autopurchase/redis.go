package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"autopurchase/internal/keypool"
)

// The choices of --redis besides a URL.
const (
	redisAuto      = "auto"       // redis-server if it is on the PATH, else in-process
	redisServer    = "server"     // redis-server with AOF, in the data folder
	redisInProcess = "in-process" // for trying out: forgets everything when the process ends
)

// redisURLs is what the help says about the URL of a Redis.
const redisURLs = "redis://host:6379/0 | redis-sentinel://host:26379/0?master_name=NAME&addr=host2:26379 | redis-cluster://host:6379?addr=host2:6379; rediss for TLS. Behind Sentinels, user:password@ is what they ask for, and &username=USER&password=PASSWORD what Redis asks for"

func checkRedis(text string) error {
	if oneOf(redisAuto, redisServer, redisInProcess)(text) == nil {
		return nil
	}
	if !strings.Contains(text, "://") {
		return hidden{fmt.Errorf("must be %s, %s, %s or a URL", redisAuto, redisServer, redisInProcess)}
	}
	return checkRedisURL(text)
}

// checkRedisURL does not let the URL be repeated, which may hold a password.
func checkRedisURL(text string) error {
	if err := keypool.CheckURL(text); err != nil {
		return hidden{err}
	}
	return nil
}

// withoutPassword is a URL as it may be told.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(not told: it cannot be read)"
	}
	if query := u.Query(); query.Has("password") {
		query.Set("password", "xxxxx")
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}

// startRedis gives the URL of the Redis that was chosen and starts it if it is ours. durable is false for the in-process one.
func startRedis(ctx context.Context, choice string, data folder, undo *cleanup) (url string, durable bool, err error) {
	if choice == redisAuto {
		choice = redisInProcess
		if _, err := exec.LookPath("redis-server"); err == nil {
			choice = redisServer
		}
	}
	switch choice {
	case redisInProcess:
		url, err = startMiniredis(undo)
		return url, false, err
	case redisServer:
		url, err = startRedisServer(ctx, data, undo)
		return url, true, err
	default:
		return choice, true, nil
	}
}

func startMiniredis(undo *cleanup) (string, error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return "", fmt.Errorf("in-process Redis: %w", err)
	}
	undo.add("in-process Redis", func(context.Context) error { server.Close(); return nil })
	return "redis://" + server.Addr() + "/0", nil
}

// startRedisServer runs redis-server with an append-only file, so that a restart loses nothing.
func startRedisServer(ctx context.Context, data folder, undo *cleanup) (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", errors.New("--redis server: redis-server is not on the PATH; install it (Debian: apt-get install redis-server) or use --redis in-process")
	}
	dir := filepath.Join(data.path, "redis")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	for attempt := 1; ; attempt++ {
		url, err := runRedisServer(ctx, path, dir, data.lock, undo)
		if err == nil || attempt == portAttempts || ctx.Err() != nil {
			return url, err
		}
	}
}

// portAttempts is how often redis-server is started: between finding a free port and its listening there, another process
// may take the port.
const portAttempts = 3

func runRedisServer(ctx context.Context, path, dir string, lock *os.File, undo *cleanup) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := exec.CommandContext(context.WithoutCancel(ctx), path, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--logfile", filepath.Join(dir, "redis.log"))
	server.ExtraFiles = []*os.File{lock} // the folder stays locked until redis-server too has ended
	ended, err := startChild(server)
	if err != nil {
		return "", fmt.Errorf("redis-server: %w", err)
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	if err := answers(ctx, address, server, ended); err != nil {
		_ = server.Process.Kill() // fails only for a process that ended by itself
		<-ended
		return "", fmt.Errorf("redis-server did not start (see %s): %w", filepath.Join(dir, "redis.log"), err)
	}
	undo.add("redis-server", func(ctx context.Context) error { return stopProcess(ctx, server.Process, ended) })
	return "redis://" + address + "/0", nil
}

// answers waits until the process answers on the address, or ends. Another process's Redis on that address is not taken for
// it: the pool's keys would go there.
func answers(ctx context.Context, address string, server *exec.Cmd, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
	defer client.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		facts, err := client.Info(ctx, "server").Result()
		if err == nil && strings.Contains(facts, fmt.Sprintf("\nprocess_id:%d\r\n", server.Process.Pid)) {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended: %v", server.ProcessState)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func stopProcess(ctx context.Context, process *os.Process, ended <-chan struct{}) error {
	if err := process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.Join(process.Kill(), ctx.Err())
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}
