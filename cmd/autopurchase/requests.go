package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// maxLine is the longest request a file may hold, in bytes: the broker takes no more.
const maxLine = 1 << 20

// written is one request of a file, as it stands there.
type written struct {
	line int // of its beginning, from 1
	body []byte
}

// readRequests gives the requests of a file: one JSON object a line (NDJSON), or one JSON array. What cannot be cut into
// requests ends it with an error that names the line.
func readRequests(in io.Reader) iter.Seq2[written, error] {
	return func(yield func(written, error) bool) {
		buffered := bufio.NewReaderSize(in, 64<<10)
		first, line, err := firstByte(buffered)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			yield(written{}, err)
		case first == '[':
			readArray(buffered, line, yield)
		default:
			readLines(buffered, line, yield)
		}
	}
}

// firstByte skips blanks and gives the first byte that is none, unread, and its line.
func firstByte(in *bufio.Reader) (first byte, line int, err error) {
	for line = 1; ; {
		first, err = in.ReadByte()
		switch {
		case err != nil:
			return 0, line, err
		case !isBlank(first):
			return first, line, in.UnreadByte()
		case first == '\n':
			line++
		}
	}
}

func readLines(in *bufio.Reader, line int, yield func(written, error) bool) {
	for ; ; line++ {
		body, err := readLine(in)
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			err = fmt.Errorf("line %d: %w", line, err)
		} else {
			err = nil
		}
		if (err != nil || len(body) > 0) && !yield(written{line, body}, err) || end {
			return
		}
	}
}

var errLongLine = fmt.Errorf("is longer than %d bytes", maxLine)

// readLine reads one line without the blanks around it. A line that is too long is read to its end and refused.
func readLine(in *bufio.Reader) (line []byte, err error) {
	long := false
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case long:
			return nil, errLongLine
		default:
			return bytes.TrimSpace(line), err
		}
	}
}

func readArray(in *bufio.Reader, line int, yield func(written, error) bool) {
	lines := &lineCounter{in: in, line: line}
	decoder := json.NewDecoder(lines)
	_, err := decoder.Token() // the bracket
	for err == nil && decoder.More() {
		var body json.RawMessage
		if err = decoder.Decode(&body); err == nil && !yield(written{lines.at(decoder.InputOffset() - int64(len(body))), body}, nil) {
			return
		}
	}
	if err == nil {
		_, err = decoder.Token()
	}
	if err != nil {
		yield(written{}, fmt.Errorf("line %d: %w", lines.at(decoder.InputOffset()+blanks(decoder.Buffered())), err))
	}
}

// blanks counts the blanks, and the one byte after them, before what could not be read.
func blanks(in io.Reader) int64 {
	buffered := bufio.NewReader(in)
	for n := int64(1); ; n++ {
		if c, err := buffered.ReadByte(); err != nil || !isBlank(c) {
			return n
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// lineCounter remembers where the lines of what was read through it begin.
type lineCounter struct {
	in     io.Reader
	line   int // of the first byte
	read   int64
	breaks []int64
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.breaks = append(l.breaks, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at gives the line of an offset. Offsets must not go back.
func (l *lineCounter) at(offset int64) int {
	for len(l.breaks) > 0 && l.breaks[0] < offset {
		l.breaks = l.breaks[1:]
		l.line++
	}
	return l.line
}

// openInput opens a file, or standard input for "-".
func openInput(path string, stdin io.Reader) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(path)
}
