package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// newDead lets people look at dead letters and hand them out again, through the same messages that any other program may send.
func newDead(term terminal) *cobra.Command {
	dead := &cobra.Command{
		Use:   "dead",
		Short: "Look at dead letters, replay their requests and drop them",
		Long: "A request that cannot be read or is given up becomes a dead letter, which says why and points to the stored request. It is\n" +
			"listed, replayed and dropped by its number, through the messages purchase.admin.dead-list, -show, -replay and -drop.",
		Example: "  autopurchase dead list\n  autopurchase dead replay --code internal --by li --dry-run",
	}
	group(dead)
	dead.AddCommand(newDeadList(term), newDeadShow(term), newDeadReplay(term), newDeadDrop(term))
	return dead
}

// deadFilter picks letters.
type deadFilter struct {
	tenant, text, since, until string
	codes                      []string
}

func (f *deadFilter) bind(s *settings) {
	s.text(&f.tenant, "tenant", "", "only this tenant's", worker.CheckName)
	s.list(&f.codes, "code", "only those with these codes, separated by commas, such as invalid,internal")
	s.text(&f.text, "text", "", "only those with this in the request id, the subject, the field or the reason")
	s.text(&f.since, "since", "", "only those that came since then: a time (RFC 3339), a day, or how long ago", aMoment)
	s.text(&f.until, "until", "", "only those that came before then", aMoment)
}

func (f *deadFilter) given() bool {
	return f.tenant != "" || f.text != "" || f.since != "" || f.until != "" || len(f.codes) > 0
}

func (f *deadFilter) question() bus.ListDead {
	now := time.Now()
	q := bus.ListDead{Tenant: f.tenant, Text: f.text}
	for _, code := range f.codes {
		q.Codes = append(q.Codes, worker.Code(code))
	}
	if f.since != "" {
		q.From, _ = parseMoment(f.since, now) // it was checked
	}
	if f.until != "" {
		q.To, _ = parseMoment(f.until, now) // it was checked
	}
	return q
}

// letters gives all that the filter picks, page by page.
func (f *deadFilter) letters(ctx context.Context, b *bus.Bus, take func([]worker.Dead) error) error {
	for q := f.question(); ; {
		page, err := bus.DeadList.Ask(ctx, b, q)
		if err == nil {
			err = take(page.Letters)
		}
		if err != nil || page.Next == 0 {
			return err
		}
		q.After = page.Next
	}
}

func newDeadList(term terminal) *cobra.Command {
	var o ordersSettings
	var f deadFilter
	return command(term, &cobra.Command{
		Use: "list", Short: "List dead letters, the oldest first", Example: "  autopurchase dead list\n  autopurchase dead list --code invalid --since 24h --json",
	}, func(s *settings) {
		o.bind(s)
		f.bind(s)
	}, func(cmd *cobra.Command, _ []string) error {
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			if o.json {
				out := json.NewEncoder(term.out)
				return f.letters(cmd.Context(), b, func(letters []worker.Dead) error {
					return each(letters, func(d worker.Dead) error { return out.Encode(d) })
				})
			}
			table := tabwriter.NewWriter(term.out, 0, 4, 2, ' ', 0)
			fmt.Fprintln(table, "LETTER\tCAME\tTENANT\tREQUEST\tCODE\tATTEMPT\tREPLAYS\tREASON")
			err := f.letters(cmd.Context(), b, func(letters []worker.Dead) error {
				return each(letters, func(d worker.Dead) error { return rowOf(table, d) })
			})
			return errors.Join(err, table.Flush())
		})
	})
}

func each[T any](items []T, do func(T) error) error {
	for _, item := range items {
		if err := do(item); err != nil {
			return err
		}
	}
	return nil
}

func rowOf(out io.Writer, d worker.Dead) error {
	reason := d.Reason
	if d.Field != "" {
		reason = d.Field + ": " + reason
	}
	_, err := fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", d.Sequence, d.At.Local().Format(time.DateTime), d.Tenant, printable(d.RequestID),
		d.Code, d.Attempt, d.Replays, oneLine(reason))
	return err
}

func newDeadShow(term terminal) *cobra.Command {
	var o ordersSettings
	return command(term, &cobra.Command{
		Use: "show LETTER", Short: "Show a dead letter and what became of its request", Example: "  autopurchase dead show 17", Args: cobra.ExactArgs(1),
	}, o.bind, func(cmd *cobra.Command, args []string) error {
		sequence, err := letterNumber(args[0])
		if err != nil {
			return usage(err)
		}
		return o.connected(cmd.Context(), func(b *bus.Bus) error {
			shown, err := bus.DeadShow.Ask(cmd.Context(), b, bus.ShowDead{Sequence: sequence})
			if err != nil {
				return err
			}
			return showDead(term.out, shown, o.json)
		})
	})
}

