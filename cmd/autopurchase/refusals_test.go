package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"autopurchase/internal/workertest"
)

// complaint gives the one line on stderr that is a command's complaint; the log's lines and progress are not counted.
func complaint(t *testing.T, stderr string) string {
	t.Helper()
	var said []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "published: ") && !strings.HasPrefix(line, "results: ") {
			said = append(said, line)
		}
	}
	if len(said) != 1 || !strings.HasPrefix(said[0], "autopurchase: ") {
		t.Errorf("not one line of complaint: %q", said)
		return stderr
	}
	return said[0]
}

// refused runs a command that must say in one line why it does not work.
func refused(t *testing.T, want int, say []string, args ...string) {
	t.Helper()
	code, out, errs := execute(t, nil, args...)
	said := complaint(t, errs)
	if code != want || out != "" {
		t.Errorf("%v: exit %d, want %d; stdout %q", args, code, want, out)
	}
	for _, text := range say {
		if !strings.Contains(said, text) {
			t.Errorf("%v: %q is missing in: %s", args, text, said)
		}
	}
}

// taken is an address of loopback on which somebody listens.
func taken(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { must(t, listener.Close()) })
	return listener.Addr().String()
}

// nowhere is an address of loopback on which nobody listens.
func nowhere(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	must(t, listener.Close())
	return listener.Addr().String()
}

func TestAPortInUse(t *testing.T) {
	t.Parallel()
	address := taken(t)
	keys, _ := writeKeys(t, 1)
	for flag, args := range map[string][]string{
		"--http":            {"demo", "--redis", "in-process", "--requests", "1"},
		"--listen":          {"demo", "--redis", "in-process", "--requests", "1"},
		"--gateway-listen":  {"sim", "--keys-file", keys},
		"--messages-listen": {"sim", "--keys-file", keys, "--gateway-listen", "127.0.0.1:0"},
		"--admin-listen":    {"sim", "--keys-file", keys, "--gateway-listen", "127.0.0.1:0", "--messages-listen", "127.0.0.1:0"},
	} {
		refused(t, exitFailed, []string{address, "another process", flag}, append(args, flag, address)...)
	}
	for _, flag := range []string{"--listen", "--http"} {
		refused(t, exitFailed, []string{address, "another process", flag}, "relay", "--keys-file", keys, "--listen", "127.0.0.1:0", flag, address)
	}
}

func TestServersThatWillNotDo(t *testing.T) {
	t.Parallel()
	nats, plain := workertest.NATS(t).URL, workertest.NATS(t, func(o *server.Options) { o.JetStream = false }).URL
	evicting := workertest.Redis(t, "--maxmemory-policy", "allkeys-lru").URL
	closed := nowhere(t)
	requests, _ := sampleFile(t, "PR", 1)

	refused(t, exitFailed, []string{"maxmemory-policy noeviction", "allkeys-lru"}, "worker", "--nats", nats, "--redis", evicting)
	refused(t, exitFailed, []string{"maxmemory-policy noeviction"}, "demo", "--nats", nats, "--redis", evicting, "--requests", "1")
	p := launch(t, "worker", "--nats", nats, "--redis", "redis://"+closed) // a process: nothing else may write to stderr either
	if code, said := p.exit(), complaint(t, p.err.String()); code != exitFailed || !strings.Contains(said, closed) || !strings.Contains(said, "redis") {
		t.Errorf("exit %d, %s", code, said)
	}
	for _, args := range [][]string{{"worker"}, {"publish", requests}, {"watch"}, {"keys", "list"}, {"demo", "--redis", "in-process"}} {
		refused(t, exitFailed, []string{plain, "has no JetStream: start nats-server with -js"}, append(args, "--nats", plain)...)
		refused(t, exitFailed, []string{closed, "is it running there?"}, append(args, "--nats", "nats://"+closed)...)
	}
}

// TestNobodyIsThereYet: NATS runs and no worker has ever been started on it.
func TestNobodyIsThereYet(t *testing.T) {
	t.Parallel()
	nats := workertest.NATS(t).URL
	requests, _ := sampleFile(t, "PR", 1)
	refused(t, exitFailed, []string{"worker"}, "keys", "list", "--nats", nats)
	refused(t, exitFailed, []string{"worker"}, "keys", "add", "1000001", "--nats", nats)
	refused(t, exitFailed, []string{"worker"}, "watch", "--nats", nats)
	refused(t, exitFailed, []string{"worker"}, "publish", requests, "--nats", nats)
}

func TestAFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, _ := writeKeys(t, 1)
	var undo cleanup
	_, err := openFolder(t.Context(), dir, &undo)
	must(t, err)
	t.Cleanup(func() { must(t, undo.run(stopBudget)) })
	refused(t, exitFailed, []string{"--data " + dir, "another process holds this folder", "choose another"}, "up", "--data", dir, "--keys-file", keys)
	file := write(t, "file", nil)
	refused(t, exitFailed, []string{"--data " + file, "cannot be made"}, "up", "--data", file, "--keys-file", keys)
}

func TestFilesThatWillNotDo(t *testing.T) {
	t.Parallel()
	keys, _ := writeKeys(t, 1)
	must(t, os.Chmod(keys, 0o644))
	missing := keys + "-not"
	dir := t.TempDir()
	for _, args := range [][]string{{"relay"}, {"up", "--data", dir}} {
		refused(t, exitUsage, []string{"--keys-file", keys, "0644", "chmod 600"}, append(args, "--keys-file", keys)...)
		refused(t, exitUsage, []string{"--keys-file", missing, "no such file"}, append(args, "--keys-file", missing)...)
	}
	refused(t, exitUsage, []string{"--keys-file", "--identity", "are required"}, "relay")
	refused(t, exitUsage, []string{"--identity: is required with --redis"}, "relay", "--redis", "redis://127.0.0.1:1")
	refused(t, exitUsage, []string{"--redis: is required with --identity"}, "relay", "--identity", missing)
	refused(t, exitUsage, []string{"--identity", missing, "no such file"}, "relay", "--redis", "redis://127.0.0.1:1", "--identity", missing)
	refused(t, exitUsage, []string{"--identity", keys, "0644", "chmod 600"}, "relay", "--redis", "redis://127.0.0.1:1", "--identity", keys)
	refused(t, exitUsage, []string{"--keys-file", missing}, "sim", "--keys-file", missing)
	refused(t, exitUsage, []string{missing}, "publish", missing)
	refused(t, exitUsage, []string{"--channel-token-file", missing}, "worker", "--channel-token-file", missing)
	broken := write(t, "broken.json", []byte(`{"keys":[{"app_key":"1000001","secret":"`+markerSecret+`","refresh_token":5}]}`))
	for _, command := range []string{"relay", "sim"} {
		code, _, errs := execute(t, nil, command, "--keys-file", broken)
		if code != exitUsage || strings.Contains(errs, markerSecret) {
			t.Errorf("%s: exit %d, %s", command, code, errs)
		}
	}
}

func TestNoRedisServerOnThePath(t *testing.T) {
	t.Parallel()
	p := launchIn(t, t.TempDir(), "demo", "--redis", "server", "--requests", "1")
	if code := p.exit(); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if said := complaint(t, p.err.String()); !strings.Contains(said, "--redis server: redis-server is not on the PATH; install it") {
		t.Error(said)
	}
	// Left to choose, the demo takes the in-process one and says so.
	p = launchIn(t, t.TempDir(), "demo", "--requests", "1")
	if code := p.exit(); code != exitOK || !strings.Contains(p.err.String(), "in-process Redis: for trying out") {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
}

// TestARedisServerThatEnds: its own log says why, so the complaint names that.
func TestARedisServerThatEnds(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	must(t, os.WriteFile(filepath.Join(path, "redis-server"), []byte("#!/bin/sh\nexit 3\n"), 0o700))
	p := launchIn(t, path, "demo", "--redis", "server", "--requests", "1")
	code, said := p.exit(), complaint(t, p.err.String())
	if code != exitFailed || !strings.Contains(said, "redis-server did not start (see /") || !strings.Contains(said, "redis.log): it ended: exit status 3") {
		t.Errorf("exit %d, %s", code, said)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"demo", "--http", "nonsense"}, {"demo", "--listen", "127.0.0.1:70000"}, {"demo", "--listen", "0.0.0.0:0"}, {"up", "--listen", ":7700"},
		{"relay", "--listen", "7700"}, {"relay", "--http", "127.0.0.1"}, {"worker", "--http", "x:y"}, {"sim", "--admin-listen", "8803"},
	} {
		flag, value := args[1], args[2]
		refused(t, exitUsage, []string{flag, `"` + value + `"`, "must be"}, args...)
	}
}

// TestAnotherRedisIsNotTakenForOurs: a redis-server that loses its port to another one must not seem to answer there.
func TestAnotherRedisIsNotTakenForOurs(t *testing.T) {
	t.Parallel()
	other := workertest.Redis(t)
	ended := make(chan struct{})
	close(ended)
	mine := &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := answers(ctx, other.Addr, mine, ended); err == nil || !strings.Contains(err.Error(), "it ended") {
		t.Errorf("%v", err)
	}
}
