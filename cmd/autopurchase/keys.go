package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newKeys administers the key pool through the same messages that any other program may send.
func newKeys(term terminal) *cobra.Command {
	keys := &cobra.Command{
		Use:     "keys",
		Short:   "Administer the pool of app keys",
		Long:    "Administers the pool by the messages keypool.admin.add, .list, .restore and .pool. Secrets never pass here: the relay reads\nthem from its keys file.",
		Example: "  autopurchase keys add 1000001 --account buyer-1\n  autopurchase keys list",
	}
	group(keys)
	keys.AddCommand(newKeysAdd(term), newKeysList(term), newKeysRestore(term), newKeysPool(term))
	return keys
}

// keysSettings are those of every keys command.
type keysSettings struct {
	nats natsSettings
	pool string
	json bool
}

func (k *keysSettings) bind(s *settings) {
	k.nats.bindClient(s)
	s.text(&k.pool, "pool", defaultPool, "pool of keys")
	s.flag(&k.json, "json", "print JSON")
}

// connected runs a step with a connection.
func (k *keysSettings) connected(ctx context.Context, step func(*bus.Bus) error) error {
	return k.nats.connected(ctx, "autopurchase-keys", step)
}

// ask sends one admin message and shows the keys that come back.
func (k *keysSettings) ask(ctx context.Context, out io.Writer, send func(context.Context, *bus.Bus) ([]bus.KeyInfo, error)) error {
	return k.connected(ctx, func(b *bus.Bus) error {
		infos, err := send(ctx, b)
		if err != nil {
			return err
		}
		return showKeys(out, infos, k.json)
	})
}

func newKeysAdd(term terminal) *cobra.Command {
	var k keysSettings
	var account, alipay string
	var limit int
	return command(term, &cobra.Command{
		Use:     "add APPKEY",
		Short:   "Add an app key to the pool; one added again keeps its count",
		Example: "  autopurchase keys add 1000001 --account buyer-1 --limit 1000",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		s.text(&account, "account", "", "buyer account that authorized the key")
		s.text(&alipay, "alipay", "none", "none | personal | business", oneOf("none", "personal", "business"))
		s.number(&limit, "limit", 1000, 1, 1_000_000_000, "products the key may order")
	}, func(cmd *cobra.Command, args []string) error {
		return k.ask(cmd.Context(), term.out, func(ctx context.Context, b *bus.Bus) ([]bus.KeyInfo, error) {
			info, err := b.AddKey(ctx, bus.AddKey{Pool: k.pool, AppKey: args[0], Limit: int64(limit), Account: account, Alipay: alipay})
			return []bus.KeyInfo{info}, err
		})
	})
}

func newKeysList(term terminal) *cobra.Command {
	var k keysSettings
	return command(term, &cobra.Command{
		Use: "list", Short: "List the keys of a pool", Example: "  autopurchase keys list --json",
	}, k.bind, func(cmd *cobra.Command, _ []string) error {
		return k.ask(cmd.Context(), term.out, func(ctx context.Context, b *bus.Bus) ([]bus.KeyInfo, error) {
			return b.ListKeys(ctx, k.pool)
		})
	})
}

func newKeysRestore(term terminal) *cobra.Command {
	var k keysSettings
	var by string
	return command(term, &cobra.Command{
		Use: "restore APPKEY", Short: "Put a benched key back into use", Example: "  autopurchase keys restore 1000001 --by li",
		Args: cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		s.text(&by, "by", "", "who says so, for the journal")
	}, func(cmd *cobra.Command, args []string) error {
		return k.ask(cmd.Context(), term.out, func(ctx context.Context, b *bus.Bus) ([]bus.KeyInfo, error) {
			info, err := b.RestoreKey(ctx, k.pool, args[0], by)
			return []bus.KeyInfo{info}, err
		})
	})
}

func showKeys(out io.Writer, infos []bus.KeyInfo, asJSON bool) error {
	if asJSON {
		if infos == nil {
			infos = []bus.KeyInfo{}
		}
		return json.NewEncoder(out).Encode(infos)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "APP KEY\tPOOL\tSTATE\tUSED\tHELD\tLIMIT\tLEFT\tACCOUNT\tALIPAY")
	for _, k := range infos {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", k.AppKey, k.Pool, k.State, k.Used, k.Held, k.Limit, k.Left, k.Account, k.Alipay)
	}
	return table.Flush()
}
