package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

func newOrdersRetry(term terminal) *cobra.Command {
	m := &ordersMany{}
	var ask bus.RetryOrder
	var deadline string
	return m.command(term, &cobra.Command{
		Use:   "retry REF…",
		Short: "Ask again for what ended without being bought",
		Long: "Asks again for requests that ended refused or cancelled, and for the failed lines of those that ended in part, each under a new\n" +
			"id: ID.r1, then ID.r2. Placed and unknown ones are not asked for again. While a retry is undecided, or once it is placed, asking\n" +
			"again does nothing. What asking again does not change, such as an unknown specification, needs --force.",
		Example: "  autopurchase orders retry acme/PR.1 --by li --why 'in stock again'\n  autopurchase orders retry --code out_of_stock --by li --dry-run",
	}, job{"retry", func(ctx context.Context, b *bus.Bus, name string) ending {
		ask.DryRun, ask.By, ask.Why = m.dryRun, m.by, m.why
		ask.Deadline, _ = time.Parse(time.RFC3339, deadline) // it was checked; "" is none
		return retried(ctx, b, name, ask)
	}}, func(s *settings) {
		s.flag(&ask.Force, "force", "also what asking again does not change, as far as is known")
		s.text(&deadline, "deadline", "", "deadline of the new requests (RFC 3339), where the old one has passed", func(text string) error {
			_, err := time.Parse(time.RFC3339, text)
			return err
		})
	})
}

func retried(ctx context.Context, b *bus.Bus, name string, ask bus.RetryOrder) ending {
	tenant, id, order, _ := asRequest(name) // it was checked
	if order != "" {
		var ref string
		tenant, ref, _, _ = worker.ParseReference(order)
		id, _ = worker.DecodeRef(ref)
	}
	ask.Tenant, ask.RequestID = tenant, id
	answer, err := bus.OrdersRetry.Ask(ctx, b, ask)
	if err != nil {
		return failed(name, err)
	}
	f := ending{done: true, what: "asked again", text: fmt.Sprintf("as %s/%s, %d lines", answer.Tenant, answer.RetryID, answer.Lines), body: answer}
	if !answer.New {
		f.what = "asked again before"
		if answer.Outcome != "" {
			f.text += ", which is " + string(answer.Outcome)
		}
	}
	return f
}
