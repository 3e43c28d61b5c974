package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// errNo is a person's answer.
var errNo = errors.New("nothing was done")

// confirm asks whether what cannot be taken back is to be done: --yes says so, or else a person on a terminal.
func confirm(term terminal, yes bool, what string) error {
	switch {
	case yes:
		return nil
	case !isTerminal(term.in):
		return usage(errors.New("--yes: is required where nobody can be asked: " + what + " cannot be taken back"))
	}
	fmt.Fprintf(term.err, "%s? It cannot be taken back. [y/N] ", what)
	answer, _ := bufio.NewReader(term.in).ReadString('\n') // nothing is a no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errNo
}
