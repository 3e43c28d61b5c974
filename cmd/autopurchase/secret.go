package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"autopurchase/internal/seal"
)

// secretSource is where a person's secrets come from: a terminal that does not show them, standard input, or a file descriptor;
// never the command line, which every program on the machine can read.
type secretSource struct{ fd int }

func (s *secretSource) bind(set *settings) {
	set.number(&s.fd, "secret-fd", -1, 0, 1<<20, "file descriptor to read from instead of the terminal or standard input; each value on a line of its own")
}

// read gives one clean value for each name. The errors name which one is wrong, and not what it is.
func (s *secretSource) read(from terminal, names ...string) ([]string, error) {
	values, err := s.lines(from, names)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for i, name := range names {
		if values[i], err = seal.Clean(values[i]); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(wrong) > 0 {
		return nil, usage(errors.Join(wrong...))
	}
	return values, nil
}

func (s *secretSource) lines(from terminal, names []string) ([]string, error) {
	in := from.in
	if s.fd >= 0 {
		file := os.NewFile(uintptr(s.fd), "secret")
		if file == nil {
			return nil, usage(fmt.Errorf("--secret-fd %d: is not open", s.fd))
		}
		defer file.Close()
		in = file
	}
	if isTerminal(in) {
		return prompt(from, int(in.(*os.File).Fd()), names)
	}
	return eachOnItsLine(in, names)
}

// prompt asks for each value without showing what is typed.
func prompt(to terminal, fd int, names []string) (values []string, err error) {
	for _, name := range names {
		fmt.Fprintf(to.err, "%s (it is not shown): ", name)
		value, err := term.ReadPassword(fd)
		fmt.Fprintln(to.err)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read from the terminal: %w", name, err)
		}
		values = append(values, string(value))
	}
	return values, nil
}

const maxSecretInput = 64 << 10 // bytes

func eachOnItsLine(in io.Reader, names []string) (values []string, err error) {
	lines := bufio.NewScanner(io.LimitReader(in, maxSecretInput))
	for lines.Scan() {
		values = append(values, lines.Text())
	}
	if err := lines.Err(); err != nil {
		return nil, usage(fmt.Errorf("the %s cannot be read: %w", strings.Join(names, " and the "), err))
	}
	for len(values) > len(names) && strings.TrimSpace(values[len(values)-1]) == "" {
		values = values[:len(values)-1]
	}
	if len(values) != len(names) {
		return nil, usage(fmt.Errorf("the %s must be given, each on a line of its own: there are %d lines", strings.Join(names, " and the "), len(values)))
	}
	return values, nil
}
