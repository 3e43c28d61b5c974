package main

import (
	"errors"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// keyChange is a command that changes one key and needs nothing but the key's name.
type keyChange struct {
	verb  bus.Verb[bus.ChangeKey, bus.KeyInfo]
	short string
	final bool // it cannot be taken back: it needs a reason, and a yes
}

var keyChanges = []keyChange{
	{verb: bus.KeysEnable, short: "Put a disabled or retired key back into use"},
	{verb: bus.KeysDisable, short: "Take a key out of use until a person enables it; its orders under way end as they end"},
	{verb: bus.KeysBench, short: "Take a key out of use until it is restored or a probe passes"},
	{verb: bus.KeysRestore, short: "Put a benched or stopped key back into use"},
	{verb: bus.KeysRotate, short: "Send an active key to the end of the ready ones, so that the next one takes over"},
	{verb: bus.KeysRetire, short: "End the work of a key", final: true},
	{verb: bus.KeysRemove, short: "Take a key off its pool; its count is kept, and goes on if it is added again", final: true},
	{verb: bus.KeysReset, short: "Say that what was counted on a key counts no longer", final: true},
}

func newKeysChange(term terminal, change keyChange) *cobra.Command {
	var k keySettings
	var yes bool
	name := change.verb.Name()
	example := "  autopurchase keys " + name + " 1000001 --by li"
	if change.final {
		example += " --why 'its application was closed' --yes"
	}
	return command(term, &cobra.Command{
		Use: name + " APPKEY", Short: change.short, Example: example, Args: cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		if change.final {
			s.flag(&yes, "yes", "do it without asking")
		}
	}, func(cmd *cobra.Command, args []string) error {
		if change.final {
			if k.why == "" {
				return usage(errors.New("--why: is required: the pool's journal keeps the reason"))
			}
			if err := confirm(term, yes, name+" key "+args[0]+" of pool "+k.pool); err != nil {
				return err
			}
		}
		q := bus.ChangeKey{Pool: k.pool, AppKey: args[0], Change: k.change()}
		return ask(cmd.Context(), &k.keysSettings, term.out, change.verb, q, showKey)
	})
}
