package main

import (
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// keyChange is a command that changes one key and needs nothing but the key's name.
type keyChange struct {
	verb  bus.Verb[bus.ChangeKey, bus.KeyInfo]
	short string
}

var keyChanges = []keyChange{
	{bus.KeysRestore, "Put a benched key back into use"},
}

func newKeysChange(term terminal, change keyChange) *cobra.Command {
	var k keySettings
	name := change.verb.Name()
	return command(term, &cobra.Command{
		Use: name + " APPKEY", Short: change.short, Example: "  autopurchase keys " + name + " 1000001 --by li", Args: cobra.ExactArgs(1),
	}, k.bind, func(cmd *cobra.Command, args []string) error {
		q := bus.ChangeKey{Pool: k.pool, AppKey: args[0], Version: int64(k.version), Change: k.change()}
		return ask(cmd.Context(), &k.keysSettings, term.out, change.verb, q, showKey)
	})
}
