package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

func newOrdersBind(term terminal) *cobra.Command {
	var o ordersSettings
	var ask bus.BindOrder
	return command(term, &cobra.Command{
		Use:   "bind ORDERID REF",
		Short: "Bind an order that somebody made on 1688's website to a request that has none",
		Long: "Says that an order at 1688 is what a request asked for: one that waits, was refused or cancelled, or of which nobody knows what became.\n" +
			"The request is named as TENANT/ID, or one of its orders as acme.PR-1-1. 1688 must show the order to the buyer account that pays\n" +
			"for the request, and offers, specifications and quantities are compared; differences are told, and then nothing changes without\n" +
			"--force. What waits is never ordered then, the products count on a key of the account, and the result is published. An order is\n" +
			"bound to one request at most, and the other way round. Binding again the same way changes nothing.",
		Example: "  autopurchase orders bind 2257000000000000973 acme/PR.1 --by li --dry-run\n" +
			"  autopurchase orders bind 2257000000000000973 acme.PR=2E1-2 --by li --why 'bought by hand' --force",
		Args: cobra.ExactArgs(2),
	}, func(s *settings) {
		o.bind(s)
		s.flag(&ask.Force, "force", "although it differs")
		s.flag(&ask.DryRun, "dry-run", "change nothing: only compare")
		bindAccount(s, &ask.By, &ask.Why)
	}, func(cmd *cobra.Command, args []string) error {
		var err error
		if ask.OrderID = args[0]; ask.OrderID == "" {
			return usage(fmt.Errorf("%q: must be 1688's order id", args[0]))
		}
		if ask.Tenant, ask.RequestID, ask.OutOrderID, err = asRequest(args[1]); err != nil {
			return usage(err)
		}
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			answer, err := bus.OrdersBind.Ask(cmd.Context(), b, ask)
			if err != nil {
				return err
			}
			if err := showBound(term.out, answer, o.json); err != nil || answer.Bound || ask.DryRun {
				return err
			}
			return errSaid
		})
	})
}

func showBound(out io.Writer, b bus.BoundOrder, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(b)
	}
	text := fmt.Sprintf("order %s of 1688", b.OrderID)
	if b.Status != "" {
		text += ", " + b.Status
	}
	if b.Total != "" {
		text += ", " + b.Total + " yuan"
	}
	switch {
	case b.New:
		text += ": is bound to " + b.OutOrderID
	case b.Bound:
		text += ": was bound to " + b.OutOrderID + " before"
	case len(b.Differences) > 0:
		text += ": is not bound to " + b.OutOrderID + ", from which it differs"
	default:
		text += ": fits " + b.OutOrderID
	}
	if b.Outcome != "" {
		text += "; the request is " + string(b.Outcome)
	}
	_, err := fmt.Fprintln(out, oneLine(text))
	for _, difference := range b.Differences {
		_, err = fmt.Fprintln(out, "  "+oneLine(difference))
	}
	return err
}

func newOrdersUnbind(term terminal) *cobra.Command {
	var o ordersSettings
	var ask bus.UnbindOrder
	return command(term, &cobra.Command{
		Use:   "unbind ORDERID",
		Short: "Take a binding back",
		Long: "Says that an order that a person bound is not what the request asked for. The order is nobody's then, and may be bound to another\n" +
			"request. Nobody can tell what was done meanwhile because the request was placed, so that does not become what it was before: it is\n" +
			"parked as unknown, and what was counted for it stays counted. Resolve it, or bind another order to it. What was not bound by hand\n" +
			"cannot be unbound.",
		Example: "  autopurchase orders unbind 2257000000000000973 --by li --why 'another customer has it'",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		o.bind(s)
		bindAccount(s, &ask.By, &ask.Why)
	}, func(cmd *cobra.Command, args []string) error {
		ask.OrderID = args[0]
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			answer, err := bus.OrdersUnbind.Ask(cmd.Context(), b, ask)
			switch {
			case err != nil:
				return err
			case o.json:
				return json.NewEncoder(term.out).Encode(answer)
			}
			_, err = fmt.Fprintf(term.out, "order %s of 1688 is not bound to %s any more; the request is %s\n", answer.OrderID, answer.OutOrderID, answer.Outcome)
			return err
		})
	})
}
