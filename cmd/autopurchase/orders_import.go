package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// ordersImport is a command that goes through what 1688 has, page by page, and through one buyer account after the other.
type ordersImport struct {
	ordersSettings
	ask  bus.ImportOrders
	days int
	all  bool

	seen           map[string]bool // orders that were told
	counts         map[worker.ImportState]int
	read, foreign  int
	unread, person bool
}

func newOrdersImport(term terminal) *cobra.Command {
	m := &ordersImport{seen: map[string]bool{}, counts: map[worker.ImportState]int{}}
	return command(term, &cobra.Command{
		Use:   "import --days N",
		Short: "Compare the orders that 1688 has of the last days with what is on record, and settle what it finds",
		Long: "Asks 1688, with a key of each buyer account of the pool, for all orders of the last days, and looks at those that carry one of our\n" +
			"references. What is known already is counted. An order whose request is parked, or of which nothing was known, is a fact: it is\n" +
			"settled as placed, and its request's result published. What contradicts the record is told and left to a person. With --dry-run\n" +
			"nothing is changed. The exit code is 1 if something contradicts, or could not be read. Importing again changes nothing.",
		Example: "  autopurchase orders import --days 3 --by li --dry-run\n  autopurchase orders import --days 1 --by li --why 'after the outage' --json",
	}, m.bind, func(cmd *cobra.Command, _ []string) error {
		m.ask.To = time.Now().UTC()
		m.ask.From = m.ask.To.AddDate(0, 0, -m.days)
		return m.connected(cmd.Context(), func(b *bus.Bus) error { return m.run(cmd.Context(), term, b) })
	})
}

func (m *ordersImport) bind(s *settings) {
	m.ordersSettings.bind(s)
	s.number(&m.days, "days", 1, 1, 366, "how far back, in days of 24 hours")
	s.text(&m.ask.Pool, "pool", defaultPool, "pool whose keys are asked with", worker.CheckName)
	s.flag(&m.ask.DryRun, "dry-run", "change nothing: say what would happen, and count")
	s.flag(&m.all, "all", "tell of known orders too")
	bindAccount(s, &m.ask.By, &m.ask.Why)
}

// run asks for one page after the other until there is none.
func (m *ordersImport) run(ctx context.Context, term terminal, b *bus.Bus) error {
	for {
		page, err := bus.OrdersImport.Ask(ctx, b, m.ask)
		if err != nil {
			return err
		}
		if err := m.tell(term, page); err != nil {
			return err
		}
		if m.ask.Next = page.Next; page.Next == nil {
			break
		}
	}
	m.sum(term.err)
	if m.unread || m.person {
		return errSaid
	}
	return nil
}

// tell says what became of a page. An order that more than one key shows is told once.
func (m *ordersImport) tell(term terminal, page bus.ImportedOrders) error {
	m.read, m.foreign = m.read+len(page.Orders)+page.Foreign, m.foreign+page.Foreign
	for _, o := range page.Orders {
		if m.seen[o.OrderID] {
			continue
		}
		m.seen[o.OrderID] = true
		m.counts[o.State]++
		m.person = m.person || o.State == worker.ImportContradicts
		if o.State == worker.ImportKnown && !m.all {
			continue
		}
		if err := m.line(term.out, o); err != nil {
			return err
		}
	}
	if page.Unread != "" {
		m.unread = true
		fmt.Fprintf(term.err, "app key %s: not read: %s\n", page.AppKey, oneLine(page.Unread))
	}
	if page.Next != nil {
		fmt.Fprintf(term.err, "account %d of %d: %d orders so far\n", page.Account, page.Accounts, m.read)
	}
	return nil
}

func (m *ordersImport) line(out io.Writer, o bus.ImportedOrder) error {
	if m.json {
		return json.NewEncoder(out).Encode(o)
	}
	text := strings.ReplaceAll(string(o.State), "_", " ")
	switch {
	case o.State == worker.ImportFound && m.ask.DryRun:
		text += ": would be settled as placed"
	case o.State == worker.ImportFound:
		text += ": is settled as placed"
	case o.Reason != "":
		text += ": " + o.Reason
	}
	_, err := fmt.Fprintf(out, "%s  %s\n", o.OutOrderID, oneLine(fmt.Sprintf("order %s of 1688, %s, %s", o.OrderID, cmp.Or(o.Status, "status not said"), text)))
	return err
}

// sum counts what was found.
func (m *ordersImport) sum(out io.Writer) {
	parts := []string{fmt.Sprintf("%d that are not ours", m.foreign)}
	for _, state := range slices.Sorted(maps.Keys(m.counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", m.counts[state], strings.ReplaceAll(string(state), "_", " ")))
	}
	would := ""
	if m.ask.DryRun {
		would = "nothing was changed: "
	}
	fmt.Fprintf(out, "%sorders of %d days: %s\n", would, m.days, strings.Join(parts, ", "))
}
