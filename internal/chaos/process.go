package chaos

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// restartAfter is the pause before a process that ended is started again.
const restartAfter = 100 * ms

// process is a program that is started again whenever it ends, as a service manager does.
type process struct {
	name string
	path string
	args []string
	env  []string
	log  string // file of what it writes
	died func(text string)

	mu      sync.Mutex
	running *os.Process // nil while it does not run
	told    bool        // to end, since it was started
	hold    time.Time   // not started again before
	started int
}

// run keeps the process running until ctx ends, and returns when it is gone. One goroutine's thread starts it every time:
// Linux ends a child with the thread that started it.
func (p *process) run(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for ctx.Err() == nil {
		p.once(ctx)
		p.mu.Lock()
		pause := max(restartAfter, time.Until(p.hold))
		p.mu.Unlock()
		wait(ctx, pause)
	}
}

func (p *process) once(ctx context.Context) {
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.died(fmt.Sprintf("%s: %v", p.name, err))
		return
	}
	defer file.Close()
	said := &tail{to: file}
	child := exec.CommandContext(ctx, p.path, p.args...)
	child.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(p.log), "TMPDIR=" + filepath.Dir(p.log)}, p.env...)
	child.Stdout, child.Stderr = said, said
	child.SysProcAttr = childAttributes()
	child.WaitDelay = time.Second
	if err := p.start(child); err != nil {
		p.died(fmt.Sprintf("%s: %v", p.name, err))
		return
	}
	err = child.Wait()
	p.ended(ctx, said, err)
}

func (p *process) start(child *exec.Cmd) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := child.Start(); err != nil {
		return err
	}
	p.running, p.told = child.Process, false
	p.started++
	return nil
}

// ended tells of an end that nobody asked for. One that was never up has found something missing, and is tried again.
func (p *process) ended(ctx context.Context, said *tail, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	if crashed := said.crashed(); ctx.Err() == nil && (crashed || said.up && !p.told) {
		p.died(fmt.Sprintf("%s ended by itself (%v): %s", p.name, err, said.last))
	}
}

// signal sends to the process, if it runs. One that ends by it is started again after the pause.
func (p *process) signal(s syscall.Signal, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s == syscall.SIGKILL || s == syscall.SIGTERM {
		p.told = true
		p.hold = time.Now().Add(pause)
	}
	if p.running != nil {
		_ = p.running.Signal(s) // fails only if it has ended
	}
}

// tail keeps the end of what a process writes, and notes whether it was ever up.
type tail struct {
	to   io.Writer
	last []byte
	up   bool
}

const tailLength = 2000

func (t *tail) Write(text []byte) (int, error) {
	t.last = append(t.last, text...)
	t.up = t.up || bytes.Contains(t.last, []byte(" is up"))
	t.last = bytes.Clone(t.last[max(0, len(t.last)-tailLength):])
	return t.to.Write(text)
}

func (t *tail) crashed() bool {
	return bytes.Contains(t.last, []byte("\ngoroutine ")) || bytes.Contains(t.last, []byte("DATA RACE"))
}

// wait returns after d, or as soon as ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
