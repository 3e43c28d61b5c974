package workertest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// process is a part of the product that runs as a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string   // what it says
	done  chan struct{} // closed when it has ended
	err   bytes.Buffer  // to be read after done only
}

// startChild starts this test binary again as a part of the product; the test's end kills it if it still runs.
func startChild(t *testing.T, p part, inherit ...*os.File) *process {
	t.Helper()
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
	cmd.Env = []string{childPart + "=" + string(body), "GORACE=atexit_sleep_ms=0"}
	cmd.ExtraFiles = inherit
	return launch(t, cmd)
}

func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, lines: make(chan string, 16), done: make(chan struct{})}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = in, &p.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = in.Close() // the child has it
	go p.listen(out)
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // its state tells more
	}()
	t.Cleanup(p.kill)
	return p
}

// listen hands on what the process says, as far as anybody takes it.
func (p *process) listen(out io.ReadCloser) {
	defer out.Close()
	defer close(p.lines)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		p.lines <- lines.Text()
	}
}

// says waits for a line.
func (p *process) says(want string) {
	p.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case line, more := <-p.lines:
			if line == want {
				return
			}
			if !more {
				<-p.done
				p.t.Fatalf("it ended without %q: %s", want, p.err.String())
			}
		case <-timer.C:
			p.t.Fatalf("waited %v in vain for %q", patience, want)
		}
	}
}

// signal fails only for a process that has ended.
func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill ends it as a crash does, and waits for its end.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// ended waits for its end and gives it.
func (p *process) ended() syscall.WaitStatus {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	case <-time.After(patience):
		p.signal(syscall.SIGQUIT) // it says where it is
		<-p.done
		p.t.Fatalf("it does not end within %v: %s", patience, p.err.String())
		return 0
	}
}

// killed waits until it has been killed; any other end is a failure.
func (p *process) killed() {
	p.t.Helper()
	if how := p.ended(); how.Signal() != syscall.SIGKILL {
		p.t.Errorf("it ended by itself (%v) before the point at which it should die: %s", how, p.err.String())
	}
}

// stop asks it to end, and expects it to do so well.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.endedWell()
}

// endedWell waits for its end and expects that it found all in order.
func (p *process) endedWell() {
	p.t.Helper()
	if how := p.ended(); !how.Exited() || how.ExitStatus() != 0 {
		p.t.Errorf("it ended with %v: %s", p.cmd.ProcessState, p.err.String())
	}
}
