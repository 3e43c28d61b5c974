package main

import (
	"fmt"
	"io"
	"text/tabwriter"

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

func newKeysShow(term terminal) *cobra.Command {
	var k keysSettings
	return command(term, &cobra.Command{
		Use: "show APPKEY", Short: "Show one key, also one that was removed", Example: "  autopurchase keys show 1000001 --json",
		Args: cobra.ExactArgs(1),
	}, k.bind, func(cmd *cobra.Command, args []string) error {
		return ask(cmd.Context(), &k, term.out, bus.KeysShow, bus.ShowKey{Pool: k.pool, AppKey: args[0]}, showKey)
	})
}

func showKey(out io.Writer, info bus.KeyInfo) error { return showKeys(out, []bus.KeyInfo{info}) }

func showKeys(out io.Writer, infos []bus.KeyInfo) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "APP KEY\tPOOL\tSTATE\tUSED\tHELD\tLIMIT\tLEFT\tACCOUNT\tALIPAY\tSOURCE\tVERSION\tFINGERPRINT")
	for _, k := range infos {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%d\t%s\n", k.AppKey, k.Pool, k.State, k.Used, k.Held, k.Limit, k.Left,
			k.Account, k.Alipay, k.Source, k.Version, k.Fingerprint)
	}
	return table.Flush()
}
