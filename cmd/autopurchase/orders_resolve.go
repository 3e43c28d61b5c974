package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// ordersWord is what a person says became of orders.
type ordersWord struct {
	ordersMany
	placed        string
	absent, force bool
	said          bool // of one order, what it is placed as
}

func newOrdersResolve(term terminal) *cobra.Command {
	w := &ordersWord{}
	return w.bulk.command(term, &cobra.Command{
		Use:   "resolve REF…",
		Short: "Say what became of parked orders: placed as these orders of 1688, or absent",
		Long: "Says what became of parked orders, named as orders parked lists them, or as TENANT/ID where only one order of the request is\n" +
			"open; a filter picks all parked orders of the requests that it finds. Placed counts the products on their key, absent gives them\n" +
			"back; the request's final result is published behind the unknown one. 1688's list is asked first and contradicts a wrong word.\n" +
			"Saying the same again changes nothing. --placed is about one order.",
		Example: "  autopurchase orders resolve acme.PR-1-1 --placed 2257000000000000973 --by li\n" +
			"  autopurchase orders resolve acme.PR-1-1 --absent --by li --why 'the seller has no such order'\n" +
			"  autopurchase orders resolve --absent --seller shop-a --until 24h --by li --dry-run",
	}, w.bind, finder{"autopurchase-orders", checkRequest, w.given, w.find}, job{"resolve", w.resolve})
}

func (w *ordersWord) bind(s *settings) {
	w.ordersMany.bind(s)
	s.text(&w.placed, "placed", "", "its order ids at 1688, separated by commas")
	s.flag(&w.absent, "absent", "no such order exists at 1688")
	s.flag(&w.force, "force", "placed, although 1688's list does not show it")
	s.check(func(terminal) error {
		switch {
		case (w.placed != "") == w.absent:
			return errors.New("say what became of it: either --placed ORDERID,… or --absent")
		case w.placed != "" && (w.given() || w.from != ""):
			return errors.New("--placed: is about one order, which is named as an argument")
		}
		return nil
	})
}

// find gives the parked orders of the requests that the filter picks.
func (w *ordersWord) find(ctx context.Context, b *bus.Bus, take func(string)) error {
	picked := map[string]bool{}
	if err := w.ordersMany.find(ctx, b, func(name string) { picked[name] = true }); err != nil {
		return err
	}
	parked, err := b.ParkedOrders(ctx)
	for _, p := range parked {
		if picked[p.Tenant+"/"+p.RequestID] {
			take(p.OutOrderID)
		}
	}
	return err
}

func (w *ordersWord) resolve(ctx context.Context, b *bus.Bus, name string) ending {
	ask := bus.ResolveOrder{Absent: w.absent, Force: w.force, DryRun: w.dryRun, By: w.by, Why: w.why}
	ask.Tenant, ask.RequestID, ask.OutOrderID, _ = asRequest(name) // it was checked
	if w.placed != "" {
		if ask.Placed = strings.Split(w.placed, ","); w.said {
			return failed(name, errors.New("--placed: is about one order, and was said of another"))
		}
		w.said = true
	}
	result, err := b.ResolveOrder(ctx, ask)
	if err != nil {
		return failed(name, err)
	}
	return resolved(result)
}

func resolved(result worker.Result) ending {
	f := ending{done: true, what: string(result.Outcome), body: json.RawMessage(schemas.AppendResult(nil, result))}
	f.text = fmt.Sprintf("%d products counted: %s", result.Products, result.Reason)
	for _, open := range result.Unknown {
		f.text += "; still open: " + open.OutOrderID
	}
	return f
}
