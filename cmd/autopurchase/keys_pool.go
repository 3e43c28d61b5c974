package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newKeysPool shows and changes a pool's settings.
func newKeysPool(term terminal) *cobra.Command {
	var k keysSettings
	var q bus.ChangePool
	var sign signature
	low := -1
	return command(term, &cobra.Command{
		Use:     "pool",
		Short:   "Show or change a pool's settings: what counts as a product, how many keys are active, when it is low",
		Example: "  autopurchase keys pool\n  autopurchase keys pool --count units --low 200 --by li",
	}, func(s *settings) {
		k.bind(s)
		s.text(&q.Count, "count", "", "what a key's limit counts: lines | units; left as it is if not given", oneOf("lines", "units"))
		s.number(&q.Width, "width", 0, 1, 1000, "how many keys are active at once; left as it is if not given")
		s.number(&low, "low", -1, 0, 1_000_000_000, "products left in the whole pool below which it is low; left as it is if not given")
		sign.bind(s)
	}, func(cmd *cobra.Command, _ []string) error {
		q.Pool, q.Change = k.pool, sign.change()
		if low >= 0 {
			products := int64(low)
			q.Low = &products
		}
		return ask(cmd.Context(), &k, term.out, bus.KeysPool, q, showPool)
	})
}

func showPool(out io.Writer, now bus.PoolSettings) error {
	_, err := fmt.Fprintf(out, "pool %s counts %s, %d active, low below %d products\n", now.Pool, now.Count, now.Width, now.Low)
	return err
}
