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

// ordersMany is a command that does something to requests.
type ordersMany struct {
	bulk
	filterSettings
}

func (m *ordersMany) bind(s *settings) {
	m.bulk.bind(s)
	m.filterSettings.bind(s)
}

// maxPicked is how many requests a filter picks at most, the newest ones: doing it again picks the next ones.
const maxPicked = 1_000_000

// command makes it, with what is done to each.
func (m *ordersMany) command(term terminal, c *cobra.Command, j job, bind func(*settings)) *cobra.Command {
	return m.bulk.command(term, c, func(s *settings) {
		m.bind(s)
		bind(s)
	}, finder{"autopurchase-orders", checkRequest, m.given, m.find}, j)
}

func checkRequest(name string) error {
	_, _, _, err := asRequest(name)
	return err
}

// find gives the requests that the filter picks.
func (m *ordersMany) find(ctx context.Context, b *bus.Bus, take func(string)) error {
	listing, err := listOrders(ctx, b, m.filter(), maxPicked)
	for _, r := range listing.Requests {
		take(r.Tenant + "/" + r.RequestID)
	}
	return err
}

func newOrdersCancel(term terminal) *cobra.Command {
	m := &ordersMany{}
	return m.command(term, &cobra.Command{
		Use:   "cancel REF…",
		Short: "Take requests, or single orders of them, back before they are sent",
		Long: "Takes requests back, each named as TENANT/ID, or single orders of them by their outOrderId. An order that was not sent is\n" +
			"cancelled and never sent; one that was is not, and the answer says how it stands. The exit code is 1 if one was too late.\n" +
			"Cancelling again changes nothing. What is placed and not paid for at 1688 is not touched.",
		Example: "  autopurchase orders cancel acme/PR.1 --by li --why 'ordered twice'\n" +
			"  autopurchase orders cancel --from refs.txt --by li --dry-run\n" +
			"  autopurchase orders cancel --state waiting --seller shop-a --by li --yes",
	}, job{"cancel", m.cancel}, func(*settings) {})
}

func (k *bulk) cancel(ctx context.Context, b *bus.Bus, name string) ending {
	ask := bus.CancelOrder{DryRun: k.dryRun, By: k.by, Why: k.why}
	ask.Tenant, ask.RequestID, ask.OutOrderID, _ = asRequest(name) // it was checked
	answer, err := bus.OrdersCancel.Ask(ctx, b, ask)
	if err != nil {
		return failed(name, err)
	}
	f := ending{done: answer.Cancelled, what: "too late", body: answer}
	var reasons []string
	for _, o := range answer.Orders {
		if reason := strings.TrimPrefix(o.Reason, "too late: "); len(answer.Orders) > 1 {
			reasons = append(reasons, o.OutOrderID+" "+reason)
		} else {
			reasons = append(reasons, reason)
		}
	}
	switch {
	case answer.Cancelled:
		f.what = "cancelled"
	case len(answer.Taken()) > 0:
		f.what = "cancelled in part"
	}
	f.text = strings.Join(reasons, "; ")
	return f
}
