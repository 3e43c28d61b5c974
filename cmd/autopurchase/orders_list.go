package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// filterSettings say which requests are meant.
type filterSettings struct {
	states, codes []string
	since, until  string
	worker.Filter
}

func (f *filterSettings) bind(s *settings) {
	s.list(&f.states, "state", "waiting, placed, partial, refused, cancelled, unknown: one or more with commas between them")
	s.list(&f.codes, "code", "codes of results, such as out_of_stock, with commas between them")
	s.text(&f.Tenant, "tenant", "", "tenant")
	s.text(&f.AppKey, "key", "", "app key that an order is, or may be, on")
	s.text(&f.Seller, "seller", "", "seller of a line")
	s.text(&f.Offer, "offer", "", "offer id of a line")
	s.text(&f.Order, "order", "", "1688's id of an order")
	s.text(&f.since, "since", "", "asked for since a day, a time (RFC 3339) or so long ago (such as 1h)", aMoment)
	s.text(&f.until, "until", "", "asked for before a day, a time or so long ago", aMoment)
	s.text(&f.Text, "text", "", "part of the request id, of an order id, of a tracking number, of the reason, or of that of its latest dead letter")
}

// given says whether anything restricts.
func (f *filterSettings) given() bool { return !reflect.DeepEqual(f.filter(), worker.Filter{}) }

// filter puts it together.
func (f *filterSettings) filter() worker.Filter {
	now, filter := time.Now(), f.Filter
	filter.From, _ = parseMoment(f.since, now) // both were read before
	filter.To, _ = parseMoment(f.until, now)
	for _, state := range f.states {
		filter.States = append(filter.States, worker.LifeState(strings.TrimSpace(state)))
	}
	for _, code := range f.codes {
		filter.Codes = append(filter.Codes, worker.Code(strings.TrimSpace(code)))
	}
	return filter
}

// listedAtOnce is how many requests are asked for with one message.
const listedAtOnce = 500

func newOrdersList(term terminal) *cobra.Command {
	var o ordersSettings
	var f filterSettings
	var limit int
	return command(term, &cobra.Command{
		Use:   "list",
		Short: "List requests, the newest first: by state, code, tenant, key, seller, offer, time or text",
		Long: "Lists requests, the newest first. It is answered by whoever keeps an index of them: up and demo --keep. What is left out\n" +
			"does not restrict. With --json it prints one array.",
		Example: "  autopurchase orders list --state unknown,refused --since 24h\n  autopurchase orders list --seller 'hill goods' --text 'out of stock' --json",
	}, func(s *settings) {
		o.bind(s)
		f.bind(s)
		s.number(&limit, "limit", 50, 1, 1_000_000, "requests to list")
	}, func(cmd *cobra.Command, _ []string) error {
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			listing, err := listOrders(cmd.Context(), b, f.filter(), limit)
			if err != nil {
				return err
			}
			if o.json {
				return json.NewEncoder(term.out).Encode(listing.Requests)
			}
			if err := showRequests(term.out, listing.Requests); err != nil {
				return err
			}
			if listing.Next != "" {
				fmt.Fprintf(term.err, "the newest %d of %s; see more with --limit\n", len(listing.Requests), counted(listing.Total))
			}
			return nil
		})
	})
}

// listOrders asks part by part until there are enough.
func listOrders(ctx context.Context, b *bus.Bus, filter worker.Filter, most int) (worker.Listing, error) {
	all := worker.Listing{Requests: []worker.Summary{}}
	for ask := (bus.ListOrders{Filter: filter}); ; ask.After = all.Next {
		ask.Limit = min(most-len(all.Requests), listedAtOnce)
		part, err := b.ListOrders(ctx, ask)
		if errors.Is(err, bus.ErrNobody) {
			return all, errors.New("nobody keeps an index of the requests: autopurchase up does, and demo --keep")
		}
		if err != nil {
			return all, err
		}
		all.Requests, all.Next, all.Total = append(all.Requests, part.Requests...), part.Next, max(all.Total, part.Total)
		if all.Next == "" || len(all.Requests) >= most {
			return all, nil
		}
	}
}

// counted writes how many there are in all.
func counted(total int) string {
	if total >= worker.CountBound {
		return fmt.Sprint(worker.CountBound, " or more")
	}
	return fmt.Sprint(total)
}

func showRequests(out io.Writer, requests []worker.Summary) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "REQUEST\tSTATE\tCODE\tASKED\tLINES\tPRODUCTS\tAPP KEYS\tORDERS\tLATEST\tPARCELS\tREASON")
	for _, r := range requests {
		fmt.Fprintf(table, "%s.%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", r.Tenant, r.RequestID, r.State, r.Code, clock(r.AskedAt), r.Lines, r.Products,
			few(r.AppKeys), few(r.OrderIDs), stateWords(worker.OrderState(oneLine(r.Latest))), few(r.Tracking), oneLine(r.Reason))
	}
	return table.Flush()
}

// clock writes a moment as the clock on the wall has it.
func clock(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateTime)
}

// few writes the first values and how many more there are.
func few(values []string) string {
	const most = 3
	if len(values) > most {
		return fmt.Sprintf("%s and %d more", oneLine(strings.Join(values[:most], ",")), len(values)-most)
	}
	return oneLine(strings.Join(values, ","))
}