func showDead(out io.Writer, d bus.ShownDead, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(d)
	}
	stored := "no longer on record"
	if d.Bytes > 0 {
		stored = fmt.Sprintf("%d bytes, message %d, published %s", d.Bytes, d.Stored, d.PublishedAt.Local().Format(time.DateTime))
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, row := range [][2]string{
		{"letter", fmt.Sprintf("%d, came %s", d.Sequence, d.At.Local().Format(time.DateTime))}, {"subject", printable(d.Subject)},
		{"request", printable(d.RequestID)}, {"code", string(d.Code)}, {"field", oneLine(d.Field)}, {"reason", oneLine(d.Reason)},
		{"attempt", strconv.Itoa(d.Attempt)}, {"replays", strconv.Itoa(d.Replays)}, {"stored", stored}, {"result", string(d.Outcome)}, {"replay", oneLine(d.Replay)},
	} {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	return table.Flush()
}

func letterNumber(name string) (uint64, error) {
	sequence, err := strconv.ParseUint(name, 10, 63)
	if err != nil || sequence == 0 {
		return 0, fmt.Errorf("%q: must be a letter's number, as dead list has it", name)
	}
	return sequence, nil
}

// deadMany is a command that does something to letters.
type deadMany struct {
	bulk
	deadFilter
}

func (m *deadMany) bind(s *settings) {
	m.bulk.bind(s)
	m.deadFilter.bind(s)
}

func (m *deadMany) command(term terminal, c *cobra.Command, j job) *cobra.Command {
	return m.bulk.command(term, c, m.bind, finder{"autopurchase-dead", checkLetter, m.given, m.find}, j)
}

func checkLetter(name string) error {
	_, err := letterNumber(name)
	return err
}

// find gives the letters that the filter picks.
func (m *deadMany) find(ctx context.Context, b *bus.Bus, take func(string)) error {
	return m.letters(ctx, b, func(letters []worker.Dead) error {
		for _, letter := range letters {
			take(strconv.FormatUint(letter.Sequence, 10))
		}
		return nil
	})
}

func (m *deadMany) question(name string) bus.ChangeDead {
	sequence, _ := letterNumber(name) // it was checked
	return bus.ChangeDead{Sequence: sequence, DryRun: m.dryRun, By: m.by, Why: m.why}
}

func newDeadReplay(term terminal) *cobra.Command {
	m := &deadMany{}
	return m.command(term, &cobra.Command{
		Use:   "replay LETTER…",
		Short: "Hand the requests of dead letters out again",
		Long: "Hands the stored request of each letter out again, named by its number or picked by a filter. Its claims keep it from being\n" +
			"bought twice; a result that stands is not replaced. The same letter again does nothing; a request that fails again comes back\n" +
			"as a new letter, which counts its replays. One that cannot be replayed says why, and the exit code is 1.",
		Example: "  autopurchase dead replay 17 --by li\n  autopurchase dead replay --code internal --since 24h --by li --why 'the bug is fixed' --dry-run",
	}, job{"replay", func(ctx context.Context, b *bus.Bus, name string) ending {
		answer, err := bus.DeadReplay.Ask(ctx, b, m.question(name))
		if err != nil {
			return failed(name, err)
		}
		what := "replayed"
		if answer.Answer == bus.AlreadyReplayed {
			what = "already replayed"
		}
		return ending{done: true, what: what, text: answer.Tenant + "/" + answer.RequestID + " on " + answer.Subject, body: answer}
	}})
}

func newDeadDrop(term terminal) *cobra.Command {
	m := &deadMany{}
	return m.command(term, &cobra.Command{
		Use:   "drop LETTER…",
		Short: "Remove dead letters",
		Long: "Removes letters, named by their numbers or picked by a filter. Who did it and why stays on record, on\n" +
			"purchase.journal.<tenant>.<ref>. The stored requests and their results are not touched.",
		Example: "  autopurchase dead drop 17 --by li --why 'bought by hand'\n  autopurchase dead drop --code invalid --until 720h --by li --dry-run",
	}, job{"drop", func(ctx context.Context, b *bus.Bus, name string) ending {
		answer, err := bus.DeadDrop.Ask(ctx, b, m.question(name))
		if err != nil {
			return failed(name, err)
		}
		what := "dropped"
		if !answer.Dropped {
			what = "gone before"
		}
		return ending{done: true, what: what, text: answer.Reason, body: answer}
	}})
}
