package main

import (
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

func newKeysAdd(term terminal) *cobra.Command {
	var k keySettings
	var add bus.AddKey
	var limit int
	return command(term, &cobra.Command{
		Use:     "add APPKEY",
		Short:   "Add an app key to the pool; one added again keeps its count",
		Example: "  autopurchase keys add 1000001 --account buyer-1 --limit 1000",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		s.text(&add.Account, "account", "", "buyer account that authorized the key")
		s.text(&add.Alipay, "alipay", "none", "none | personal | business", oneOf("none", "personal", "business"))
		s.number(&limit, "limit", 1000, 1, 1_000_000_000, "products the key may order")
	}, func(cmd *cobra.Command, args []string) error {
		add.Pool, add.AppKey, add.Limit, add.Version, add.Change = k.pool, args[0], int64(limit), int64(k.version), k.change()
		return ask(cmd.Context(), &k.keysSettings, term.out, bus.KeysAdd, add, showKey)
	})
}
