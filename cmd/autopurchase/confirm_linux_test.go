package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// pseudoterminal is a terminal at which nobody sits: what is typed at the desk is read from the terminal.
func pseudoterminal(t *testing.T) (desk, terminal *os.File) {
	t.Helper()
	desk, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { _ = desk.Close() })
	var number, lock int32
	for request, value := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &lock} {
		if _, _, wrong := syscall.Syscall(syscall.SYS_IOCTL, desk.Fd(), request, uintptr(unsafe.Pointer(value))); wrong != 0 {
			t.Fatal(wrong)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { _ = terminal.Close() })
	return desk, terminal
}

// TestAPersonIsAskedBeforeWhatCannotBeTakenBack: only a yes at the terminal goes on, to a NATS that is not there.
func TestAPersonIsAskedBeforeWhatCannotBeTakenBack(t *testing.T) {
	t.Parallel()
	for typed, went := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "yesterday\n": false} {
		desk, tty := pseudoterminal(t)
		_, err := desk.WriteString(typed)
		must(t, err)
		var out, errs output
		code := run(context.WithoutCancel(t.Context()), []string{"keys", "reset", "1000001", "--why", "wrong", "--nats", "nats://" + nowhere(t)},
			terminal{in: tty, out: &out, err: &errs, env: func(string) (string, bool) { return "", false }})
		said := errs.String()
		if code != exitFailed || !strings.HasPrefix(said, "reset key 1000001 of pool default? It cannot be taken back. [y/N] ") ||
			strings.Contains(said, "cannot reach NATS") != went || strings.Contains(said, "nothing was done") == went {
			t.Errorf("%q: exit %d: %s", typed, code, said)
		}
	}
}
