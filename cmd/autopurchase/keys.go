package main

import (
	"context"
	"encoding/json"
	"io"

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
	keys.AddCommand(newKeysList(term), newKeysShow(term), newKeysAdd(term), newKeysImport(term), newKeysLimit(term), newKeysProbe(term),
		newKeysPool(term), newKeysStatement(term), newKeysForecast(term), newKeysOnboard(term), newKeysAuthorize(term),
		newKeysSeal(term), newKeysIdentity(term), newKeysReseal(term))
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

// keySettings are those of a command that changes something.
type keySettings struct {
	keysSettings
	signature
	version int
}

func (k *keySettings) bind(s *settings) {
	k.keysSettings.bind(s)
	k.signature.bind(s)
	s.number(&k.version, "version", 0, 1, 1_000_000_000, "the version that the change is meant for: refused if there is another one by now")
}

// change signs what is asked for.
func (k *keySettings) change() bus.Change {
	change := k.signature.change()
	change.Version = int64(k.version)
	return change
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
