package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work has got: a bar on a terminal, a plain line now and then elsewhere.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	what  string
	total int
	done  int
	said  time.Time
	bar   *progressbar.ProgressBar
}

// sayEvery is how often a plain line is written.
const sayEvery = 2 * time.Second

func newProgress(out io.Writer, what string, total int) *progress {
	p := &progress{out: out, what: what, total: total, said: time.Now()}
	if isTerminal(out) {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(65*time.Millisecond), progressbar.OptionFullWidth(),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(out) }))
	}
	return p
}

// reach says that so much is done. Safe for concurrent use.
func (p *progress) reach(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done <= p.done {
		return
	}
	p.done = done
	switch {
	case p.bar != nil:
		_ = p.bar.Set(done)
	case done >= p.total || time.Since(p.said) >= sayEvery:
		p.said = time.Now()
		fmt.Fprintf(p.out, "%s: %d of %d\n", p.what, done, p.total)
	}
}
