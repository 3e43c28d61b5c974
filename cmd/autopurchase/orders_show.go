package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

func newOrdersShow(term terminal) *cobra.Command {
	var o ordersSettings
	return command(term, &cobra.Command{
		Use:   "show REF",
		Short: "Tell the life of one request: its orders, every step with its time, and what it waits for",
		Long: "Tells the life of one request, which is named by tenant and request id (acme/PR-1 or acme.PR-1), by one of its orders (acme.PR-1-1), or by an\n" +
			"order id of 1688, which whoever keeps an index knows. A step whose time nobody wrote down is left out.",
		Example: "  autopurchase orders show acme/PR-1\n  autopurchase orders show 2257000000000000973 --json",
		Args:    cobra.ExactArgs(1),
	}, o.bind, func(cmd *cobra.Command, args []string) error {
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			life, err := lifeOf(cmd.Context(), b, args[0])
			switch {
			case err != nil:
				return err
			case o.json:
				return json.NewEncoder(term.out).Encode(life)
			}
			return showLife(term.out, life)
		})
	})
}

// lifeOf finds the request that a person names, in whichever way.
func lifeOf(ctx context.Context, b *bus.Bus, name string) (worker.Life, error) {
	cut := strings.IndexAny(name, "/.") // a tenant has neither
	if cut < 0 {
		return lifeOfOrder(ctx, b, name)
	}
	tenant, id := name[:cut], name[cut+1:]
	life, err := b.ShowOrder(ctx, bus.ShowOrder{Tenant: tenant, RequestID: id})
	if _, _, _, ours := worker.ParseReference(name); ours && unknownRequest(err) {
		life, err = b.ShowOrder(ctx, bus.ShowOrder{OutOrderID: name})
	}
	return life, err
}

// lifeOfOrder finds the request of an order at 1688.
func lifeOfOrder(ctx context.Context, b *bus.Bus, orderID string) (worker.Life, error) {
	listing, err := listOrders(ctx, b, worker.Filter{Order: orderID}, 1)
	if err != nil {
		return worker.Life{}, fmt.Errorf("order %q: %w", orderID, err)
	}
	if len(listing.Requests) == 0 {
		return worker.Life{}, fmt.Errorf("order %q: belongs to no request that is known; a request is named as acme/PR-1", orderID)
	}
	return b.ShowOrder(ctx, bus.ShowOrder{Tenant: listing.Requests[0].Tenant, RequestID: listing.Requests[0].RequestID})
}

func unknownRequest(err error) bool {
	refusal, ok := errors.AsType[*bus.AdminError](err)
	return ok && refusal.Code == string(worker.DenyUnknownRequest)
}

func showLife(out io.Writer, l worker.Life) error {
	fmt.Fprintf(out, "%s.%s  %s", l.Tenant, l.RequestID, l.State)
	if l.Code != "" && string(l.Code) != string(l.State) {
		fmt.Fprintf(out, " (%s)", l.Code)
	}
	if l.Reason != "" {
		fmt.Fprintf(out, ": %s", oneLine(l.Reason))
	}
	fmt.Fprintf(out, "\nwaits for %s\n", oneLine(l.WaitingFor))
	if err := showParts(out, l.Parts); err != nil {
		return err
	}
	return showSteps(out, l.Steps)
}

func showParts(out io.Writer, parts []worker.LifePart) error {
	if len(parts) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "\nORDER\tSELLER\tLINES\tCLAIM\tAPP KEY\tPRODUCTS\tORDERS AT 1688\tSTATE\tPARCELS\tREASON")
	for _, p := range parts {
		keys := append([]string{p.AppKey}, p.AlsoOn...)
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", p.Reference, oneLine(p.Seller), len(p.Lines), p.Claim, few(keys), p.Products,
			few(p.OrderIDs), cmp.Or(stateWords(p.State), oneLine(p.Status)), sent(p.Parcels), oneLine(p.Reason))
	}
	return table.Flush()
}

// stateWords writes a state as words.
func stateWords(state worker.OrderState) string { return strings.ReplaceAll(string(state), "_", " ") }

// sent names parcels by their numbers and carriers.
func sent(parcels []worker.Parcel) string {
	var said []string
	for _, p := range parcels {
		said = append(said, oneLine(strings.TrimSpace(p.Number+" "+cmp.Or(p.Carrier, p.CarrierCode))))
	}
	return few(said)
}

func showSteps(out io.Writer, steps []worker.LifeStep) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "\nTIME\tSTEP\tORDER\tATTEMPT\t")
	for _, s := range steps {
		attempt := ""
		if s.Attempt > 0 {
			attempt = fmt.Sprint(s.Attempt)
		}
		text := s.Text
		if s.By != "" {
			text += ", by " + s.By
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.At.Local().Format("2006-01-02 15:04:05.000"), s.What, s.Reference, attempt, oneLine(text))
	}
	return table.Flush()
}
