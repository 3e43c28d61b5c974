package main

import (
	"context"
	"fmt"
	"strings"
	"time"

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
	at1688 := false
	return m.command(term, &cobra.Command{
		Use:   "cancel REF…",
		Short: "Take requests, or single orders of them, back before they are sent",
		Long: "Takes requests back, each named as TENANT/ID, or single orders of them by their outOrderId. An order that was not sent is\n" +
			"cancelled and never sent; one that was is not, and the answer says how it stands. With --at-1688 what was placed and is not\n" +
			"paid for is closed there, which 1688 does once an order is ten seconds old; its products stay counted on the key, since they\n" +
			"were ordered. The exit code is 1 if one was too late. Cancelling again changes nothing.",
		Example: "  autopurchase orders cancel acme/PR.1 --by li --why 'ordered twice'\n" +
			"  autopurchase orders cancel acme/PR.1 --at-1688 --by li\n" +
			"  autopurchase orders cancel --from refs.txt --by li --dry-run\n" +
			"  autopurchase orders cancel --state waiting --seller shop-a --by li --yes",
	}, job{"cancel", func(ctx context.Context, b *bus.Bus, name string) ending { return m.cancel(ctx, b, name, at1688) }}, func(s *settings) {
		s.flag(&at1688, "at-1688", "close at 1688 what was placed and is not paid for")
	})
}

func (k *bulk) cancel(ctx context.Context, b *bus.Bus, name string, at1688 bool) ending {
	ask := bus.CancelOrder{At1688: at1688, DryRun: k.dryRun, By: k.by, Why: k.why}
	ask.Tenant, ask.RequestID, ask.OutOrderID, _ = asRequest(name) // it was checked
	answer, err := cancelled(ctx, b, ask)
	if err != nil {
		return failed(name, err)
	}
	f := ending{done: answer.Cancelled, what: "too late", body: answer, text: told(answer)}
	switch {
	case answer.Cancelled && len(answer.Shut()) > 0:
		f.what = "closed"
	case answer.Cancelled:
		f.what = "cancelled"
	case len(answer.Taken())+len(answer.Shut()) > 0:
		f.what = "cancelled in part"
	}
	return f
}

// tooOften is how often an order that is too young to be closed is asked for at most.
const tooOften = 3

// cancelled asks, and asks again once an order is old enough to be closed at 1688.
func cancelled(ctx context.Context, b *bus.Bus, ask bus.CancelOrder) (answer bus.CancelledRequest, err error) {
	for range tooOften {
		answer, err = bus.OrdersCancel.Ask(ctx, b, ask)
		after := answer.Retry()
		if err != nil || after <= 0 {
			break
		}
		select {
		case <-time.After(after):
		case <-ctx.Done():
			return answer, ctx.Err()
		}
	}
	return answer, err
}

// told puts into a line what became of each order.
func told(answer bus.CancelledRequest) string {
	var reasons []string
	for _, o := range answer.Orders {
		reason := strings.TrimPrefix(o.Reason, "too late: ")
		if len(answer.Orders) > 1 {
			reason = o.OutOrderID + " " + reason
		}
		for _, at := range o.At1688 {
			reason += ", " + at.OrderID + " " + at.Reason
		}
		reasons = append(reasons, reason)
	}
	return strings.Join(reasons, "; ")
}
