package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// newKeysPool shows and changes a pool's settings.
func newKeysPool(term terminal) *cobra.Command {
	var k keySettings
	var q bus.ChangePool
	var recipients, tenants, sellers string
	width, low := 0, -1
	return command(term, &cobra.Command{
		Use:   "pool",
		Short: "Show or change a pool's settings: what counts as a product, how many keys are active, when it is low",
		Long: "Shows a pool's settings, and changes those that are given; the others stay as they are. Orders under way keep what they were\n" +
			"counted by.",
		Example: "  autopurchase keys pool\n  autopurchase keys pool --count units --low 200 --by li\n" +
			"  autopurchase keys pool --width 4 --strategy even --why 'more at once'\n" +
			"  autopurchase keys pool --tenants acme=3,bolt=1 --sellers shop-a=business\n" +
			"  autopurchase keys pool --preview above --preview-above 500",
	}, func(s *settings) {
		k.bind(s)
		s.text(&q.Count, "count", "", "what a key's limit counts: lines | units", oneOf("lines", "units"))
		s.number(&width, "width", 0, 1, 1000, "how many keys are active at once")
		s.number(&low, "low", -1, 0, maxProducts, "products left in the whole pool below which it is low; 0 never")
		s.text(&q.Strategy, "strategy", "", "which active key an order is drawn from: first | even, one after the other or the one with most room", oneOf("first", "even"))
		s.text(&q.Preview, "preview", "", "whether orders are previewed before they are drawn for, where their request does not say: never | always | above a sum", oneOf("never", "always", "above"))
		s.text(&q.PreviewAbove, "preview-above", "", "with --preview above: a request's expected sum in yuan above which its orders are", yuanText)
		s.text(&recipients, "recipients", "", "the relays' public keys of age with commas between them, for whom secrets are sealed; none for nobody")
		s.text(&tenants, "tenants", "", "who may draw, with weights where several wait for room, such as acme=3,bolt=1; none for everybody alike", orNone(tenantWeights))
		s.text(&sellers, "sellers", "", "what these sellers take, such as shop-a=business,shop-b=any; what is known of others stays", pairs)
	}, func(cmd *cobra.Command, _ []string) error {
		q.Pool, q.Change = k.pool, k.change()
		if width > 0 {
			q.Width = &width
		}
		if low >= 0 {
			products := int64(low)
			q.Low = &products
		}
		if recipients != "" {
			list := recipientList(recipients)
			q.Recipients = &list
		}
		if tenants != "" {
			weights := weightsOf(tenants)
			q.Tenants = &weights
		}
		q.Sellers = pairsOf(sellers)
		return ask(cmd.Context(), &k.keysSettings, term.out, bus.KeysPool, q, showPool)
	})
}

func yuanText(text string) error {
	_, err := worker.ParseYuan(text)
	return err
}

func recipientList(text string) []string {
	if text == "none" {
		return []string{}
	}
	list := strings.Split(text, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func showPool(out io.Writer, now bus.PoolSettings) error {
	_, err := fmt.Fprintf(out, "pool %s counts %s, %d active, low below %d products, draws %s, seals for %s, serves %s, previews %s\n",
		now.Pool, now.Count, now.Width, now.Low, now.Strategy, orNobody(now.Recipients), orEverybody(now.Tenants),
		strings.TrimSpace(now.Preview+" "+now.PreviewAbove))
	for _, seller := range slices.Sorted(maps.Keys(now.Sellers)) {
		if err == nil {
			_, err = fmt.Fprintf(out, "seller %s takes keys with %s Alipay only\n", seller, now.Sellers[seller])
		}
	}
	return err
}

func orNobody(recipients []string) string {
	if len(recipients) == 0 {
		return "nobody"
	}
	return strings.Join(recipients, ", ")
}
