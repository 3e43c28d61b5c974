package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newKeysPool shows and changes a pool's settings.
func newKeysPool(term terminal) *cobra.Command {
	var k keysSettings
	var ask bus.PoolSettings
	low := -1
	return command(term, &cobra.Command{
		Use:     "pool",
		Short:   "Show or change a pool's settings: what counts as a product, how many keys are active, when it is low",
		Example: "  autopurchase keys pool\n  autopurchase keys pool --count units --low 200 --by li",
	}, func(s *settings) {
		k.bind(s)
		s.text(&ask.Count, "count", "", "what a key's limit counts: lines | units; left as it is if not given", oneOf("lines", "units"))
		s.number(&ask.Width, "width", 0, 1, 1000, "how many keys are active at once; left as it is if not given")
		s.number(&low, "low", -1, 0, 1_000_000_000, "products left in the whole pool below which it is low; left as it is if not given")
		s.text(&ask.By, "by", "", "who says so, for the journal")
	}, func(cmd *cobra.Command, _ []string) error {
		ask.Pool = k.pool
		if low >= 0 {
			products := int64(low)
			ask.Low = &products
		}
		return k.connected(cmd.Context(), func(b *bus.Bus) error {
			now, err := b.Pool(cmd.Context(), ask)
			switch {
			case err != nil:
				return err
			case k.json:
				return json.NewEncoder(term.out).Encode(now)
			}
			_, err = fmt.Fprintf(term.out, "pool %s counts %s, %d active, low below %d products\n", now.Pool, now.Count, now.Width, *now.Low)
			return err
		})
	})
}
