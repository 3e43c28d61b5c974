package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// watchSettings say what of the queue's messages a person wants to see, and how.
type watchSettings struct {
	nats   natsSettings
	colour colours
	since  string
	order  string
	tenant string
	pick   pick
	json   bool
}

// newWatch follows the queue's subjects.
func newWatch(term terminal) *cobra.Command {
	var w watchSettings
	return command(term, &cobra.Command{
		Use:   "watch [SUBJECT…]",
		Short: "Follow requests, results, status and key-pool events, a line each",
		Long: "Follows subjects (with the wildcards * and >) from now on, from a time or so long ago, or from the beginning of one order on.\n" +
			"Without a subject: everything that a stream holds; the instances' beats are on purchase.queue.status.*.\n" +
			"Of several filters each must fit. Requests are shown without their buyers' data, except with --json, which shows every message\n" +
			"whole, and {\"skipped\": …} where messages were removed before they were read. What else there is to say is on standard error:\n" +
			"that the connection is lost or back, and what this user may not see. A publisher watches its own: --tenant, or --order.",
		Example: "  autopurchase watch\n  autopurchase watch --since 1h 'purchase.result.acme.>'\n  autopurchase watch --order acme.PR=2E1\n" +
			"  autopurchase watch --tenant acme --outcome refused,partial --text out_of_stock\n  autopurchase watch --json 'keypool.event.>'\n" +
			"  autopurchase watch 'purchase.queue.status.*'",
		Args: cobra.ArbitraryArgs,
	}, w.bind, func(cmd *cobra.Command, subjects []string) error {
		if w.order != "" && (len(subjects) > 0 || w.since != "" || w.tenant != "") {
			return usage(errors.New("--order: shows all that is about one request, from its beginning on: not together with a subject, --since or --tenant"))
		}
		from, err := parseSince(w.since, time.Now())
		if err != nil {
			return usage(err)
		}
		return w.run(cmd.Context(), term, bus.WatchOptions{Subjects: subjects, Tenant: w.tenant, Since: from})
	})
}

func (w *watchSettings) bind(s *settings) {
	w.nats.bindClient(s)
	w.colour.bind(s)
	s.text(&w.since, "since", "", "a time (RFC 3339) or how long ago (such as 1h); now if left out", func(text string) error {
		_, err := parseSince(text, time.Now())
		return err
	})
	s.text(&w.order, "order", "", "all about one request, from its beginning on: <tenant>.<ref> as in its subjects, or the reference of one of its orders")
	s.text(&w.tenant, "tenant", "", "only this tenant's", worker.CheckName)
	w.pick.bind(s)
	s.flag(&w.json, "json", "print one JSON object a line")
}

// run shows messages until ctx ends.
func (w *watchSettings) run(ctx context.Context, term terminal, options bus.WatchOptions) (err error) {
	broker := w.nats.config("autopurchase-watch", zerolog.Nop())
	said := &notices{out: term.err}
	broker.Connected = said.connected
	b, err := bus.Connect(ctx, broker)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if w.order != "" {
		if options, err = w.beginning(ctx, b, said); err != nil {
			return noQueue(err)
		}
	}
	screen := w.view(term)
	for message, err := range b.Watch(ctx, options) {
		if ctx.Err() != nil {
			return nil
		}
		if err := w.one(message, err, said, screen); err != nil {
			return err
		}
	}
	return nil
}

func (w *watchSettings) view(term terminal) view {
	if w.json {
		return objectView{term.out}
	}
	return &lineView{out: term.out, err: term.err, coloured: w.colour.on(term.out, term.env)}
}

// beginning finds out where the watched order begins.
func (w *watchSettings) beginning(ctx context.Context, b *bus.Bus, said *notices) (bus.WatchOptions, error) {
	origin, err := b.Origin(ctx, w.order)
	if err == nil && origin.Asked.IsZero() {
		said.say(fmt.Sprintf("no request %s of %s is on record: what else is known of it is shown, and what comes", printable(origin.ID), origin.Tenant))
	}
	w.pick.order = &origin
	return origin.Options(), err
}

// one shows a message if it is wanted, or says what there is instead.
func (w *watchSettings) one(m bus.Message, err error, said *notices, on view) error {
	if skipped, ok := errors.AsType[*bus.Skipped](err); ok {
		return on.skipped(skipped)
	}
	if withheld, ok := errors.AsType[*bus.Withheld](err); ok {
		said.say(withheld.Error())
		return nil
	}
	if err != nil {
		return noQueue(err)
	}
	if of := membersOf(m.Data); w.pick.wants(m, of) {
		return on.show(m, of)
	}
	return nil
}

// parseSince reads a moment: RFC 3339, or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, errors.New("must be a time such as 2026-01-31T08:00:00+08:00 or how long ago, such as 1h")
	}
	return at, nil
}

// notices are told beside what is shown.
type notices struct{ out io.Writer }

func (n *notices) say(text string) { fmt.Fprintln(n.out, "autopurchase:", text) }

func (n *notices) connected(up bool) {
	if up {
		n.say("the connection to NATS is back")
	} else {
		n.say("the connection to NATS is lost: waiting for it")
	}
}
