package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
)

// newWatch follows the queue's subjects.
func newWatch(term terminal) *cobra.Command {
	var nats natsSettings
	var since string
	var asJSON bool
	return command(term, &cobra.Command{
		Use:   "watch [SUBJECT…]",
		Short: "Follow requests, results, status and key-pool events, a line each",
		Long: "Follows subjects (with the wildcards * and >) from now on, or from a time or so long ago. Without a subject: everything.\n" +
			"Requests are shown without their buyers' data, except with --json, which shows every message whole.",
		Example: "  autopurchase watch\n  autopurchase watch --since 1h 'purchase.result.acme.>'\n  autopurchase watch --json 'keypool.event.>'",
		Args:    cobra.ArbitraryArgs,
	}, func(s *settings) {
		nats.bindClient(s)
		s.text(&since, "since", "", "a time (RFC 3339) or how long ago (such as 1h); now if left out", func(text string) error {
			_, err := parseSince(text, time.Now())
			return err
		})
		s.flag(&asJSON, "json", "print one JSON object a line")
	}, func(cmd *cobra.Command, subjects []string) error {
		from, err := parseSince(since, time.Now())
		if err != nil {
			return usage(err)
		}
		show := showLine
		if asJSON {
			show = showObject
		}
		return watch(cmd.Context(), term.err, nats.config("autopurchase-watch", zerolog.Nop()), bus.WatchOptions{Subjects: subjects, Since: from}, func(m bus.Message) error { return show(term.out, m) })
	})
}

func watch(ctx context.Context, said io.Writer, broker bus.Config, options bus.WatchOptions, show func(bus.Message) error) (err error) {
	b, err := bus.Connect(ctx, broker)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for message, err := range b.Watch(ctx, options) {
		if ctx.Err() != nil {
			return nil
		}
		if skipped, ok := errors.AsType[*bus.Skipped](err); ok {
			fmt.Fprintln(said, "autopurchase:", skipped)
			continue
		}
		if err != nil {
			return noQueue(err)
		}
		if err := show(message); err != nil {
			return err
		}
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

// watched is a message as a machine reads it.
type watched struct {
	Time     time.Time       `json:"time"`
	Subject  string          `json:"subject"`
	Sequence uint64          `json:"sequence"`
	Data     json.RawMessage `json:"data,omitempty"`
	Text     string          `json:"text,omitempty"` // of a body that is no JSON
}

func showObject(out io.Writer, m bus.Message) error {
	w := watched{Time: m.Time.UTC(), Subject: m.Subject, Sequence: m.Sequence}
	if json.Valid(m.Data) {
		w.Data = m.Data
	} else {
		w.Text = string(m.Data)
	}
	return json.NewEncoder(out).Encode(w)
}

// shown are the members worth a place on a line, in this order; a buyer's data is none of them.
var shown = []string{"request_id", "outcome", "code", "status", "topic", "app_key", "products", "used", "held", "left", "limit", "field", "reason", "why"}

func showLine(out io.Writer, m bus.Message) error {
	line := fmt.Sprintf("%s  %-44s", m.Time.Local().Format(time.DateTime), m.Subject)
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(m.Data))
	decoder.UseNumber() // a float would show a million as 1e+06
	if err := decoder.Decode(&members); err != nil {
		line += "  (not a JSON object)"
	}
	for _, name := range shown {
		if value, ok := members[name]; ok && value != "" {
			line += fmt.Sprintf("  %s=%v", name, value)
		}
	}
	line += list(members, "lines", "%d lines") + list(members, "orders", "%d orders")
	_, err := fmt.Fprintln(out, printable(line))
	return err
}

// printable keeps a line one line: what others wrote must neither break it nor speak to the terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, line)
}

func list(members map[string]any, name, format string) string {
	if items, ok := members[name].([]any); ok {
		return "  " + fmt.Sprintf(format, len(items))
	}
	return ""
}
