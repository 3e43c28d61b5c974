package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// newKeysStatement shows what a key's count is made of.
func newKeysStatement(term terminal) *cobra.Command {
	var k keysSettings
	var from, to string
	var asCSV bool
	return command(term, &cobra.Command{
		Use:   "statement APPKEY",
		Short: "Show what a key's count is made of: every order, reset and change",
		Long: "Shows every order that counts on the key, and what was done to it, with the running count. The products less what was\n" +
			"cleared are what the key has used. A moment is a time (RFC 3339), a day, or how long ago.",
		Example: "  autopurchase keys statement 1000001\n  autopurchase keys statement 1000001 --from 2026-11-01 --to 2026-12-01 --csv > november.csv",
		Args:    cobra.ExactArgs(1),
	}, func(s *settings) {
		k.bind(s)
		s.text(&from, "from", "", "rows from this moment on, such as 2026-11-01 or 24h; from the beginning if left out", aMoment)
		s.text(&to, "to", "", "rows before this moment; to the end if left out", aMoment)
		s.flag(&asCSV, "csv", "print comma-separated values, one row a line under a line of names")
	}, func(cmd *cobra.Command, args []string) error {
		if asCSV && k.json {
			return usage(errors.New("--csv and --json: only one of them can be printed"))
		}
		now := time.Now()
		ask := bus.AskStatement{Pool: k.pool, AppKey: args[0]}
		ask.From, _ = parseMoment(from, now) // checked already
		ask.To, _ = parseMoment(to, now)
		show := showStatement
		switch {
		case asCSV:
			show = writeStatement
		case k.json:
			show = func(out io.Writer, s bus.StatementPage) error { return json.NewEncoder(out).Encode(s) }
		}
		return k.connected(cmd.Context(), func(b *bus.Bus) error {
			whole, err := readStatement(cmd.Context(), b, ask)
			if err != nil {
				return err
			}
			return show(term.out, whole)
		})
	})
}

func aMoment(text string) error {
	_, err := parseMoment(text, time.Now())
	return err
}

// parseMoment reads a day, which begins at midnight here, or what parseSince reads.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return day, nil
	}
	at, err := parseSince(text, now)
	if err != nil {
		err = errors.New("must be a time such as 2026-01-31T08:00:00+08:00, a day such as 2026-01-31, or how long ago, such as 24h")
	}
	return at, err
}

// errGrew says that the parts of a statement do not follow each other.
var errGrew = errors.New("orders that were decided earlier came on record while the statement was read: ask again")

// readStatement puts the parts together, and begins anew if something was added between rows that were read.
func readStatement(ctx context.Context, b *bus.Bus, ask bus.AskStatement) (whole bus.StatementPage, err error) {
	for range 3 {
		if whole, err = readParts(ctx, b, ask); !errors.Is(err, errGrew) {
			return whole, err
		}
	}
	return whole, err
}

func readParts(ctx context.Context, b *bus.Bus, ask bus.AskStatement) (bus.StatementPage, error) {
	whole, err := bus.KeysStatement.Ask(ctx, b, ask)
	for err == nil && whole.Next > 0 {
		var part bus.StatementPage
		ask.After = whole.Next
		if part, err = bus.KeysStatement.Ask(ctx, b, ask); err == nil && part.Opening != whole.Closing {
			err = errGrew
		}
		whole.Rows = append(whole.Rows, part.Rows...)
		whole.Closing, whole.Used, whole.Counted, whole.Next = part.Closing, part.Used, part.Counted, part.Next
	}
	return whole, err
}

var statementColumns = []string{"at", "kind", "tenant", "request_id", "out_order_id", "order_ids", "also_on", "products", "cleared", "count",
	"limit", "state", "version", "account", "alipay", "source", "fingerprint", "step", "verdict", "by", "why"}

func writeStatement(out io.Writer, s bus.StatementPage) error {
	table := csv.NewWriter(out)
	_ = table.Write(statementColumns) // Error tells of it
	for _, r := range s.Rows {
		_ = table.Write([]string{r.At.Format(time.RFC3339Nano), string(r.Kind), r.Tenant, r.RequestID, r.OutOrderID,
			strings.Join(r.OrderIDs, " "), strings.Join(r.AlsoOn, " "), number(r.Products), number(r.Cleared), number(r.Count),
			some(r.Limit), r.State, some(r.Version), r.Account, r.Alipay, r.Source, r.Print, r.Step, r.Verdict, r.By, r.Why})
	}
	table.Flush()
	return table.Error()
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func showStatement(out io.Writer, s bus.StatementPage) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "AT\tWHAT\tORDER\tPRODUCTS\tCLEARED\tCOUNT\tNOTES")
	for _, r := range s.Rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", r.At.Local().Format(time.DateTime), r.Kind, r.OutOrderID, some(r.Products), some(r.Cleared),
			r.Count, printable(notes(r)))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "opening %d, closing %d; used in all %d\n", s.Opening, s.Closing, s.Used)
	if s.Counted != s.Used && err == nil {
		_, err = fmt.Fprintf(out, "the pool counts %d: orders whose request is not decided yet, or whose result is no longer on record\n", s.Counted)
	}
	return err
}

// some leaves a cell empty rather than 0.
func some(n int64) string {
	if n == 0 {
		return ""
	}
	return number(n)
}

// notes is what else is worth a place on a line.
func notes(r worker.Row) string {
	var notes []string
	add := func(what, text string) {
		if text != "" {
			notes = append(notes, what+text)
		}
	}
	add("1688 ", strings.Join(r.OrderIDs, " "))
	add("also on ", strings.Join(r.AlsoOn, " "))
	add("limit ", some(r.Limit))
	add("", r.State)
	if r.Kind == worker.RowKind(worker.EventAdded) || r.Kind == worker.RowKind(worker.EventChanged) {
		add("account ", r.Account)
		add("alipay ", r.Alipay)
		add("", r.Source)
	}
	add("fingerprint ", r.Print)
	add(r.Verdict+" ", r.Step)
	add("by ", r.By)
	add("", r.Why)
	return strings.Join(notes, ", ")
}
