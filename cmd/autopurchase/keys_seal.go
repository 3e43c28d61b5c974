package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/internal/relay"
	"autopurchase/internal/seal"
)

// newKeysSeal seals a secret before it leaves this process.
func newKeysSeal(term terminal) *cobra.Command {
	var k keySettings
	var source secretSource
	var withToken, tokenOnly bool
	return command(term, &cobra.Command{
		Use:   "seal APPKEY",
		Short: "Keep a key's secret, sealed so that only the relays can read it",
		Long: "Takes the app secret from a terminal, which does not show it, from standard input or from a file descriptor, seals it for the\n" +
			"pool's recipients, and hands it over. Whitespace at its ends is dropped; anything but printable ASCII is refused. What is shown is\n" +
			"its fingerprint, which is the same for the same secret.",
		Example: "  autopurchase keys seal 1000001\n  autopurchase keys seal 1000001 --with-refresh-token --secret-fd 3 --by li",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		source.bind(s)
		s.flag(&withToken, "with-refresh-token", "take a refresh token too, after the secret")
		s.flag(&tokenOnly, "refresh-token-only", "take a refresh token alone; the secret stays")
	}, func(cmd *cobra.Command, args []string) error {
		names := []string{"secret", "refresh token"}
		switch {
		case tokenOnly:
			names = names[1:]
		case !withToken:
			names = names[:1]
		}
		values, err := source.read(term, names...)
		if err != nil {
			return err
		}
		q := bus.SealKey{Pool: k.pool, AppKey: args[0], Change: k.change()}
		return k.showing(cmd.Context(), term.out, func(b *bus.Bus) (bus.KeyInfo, error) {
			return sealFor(cmd.Context(), b, q, names, values)
		})
	})
}

// showing shows the key that comes of a step, as JSON or in a table.
func (k *keysSettings) showing(ctx context.Context, out io.Writer, step func(*bus.Bus) (bus.KeyInfo, error)) error {
	return k.connected(ctx, func(b *bus.Bus) error {
		info, err := step(b)
		switch {
		case err != nil:
			return err
		case k.json:
			return json.NewEncoder(out).Encode(info)
		}
		return showKey(out, info)
	})
}

// sealFor asks for the pool's recipients, seals the values for them, and asks for them to be kept.
func sealFor(ctx context.Context, b *bus.Bus, q bus.SealKey, names, values []string) (bus.KeyInfo, error) {
	q, err := sealedFor(ctx, b, q, names, values)
	if err != nil {
		return bus.KeyInfo{}, err
	}
	return bus.KeysSeal.Ask(ctx, b, q)
}

// addSealed adds a key and has its secrets kept. Nothing is added for which they cannot be sealed.
func addSealed(ctx context.Context, b *bus.Bus, add bus.AddKey, names, values []string) (bus.KeyInfo, error) {
	q := bus.SealKey{Pool: add.Pool, AppKey: add.AppKey, Change: bus.Change{By: add.By, Why: add.Why}}
	q, err := sealedFor(ctx, b, q, names, values)
	if err == nil {
		_, err = bus.KeysAdd.Ask(ctx, b, add)
	}
	if err != nil {
		return bus.KeyInfo{}, err
	}
	return bus.KeysSeal.Ask(ctx, b, q)
}

// sealedFor seals the values for the pool's recipients.
func sealedFor(ctx context.Context, b *bus.Bus, q bus.SealKey, names, values []string) (bus.SealKey, error) {
	pool, err := bus.KeysPool.Ask(ctx, b, bus.ChangePool{Pool: q.Pool})
	if err != nil {
		return q, err
	}
	if len(pool.Recipients) == 0 {
		return q, fmt.Errorf("pool %s has no recipients to seal for: autopurchase keys pool --recipients age1…, which is what keys identity new printed for the relay", q.Pool)
	}
	for i, name := range names {
		text := values[i]
		if name != "secret" {
			text = relay.Tokens{RefreshToken: values[i]}.Text()
		}
		if text, err = seal.Seal(text, pool.Recipients); err != nil {
			return q, err
		}
		if name == "secret" {
			q.Secret, q.Fingerprint = text, seal.Fingerprint(values[i])
		} else {
			q.Tokens, q.TokensFingerprint = text, seal.Fingerprint(values[i])
		}
	}
	return q, nil
}
