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
		Long:    "Administers the pool by the messages keypool.admin.<verb>, of which each command here sends its own. What changes something is\nin the pool's journal, with who asked for it and why, before it is answered. Exit 1 if it was refused.",
		Example: "  autopurchase keys add 1000001 --account buyer-1\n  autopurchase keys list",
	}
	group(keys)
	keys.AddCommand(newKeysList(term), newKeysAdd(term), newKeysPool(term))
	for _, c := range keyChanges {
		keys.AddCommand(newKeysChange(term, c))
	}
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

// keySettings are those of a command that changes one key.
type keySettings struct {
	keysSettings
	signature
	version int
}

func (k *keySettings) bind(s *settings) {
	k.keysSettings.bind(s)
	k.signature.bind(s)
	s.number(&k.version, "version", 0, 1, 1_000_000_000, "the version of the key that the change is meant for: refused if the key was changed since")
}

// connected runs a step with a connection.
func (k *keysSettings) connected(ctx context.Context, step func(*bus.Bus) error) error {
	return k.nats.connected(ctx, "autopurchase-keys", step)
}

// ask asks for one thing and shows the answer, as JSON or in words.
func ask[Q bus.Question[Q], A any](ctx context.Context, k *keysSettings, out io.Writer, verb bus.Verb[Q, A], q Q, show func(io.Writer, A) error) error {
	return k.connected(ctx, func(b *bus.Bus) error {
		answer, err := verb.Ask(ctx, b, q)
		switch {
		case err != nil:
			return err
		case k.json:
			return json.NewEncoder(out).Encode(answer)
		}
		return show(out, answer)
	})
}

func showKeys(out io.Writer, infos []bus.KeyInfo) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "APP KEY\tPOOL\tSTATE\tUSED\tHELD\tLIMIT\tLEFT\tACCOUNT\tALIPAY\tSOURCE\tVERSION\tFINGERPRINT")
	for _, k := range infos {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%d\t%s\n", k.AppKey, k.Pool, k.State, k.Used, k.Held, k.Limit, k.Left,
			k.Account, k.Alipay, k.Source, k.Version, k.Fingerprint)
	}
	return table.Flush()
}

func showKey(out io.Writer, info bus.KeyInfo) error { return showKeys(out, []bus.KeyInfo{info}) }
