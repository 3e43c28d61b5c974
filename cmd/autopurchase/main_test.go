package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autopurchase/internal/benchmark"
	"autopurchase/internal/workertest"
)

// patience bounds every wait: a test that waits longer has failed.
const patience = 60 * time.Second

// workshop is the folder in which the program is built for the tests that run it as a process of its own.
var workshop string

func TestMain(m *testing.M) {
	benchmark.ServeIfPart()
	var err error
	if workshop, err = os.MkdirTemp("", "autopurchase-test-"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(workshop)
		os.Exit(code)
	}))
}

// build builds the program once.
var build = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(workshop, "autopurchase")
	return binary, workertest.Build(context.Background(), binary)
})

// process is the built program, running as a process of its own.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	done     chan struct{} // closed when it has ended
	out, err output
}

// passed are variables that programs get too, while a test that runs alone wants it.
var passed []string

// launch starts the program; the test's end kills it if it still runs.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	return launchIn(t, os.Getenv("PATH"), args...)
}

func launchIn(t *testing.T, path string, args ...string) *process {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatalf("go build: %v: %s", err, binary)
	}
	p := &process{t: t, cmd: exec.CommandContext(context.WithoutCancel(t.Context()), binary, args...), done: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + path, "TMPDIR=" + t.TempDir(), "HOME=" + t.TempDir()}, passed...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	ended, err := startChild(p.cmd)
	must(t, err)
	go func() {
		<-ended
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as a crash does.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.exit()
}

// stop asks the process to end and gives its exit code.
func (p *process) stop() int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.exit()
}

func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) } // fails only for a process that has ended

// exit waits for the process's end and gives its exit code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("%v does not end; it said:\n%s", p.cmd.Args[1:], p.err.String())
		return -1
	}
}

// says waits for a line of the log with the message and gives one of its fields.
func (p *process) says(message, field string) string {
	p.t.Helper()
	found := ""
	p.err.await(p.t, message, p.done, func(text string) bool {
		for line := range strings.Lines(text) {
			var said map[string]any
			if json.Unmarshal([]byte(line), &said) == nil && said["message"] == message {
				found, _ = said[field].(string)
				return true
			}
		}
		return false
	})
	return found
}

// output is what a process or a command has written so far.
type output struct {
	mu   sync.Mutex
	text strings.Builder
	grew chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.grew != nil {
		close(o.grew)
		o.grew = nil
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	text, _ := o.state()
	return text
}

// state gives the text and a channel that is closed when there is more.
func (o *output) state() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.grew == nil {
		o.grew = make(chan struct{})
	}
	return o.text.String(), o.grew
}

// await waits until the text is as wanted; it fails if the writer ends before.
func (o *output) await(t *testing.T, what string, ended <-chan struct{}, wanted func(string) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		text, more := o.state()
		if wanted(text) {
			return
		}
		select {
		case <-more:
		case <-ended:
			if text, _ = o.state(); !wanted(text) {
				t.Fatalf("it ended without %q:\n%s", what, text)
			}
			return
		case <-late:
			t.Fatalf("waited in vain for %q in:\n%s", what, text)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
