package main

import (
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

func newKeysList(term terminal) *cobra.Command {
	var k keysSettings
	return command(term, &cobra.Command{
		Use: "list", Short: "List the keys of a pool", Example: "  autopurchase keys list --json",
	}, k.bind, func(cmd *cobra.Command, _ []string) error {
		return ask(cmd.Context(), &k, term.out, bus.KeysList, bus.ListKeys{Pool: k.pool}, showKeys)
	})
}
