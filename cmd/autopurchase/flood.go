package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	floodFirst  = 10               // lines of one kind that are written as they come
	floodPeriod = 10 * time.Second // then one line a period, until there was a period without any
	floodKinds  = 1000             // that are told apart; of further ones every line is written
)

// flood keeps one complaint that comes again and again from filling a log: of warnings and errors with the same message and code
// the first few are written as they come, and then the latest one of each period, with how many were left out before it. Nothing
// below a warning is touched. It is safe for concurrent use.
type flood struct {
	out io.Writer

	mutex sync.Mutex
	kinds map[string]*streak
}

// streak are lines of one kind.
type streak struct {
	written int
	left    int    // out, since the last one that was written
	latest  []byte // of those
	over    *time.Timer
}

func newFlood(out io.Writer) *flood { return &flood{out: out, kinds: map[string]*streak{}} }

// Write takes a line of no level.
func (f *flood) Write(line []byte) (int, error) { return f.WriteLevel(zerolog.NoLevel, line) }

// WriteLevel takes a line; see zerolog.LevelWriter.
func (f *flood) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if level < zerolog.WarnLevel || level > zerolog.ErrorLevel {
		return f.out.Write(line)
	}
	s := f.streak(kindOf(line))
	if s == nil || s.written < floodFirst {
		if s != nil {
			s.written++
		}
		return f.out.Write(line)
	}
	s.left++
	s.latest = append(s.latest[:0], line...)
	return len(line), nil
}

// kindOf is what lines have in common that say the same: not whom it is about.
func kindOf(line []byte) string {
	var said struct{ Level, Message, Code string }
	_ = json.Unmarshal(line, &said) // a line that is none has a kind too
	return said.Level + "\x00" + said.Message + "\x00" + said.Code
}

// streak gives that of a kind; nil if there are too many kinds.
func (f *flood) streak(kind string) *streak {
	s := f.kinds[kind]
	if s == nil && len(f.kinds) < floodKinds {
		s = &streak{}
		s.over = time.AfterFunc(floodPeriod, func() { f.period(kind, s) })
		f.kinds[kind] = s
	}
	return s
}

// period ends one: it writes what was left out, or forgets a kind of which nothing came.
func (f *flood) period(kind string, s *streak) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.kinds[kind] != s {
		return // it was flushed
	}
	if s.left == 0 {
		delete(f.kinds, kind)
		return
	}
	f.tell(s)
	s.over.Reset(floodPeriod)
}

// tell writes the latest line with how many others were left out.
func (f *flood) tell(s *streak) {
	line := bytes.TrimSuffix(bytes.TrimSuffix(s.latest, []byte("\n")), []byte("}"))
	line = append(strconv.AppendInt(append(line, `,"left_out":`...), int64(s.left-1), 10), "}\n"...)
	_, _ = f.out.Write(line)
	s.left = 0
}

// flush writes what was left out so far, and begins anew.
func (f *flood) flush() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, s := range f.kinds {
		s.over.Stop()
		if s.left > 0 {
			f.tell(s)
		}
	}
	clear(f.kinds)
}
