package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

func newOrdersPay(term terminal) *cobra.Command {
	var o ordersSettings
	var ask bus.AgreeToPay
	var agree string
	return command(term, &cobra.Command{
		Use:   "pay ORDER",
		Short: "Agree that an order whose payment waits may be paid for",
		Long: "Says that an order with pay auto, named as orders unpaid lists it, may be paid for although what is payable is not what was\n" +
			"ordered: up to that sum, postage included. The payment goes on at once. It lifts the account's ceiling for one order, not\n" +
			"that for the day. Saying it again changes nothing.\n" +
			"A payment that 1688 never answered may have been taken: look at Alipay first. Agreeing has it tried once more.",
		Example: "  autopurchase orders pay acme.PR-1-1 --agree 36.98 --by li --why 'the seller asked for more postage'",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		o.bind(s)
		s.text(&agree, "agree", "", "the most that may be paid, in yuan (required)")
		s.text(&ask.OrderID, "order", "", "1688's order id, if 1688 made several orders of it")
		s.text(&ask.By, "by", "", "who agrees, for the record (required)")
		s.text(&ask.Why, "why", "", "why, for the record")
		s.check(func(terminal) (err error) {
			if ask.By == "" {
				err = errors.New("--by: is required: who agrees")
			}
			most, wrong := worker.ParseYuan(agree)
			if wrong != nil || most == 0 {
				err = errors.Join(err, fmt.Errorf("--agree %q: %w", agree, worker.ErrMoney))
			}
			ask.Most = most
			return err
		})
	}, func(cmd *cobra.Command, args []string) (err error) {
		if ask.Tenant, ask.RequestID, ask.OutOrderID, err = asRequest(args[0]); err != nil {
			return usage(err)
		}
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			p, err := bus.PayAgree.Ask(cmd.Context(), b, ask)
			if err != nil {
				return err
			}
			return o.say(term.out, p, fmt.Sprintf("%s: up to %s may be paid for order %s", p.Reference, p.Agreed.Yuan(), p.OrderID))
		})
	})
}

// say writes an answer, for machines or for people.
func (o *ordersSettings) say(out io.Writer, answer any, text string) error {
	if o.json {
		return json.NewEncoder(out).Encode(answer)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

func newOrdersUnpaid(term terminal) *cobra.Command {
	var o ordersSettings
	return command(term, &cobra.Command{
		Use: "unpaid", Short: "List the payments that want a person, and why", Example: "  autopurchase orders unpaid",
	}, o.bind, func(cmd *cobra.Command, _ []string) error {
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			unpaid, err := bus.PayUnpaid.Ask(cmd.Context(), b, bus.ListUnpaid{})
			if err != nil {
				return err
			}
			if o.json {
				return json.NewEncoder(term.out).Encode(unpaid)
			}
			return showUnpaid(term.out, unpaid)
		})
	})
}

func showUnpaid(out io.Writer, unpaid []worker.Payment) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ORDER\t1688'S ID\tORDERED\tPAYABLE\tTRIES\tSINCE\tWHY\tIN WORDS")
	for _, p := range unpaid {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", p.Reference, p.OrderID, p.Ordered.Yuan(), p.Amount.Yuan(), p.Try,
			p.At.Local().Format(time.DateTime), p.Code, oneLine(p.Reason))
	}
	return table.Flush()
}

func newOrdersPayStop(term terminal) *cobra.Command {
	return newTurn(term, bus.PayStop, &cobra.Command{
		Use: "pay-stop", Short: "Stop all payments without a person, until pay-start",
		Long: "Stops all payments of orders with pay auto, in all workers. A payment whose call to 1688 is under way is not taken back.\n" +
			"Orders are placed as before.",
		Example: "  autopurchase orders pay-stop --by li --why 'wrong prices'",
	})
}

func newOrdersPayStart(term terminal) *cobra.Command {
	return newTurn(term, bus.PayStart, &cobra.Command{
		Use: "pay-start", Short: "Let payments go on after pay-stop", Example: "  autopurchase orders pay-start --by li",
	})
}

func newTurn(term terminal, verb bus.Verb[bus.TurnPayments, worker.Switch], c *cobra.Command) *cobra.Command {
	var o ordersSettings
	var ask bus.TurnPayments
	return command(term, c, func(s *settings) {
		o.bind(s)
		s.text(&ask.By, "by", "", "who does it, for the record (required)")
		s.text(&ask.Why, "why", "", "why, for the record")
		s.check(func(terminal) error {
			if ask.By == "" {
				return errors.New("--by: is required: who does it")
			}
			return nil
		})
	}, func(cmd *cobra.Command, _ []string) error {
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			now, err := verb.Ask(cmd.Context(), b, ask)
			if err != nil {
				return err
			}
			text := "payments go on"
			if now.Stopped {
				text = "payments are stopped"
			}
			return o.say(term.out, now, text)
		})
	})
}

func newOrdersPayLink(term terminal) *cobra.Command {
	var o ordersSettings
	return command(term, &cobra.Command{
		Use:   "pay-link ORDER…",
		Short: "Get addresses where a person pays for orders, up to 100 at once",
		Long: "Asks 1688 for addresses where a person pays for orders: single ones, by their outOrderId, or all of a request, as TENANT/ID.\n" +
			"There is one for each app key. An order that is just being paid for without a person is left out. The exit code is 1 if an\n" +
			"order has no address, and the answer says why.",
		Example: "  autopurchase orders pay-link acme.PR-1-1 acme/PR.2",
		Args:    cobra.MinimumNArgs(1),
	}, o.bind, func(cmd *cobra.Command, args []string) error {
		if len(args) > worker.MaxPayLink {
			return usage(bus.TooManyToPay(len(args)))
		}
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			links, err := bus.PayLink.Ask(cmd.Context(), b, bus.LinkToPay{Orders: args})
			if err != nil {
				return err
			}
			return o.showLinks(term.out, links)
		})
	})
}

// showLinks says what can be paid for where. It returns errSaid if something cannot.
func (o *ordersSettings) showLinks(out io.Writer, links bus.LinksToPay) error {
	failed := len(links.LeftOut) > 0
	var text strings.Builder
	for _, l := range links.Links {
		failed = failed || len(l.Failed) > 0
		if l.URL != "" {
			fmt.Fprintf(&text, "%d orders of app key %s: %s\n", len(l.Orders)-len(l.Failed), l.AppKey, printable(l.URL))
		}
		if len(l.Failed) > 0 || l.Said != "" {
			fmt.Fprintf(&text, "app key %s, not for %s: %s\n", l.AppKey, strings.Join(l.Failed, ", "), oneLine(l.Said))
		}
	}
	for _, l := range links.LeftOut {
		fmt.Fprintf(&text, "%s: %s\n", l.Name, oneLine(l.Reason))
	}
	if err := o.say(out, links, strings.TrimSuffix(text.String(), "\n")); err != nil {
		return err
	}
	if failed {
		return errSaid
	}
	return nil
}
