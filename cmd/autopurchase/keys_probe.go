package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

func newKeysProbe(term terminal) *cobra.Command {
	var k keySettings
	return command(term, &cobra.Command{
		Use:   "probe APPKEY",
		Short: "Ask 1688 whether it takes a key and its secret; a benched key of which it does comes back",
		Long: "Asks 1688 for its time with the key, through a worker and the relay, which proves the key, its secret and the relay's clock, but\n" +
			"no token. A benched key that passes is restored. Exit 1 if it does not pass.",
		Example: "  autopurchase keys probe 1000001",
		Args:    cobra.ExactArgs(1),
	}, k.bind, func(cmd *cobra.Command, args []string) error {
		q := bus.ChangeKey{Pool: k.pool, AppKey: args[0], Change: k.change()}
		return k.connected(cmd.Context(), func(b *bus.Bus) error {
			probed, err := bus.KeysProbe.Ask(cmd.Context(), b, q)
			if err != nil {
				return err
			}
			if err := k.showProbed(term, probed); err != nil || probed.Passed {
				return err
			}
			return errSaid
		})
	})
}

func (k *keySettings) showProbed(term terminal, probed bus.ProbedKey) error {
	if k.json {
		return json.NewEncoder(term.out).Encode(probed)
	}
	word := map[bool]string{true: "passed", false: "did not pass"}[probed.Passed]
	if probed.Restored {
		word += " and is restored"
	}
	_, err := fmt.Fprintf(term.out, "key %s %s: %s; it is %s\n", probed.Key.AppKey, word, oneLine(probed.Reason), probed.Key.State)
	return err
}
