package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// The exit codes, the same for every command.
const (
	exitOK     = 0
	exitFailed = 1 // it ran and the answer is no: something was refused, lost or is not ready
	exitUsage  = 2 // a flag, a variable or an argument is wrong
)

// terminal is what a command has of the outside world.
type terminal struct {
	in  io.Reader
	out io.Writer // answers
	err io.Writer // progress, logs and complaints
	env func(string) (string, bool)
}

// errUsage marks an error as the caller's: a wrong flag, variable or argument.
var errUsage = errors.New("usage")

// errSaid marks a failure that the command has already explained on its own output.
var errSaid = errors.New("failed")

// run executes one command line and gives the exit code. Nothing else reads arguments or the environment.
func run(ctx context.Context, args []string, term terminal) int {
	root := newRoot(term)
	root.SetArgs(args)
	root.SetIn(term.in)
	root.SetOut(term.out)
	root.SetErr(term.err)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errSaid):
		return exitFailed
	}
	fmt.Fprintln(term.err, "autopurchase:", err)
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailed
}

func newRoot(term terminal) *cobra.Command {
	root := &cobra.Command{
		Use:           "autopurchase",
		Short:         "Buys on 1688.com what it is asked for by messages",
		Long:          "autopurchase is an event-driven purchase queue worker for 1688.com: requests arrive on NATS, a Redis pool of app keys\npays for them and rotates a key at its limit, orders go out over a websocket channel, and results are published back.",
		Example:       "  autopurchase demo\n  autopurchase up --data ./data",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	group(root)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newDemo(term), newUp(term),
		newWorker(term), newRelay(term), newSim(term),
		newPublish(term), newQueue(term), newWatch(term), newKeys(term), newOrders(term), newDead(term), newHealth(term), newDashboard(term), newBench(term),
		newAuth(term), newProvision(term), newSchema(term),
	)
	return root
}

// group makes a command that only has others refuse what is none of them; cobra would show its help and say yes.
func group(c *cobra.Command) {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage(fmt.Errorf("unknown command %q: see %s --help", args[0], c.CommandPath()))
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}

// usage makes an error the caller's.
func usage(err error) error { return wrongUsage{err} }

type wrongUsage struct{ error }

func (w wrongUsage) Is(target error) bool { return target == errUsage }
func (w wrongUsage) Unwrap() error        { return w.error }
