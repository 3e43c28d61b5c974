package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// asRequest reads how a person names a request, tenant/id, or one of its orders by its outOrderId.
func asRequest(name string) (tenant, id, order string, err error) {
	if tenant, id, slash := strings.Cut(name, "/"); slash {
		if worker.CheckName(tenant) == nil && worker.CheckID(id) == nil {
			return tenant, id, "", nil
		}
	} else if _, _, _, ours := worker.ParseReference(name); ours {
		return "", "", name, nil
	}
	return "", "", "", fmt.Errorf("%q: must be a request as TENANT/ID, such as acme/PR.1, or one of its orders, such as acme.PR=2E1-1", name)
}

// checkedNames are named, and each says a request or an order.
func (k *bulk) checkedNames(term terminal, args []string) ([]string, error) {
	names, err := k.named(term, args)
	for _, name := range names {
		if _, _, _, wrong := asRequest(name); wrong != nil {
			return nil, usage(wrong)
		}
	}
	return names, err
}

func newOrdersCancel(term terminal) *cobra.Command {
	var k bulk
	return command(term, &cobra.Command{
		Use:   "cancel REF…",
		Short: "Take requests, or single orders of them, back before they are sent",
		Long: "Takes requests back, each named as TENANT/ID, or single orders of them by their outOrderId. An order that was not sent is\n" +
			"cancelled and never sent; one that was is not, and the answer says how it stands. The exit code is 1 if one was too late.\n" +
			"Cancelling again changes nothing. What is placed and not paid for at 1688 is not touched.",
		Example: "  autopurchase orders cancel acme/PR.1 --by li --why 'ordered twice'\n" +
			"  autopurchase orders cancel --from refs.txt --by li --dry-run",
		Args: bulkArgs,
	}, k.bind, func(cmd *cobra.Command, args []string) error {
		names, err := k.checkedNames(term, args)
		if err != nil {
			return err
		}
		return k.run(cmd.Context(), term, names, job{"cancel", k.cancel})
	})
}

func (k *bulk) cancel(ctx context.Context, b *bus.Bus, name string) ending {
	ask := bus.CancelOrder{DryRun: k.dryRun, By: k.by, Why: k.why}
	ask.Tenant, ask.RequestID, ask.OutOrderID, _ = asRequest(name) // it was checked
	answer, err := bus.OrdersCancel.Ask(ctx, b, ask)
	if err != nil {
		return failed(name, err)
	}
	f := ending{done: answer.Cancelled, what: "too late", body: answer}
	some := 0
	var reasons []string
	for _, o := range answer.Orders {
		if o.Cancelled {
			some++
		}
		if reason := strings.TrimPrefix(o.Reason, "too late: "); len(answer.Orders) > 1 {
			reasons = append(reasons, o.OutOrderID+" "+reason)
		} else {
			reasons = append(reasons, reason)
		}
	}
	switch {
	case answer.Cancelled:
		f.what = "cancelled"
	case some > 0:
		f.what = "cancelled in part"
	}
	f.text = strings.Join(reasons, "; ")
	return f
}
