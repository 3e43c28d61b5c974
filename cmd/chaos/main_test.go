package main

import (
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"autopurchase/internal/chaos"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTheCommandThatIsPrintedRunsTheSameAgain: what make hands on of it is asked with every flag that was given.
func TestTheCommandThatIsPrintedRunsTheSameAgain(t *testing.T) {
	for name, args := range map[string]string{
		"defaults": "-seed 7",
		"all": "-orders 400 -faults 36 -seed 104 -workers 3 -relays 1 -at-once 2 -timeout 90s -keep" +
			" -kinds worker_kill,redis_cut",
	} {
		t.Run(name, func(t *testing.T) {
			given := parsed(t, strings.Fields(args))
			again := parsed(t, handedOn(t, given.again))
			if diff := cmp.Diff(given.config, again.config, cmpopts.IgnoreFields(chaos.Config{}, "Progress")); diff != "" {
				t.Errorf("%s asks for something else: %s", given.again, diff)
			}
		})
	}
}

func TestEveryFlagIsReadAsItWasGiven(t *testing.T) {
	got := parsed(t, strings.Fields("-binary b -orders 400 -faults 36 -seed 104 -workers 3 -relays 1 -at-once 2 -timeout 90s -keep -kinds a,b"))
	want := chaos.Config{Binary: "b", Orders: 400, Faults: 36, Seed: 104, Workers: 3, Relays: 1, AtOnce: 2,
		Timeout: 90 * time.Second, Kinds: []chaos.Kind{"a", "b"}, Progress: io.Discard}
	if diff := cmp.Diff(want, got.config, cmpopts.IgnoreFields(chaos.Config{}, "Progress")); diff != "" || !got.keep {
		t.Errorf("keep %v, and %s", got.keep, diff)
	}
}

func TestWhatIsNoFlagIsNamed(t *testing.T) {
	var said strings.Builder
	if code := run(t.Context(), []string{"-seed", "7", "again"}, io.Discard, &said); code != 2 || !strings.Contains(said.String(), `"again"`) {
		t.Errorf("exit %d: %s", code, &said)
	}
}

func parsed(t *testing.T, args []string) asked {
	t.Helper()
	a, err := parse(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// handedOn gives the arguments that the Makefile's target would give this program.
func handedOn(t *testing.T, command string) []string {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "sh", "-c", command+" --dry-run")
	shell.Dir = "../.."
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	_, args, ours := strings.Cut(string(out), "go run ./cmd/chaos ")
	if !ours {
		t.Fatalf("%s would run %s", command, out)
	}
	line, _, _ := strings.Cut(args, "\n")
	return strings.Fields(line)
}
