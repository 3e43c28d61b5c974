package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newOrders lets people look at requests and decide about parked orders, through the same messages that any other program may send.
func newOrders(term terminal) *cobra.Command {
	orders := &cobra.Command{
		Use:   "orders",
		Short: "List requests, tell the life of one, take them back, and say what became of orders that wait for a person",
		Long: "Lists requests and tells the life of one, by the messages purchase.admin.list and .show; takes requests back, by .cancel.\n" +
			"An order that was sent, never answered and not found again is parked: nobody knows whether it exists, and its products stay\n" +
			"held on their key. A person looks at 1688 and says what became of it, by the messages purchase.admin.parked and .resolve.",
		Example: "  autopurchase orders list --state waiting,unknown\n  autopurchase orders show acme/PR.1\n  autopurchase orders cancel acme/PR.1 --by li\n" +
			"  autopurchase orders parked\n  autopurchase orders resolve acme.PR-1-1 --absent --by li",
	}
	group(orders)
	orders.AddCommand(newOrdersList(term), newOrdersShow(term), newOrdersParked(term), newOrdersResolve(term), newOrdersCancel(term), newOrdersRetry(term),
		newOrdersUnpaid(term), newOrdersPay(term), newOrdersPayLink(term), newOrdersPayStop(term), newOrdersPayStart(term),
		newOrdersBind(term), newOrdersUnbind(term), newOrdersImport(term))
	return orders
}

// ordersSettings are those of every orders command.
type ordersSettings struct {
	nats natsSettings
	json bool
}

func (o *ordersSettings) bind(s *settings) {
	o.nats.bindClient(s)
	s.flag(&o.json, "json", "print JSON")
}

// connected runs a step with a connection.
func (o *ordersSettings) connected(ctx context.Context, step func(*bus.Bus) error) error {
	return o.nats.connected(ctx, "autopurchase-orders", step)
}

func newOrdersParked(term terminal) *cobra.Command {
	var o ordersSettings
	return command(term, &cobra.Command{
		Use: "parked", Short: "List the orders of which nobody knows whether they exist", Example: "  autopurchase orders parked --json",
	}, o.bind, func(cmd *cobra.Command, _ []string) error {
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			parked, err := b.ParkedOrders(cmd.Context())
			if err != nil {
				return err
			}
			return showParked(term.out, parked, o.json)
		})
	})
}

func showParked(out io.Writer, parked []bus.ParkedOrder, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(parked)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ORDER\tAPP KEY\tHELD\tPARKED\tCODE\tREASON")
	for _, p := range parked {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", p.OutOrderID, strings.Join(append([]string{p.AppKey}, p.AlsoOn...), ","), p.Products, p.ParkedAt.Local().Format(time.DateTime), p.Code, oneLine(p.Reason))
	}
	return table.Flush()
}

// oneLine keeps a reason, which may be 1688's words, from breaking the table or speaking to the terminal.
func oneLine(text string) string { return printable(strings.Join(strings.Fields(text), " ")) }
