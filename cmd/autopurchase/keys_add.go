package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
)

// maxProducts is the largest limit that a key may have.
const maxProducts = 1_000_000_000

func newKeysAdd(term terminal) *cobra.Command {
	var k keySettings
	var add bus.AddKey
	var source secretSource
	var limit int
	var withSecret, withToken bool
	return command(term, &cobra.Command{
		Use:   "add APPKEY",
		Short: "Add an app key to the pool, or change it; it keeps its count",
		Long: "Adds an app key to the pool. One that is there, or was removed, keeps what was counted on it and takes the limit, account,\n" +
			"alipay and source that are given here. With --with-secret its secret is sealed and kept as by keys seal.",
		Example: "  autopurchase keys add 1000001 --account buyer-1 --with-secret\n  autopurchase keys add 1000002 --source managed --alipay business",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		s.text(&add.Account, "account", "", "buyer account that authorized the key")
		s.text(&add.Alipay, "alipay", "none", "none | personal | business: what pays without a person", oneOf("none", "personal", "business"))
		s.text(&add.Source, "source", "own", "own | managed: whose secret it has, the pool's or the relay operator's", oneOf("own", "managed"))
		s.number(&limit, "limit", keypool.DefaultLimit, 1, maxProducts, "products the key may order")
		s.flag(&withSecret, "with-secret", "take its secret too, from a terminal, standard input or --secret-fd")
		s.flag(&withToken, "with-refresh-token", "take a refresh token too, after the secret")
		source.bind(s)
		s.flag(&add.Onboard, "onboard", "a new key takes no order before its onboarding is done")
	}, func(cmd *cobra.Command, args []string) error {
		add.Pool, add.AppKey, add.Limit, add.Change = k.pool, args[0], int64(limit), k.change()
		if !withSecret && !withToken {
			return ask(cmd.Context(), &k.keysSettings, term.out, bus.KeysAdd, add, showKey)
		}
		names := []string{"secret", "refresh token"}
		if !withToken {
			names = names[:1]
		}
		values, err := source.read(term, names...)
		if err != nil {
			return err
		}
		return k.showing(cmd.Context(), term.out, func(b *bus.Bus) (bus.KeyInfo, error) {
			return addSealed(cmd.Context(), b, add, names, values)
		})
	})
}

func newKeysLimit(term terminal) *cobra.Command {
	var k keySettings
	return command(term, &cobra.Command{
		Use:   "limit APPKEY PRODUCTS",
		Short: "Change how many products a key may order",
		Long: "Changes how many products a key may order. One that is at or below what was ordered leaves nothing, and the key is spent; a\n" +
			"higher one puts a spent key back into use, and what waits for room goes on at once.",
		Example: "  autopurchase keys limit 1000001 1500 --why 'raised by 1688' --by li",
		Args:    cobra.ExactArgs(2),
	}, k.bind, func(cmd *cobra.Command, args []string) error {
		limit, err := strconv.Atoi(args[1])
		if err != nil || limit < 1 || limit > maxProducts {
			return usage(fmt.Errorf("PRODUCTS %q: must be a whole number from 1 to %d", args[1], maxProducts))
		}
		q := bus.LimitKey{Pool: k.pool, AppKey: args[0], Limit: int64(limit), Change: k.change()}
		return ask(cmd.Context(), &k.keysSettings, term.out, bus.KeysLimit, q, showKey)
	})
}
