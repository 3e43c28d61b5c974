package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// view is how what is watched is shown.
type view interface {
	show(bus.Message, members) error
	skipped(*bus.Skipped) error
}

// objectView is for machines: a JSON object a line.
type objectView struct{ out io.Writer }

// watched is a message as a machine reads it.
type watched struct {
	Time     time.Time       `json:"time"`
	Subject  string          `json:"subject"`
	Sequence uint64          `json:"sequence,omitempty"` // not of a beat, which no stream holds
	Data     json.RawMessage `json:"data,omitempty"`
	Text     string          `json:"text,omitempty"` // of a body that is no JSON
}

// hole stands where messages were removed before they were read.
type hole struct {
	Skipped struct {
		Stream string `json:"stream"`
		From   uint64 `json:"from"`
		To     uint64 `json:"to"`
	} `json:"skipped"`
}

func (o objectView) show(m bus.Message, _ members) error {
	w := watched{Time: m.Time.UTC(), Subject: m.Subject, Sequence: m.Sequence}
	if json.Valid(m.Data) {
		w.Data = m.Data
	} else {
		w.Text = string(m.Data)
	}
	return json.NewEncoder(o.out).Encode(w)
}

func (o objectView) skipped(s *bus.Skipped) error {
	var h hole
	h.Skipped.Stream, h.Skipped.From, h.Skipped.To = s.Stream, s.From, s.To
	return json.NewEncoder(o.out).Encode(h)
}

// lineView is for people: a line each.
type lineView struct {
	out, err io.Writer
	coloured bool
}

func (l *lineView) show(m bus.Message, of members) error {
	at, text := m.Time.Local().Format(time.DateTime), fmt.Sprintf("  %-44s%s", m.Subject, of.line())
	text = printable(text)
	if l.coloured {
		at, text = faint.of(at), mood(m.Subject, of).of(text)
	}
	_, err := fmt.Fprintln(l.out, at+text)
	return err
}

func (l *lineView) skipped(s *bus.Skipped) error {
	_, err := fmt.Fprintln(l.err, "autopurchase:", s)
	return err
}

// moods are the colours of what words say, wherever a message has them.
var moods = map[string]colour{
	string(worker.OutcomePlaced): green, string(worker.OutcomePartial): yellow, string(worker.OutcomeRefused): yellow, string(worker.OutcomeCancelled): yellow,
	string(worker.OutcomeUnknown): red, string(worker.EventExhausted): red, string(worker.EventBenched): red, string(worker.EventStopped): red,
	string(worker.EventLow): yellow, string(worker.EventSpent): yellow, string(worker.EventEnding): yellow, string(worker.EventRestored): green,
}

// mood is the colour of a message: that of its outcome or its kind, and red for what nobody could handle.
func mood(subject string, of members) colour {
	if strings.HasPrefix(subject, "purchase.dead.") {
		return red
	}
	for _, name := range []string{"outcome", "kind"} {
		if word, ok := of[name].(string); ok {
			return moods[word]
		}
	}
	if paused, _ := of["paused"].(bool); paused {
		return yellow
	}
	return plain
}

// members are those of a message that is a JSON object; nil for any other.
type members map[string]any

func membersOf(body []byte) members {
	var of members
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a float would show a million as 1e+06
	if decoder.Decode(&of) != nil {
		return nil
	}
	return of
}

// shown are the members worth a place on a line, in this order; a buyer's data is none of them.
var shown = []string{
	"request_id", "outcome", "code", "into", "merged_into", "order_id", "event", "state", "late", "why", "status", "topic", "app_key", "products", "used", "held", "left", "limit", "field", "reason",
	"depth", "in_flight", "oldest_seconds", "products_left", "paused_because", "waiting",
}

// line is what of a message is shown behind its subject.
func (of members) line() string {
	if of == nil {
		return "  (not a JSON object)"
	}
	line := ""
	for _, name := range shown {
		if value, ok := of[name]; ok && value != "" {
			line += fmt.Sprintf("  %s=%v", name, value)
		}
	}
	return line + of.list("lines", "%d lines") + of.list("orders", "%d orders") + of.parcels()
}

func (of members) list(name, format string) string {
	if items, ok := of[name].([]any); ok {
		return "  " + fmt.Sprintf(format, len(items))
	}
	return ""
}

// parcels names what was sent: numbers and carriers.
func (of members) parcels() (line string) {
	items, _ := of["parcels"].([]any)
	for _, item := range items {
		parcel, _ := item.(map[string]any)
		line += "  parcel=" + members(parcel).text("number")
		if carrier := cmp.Or(members(parcel).text("carrier"), members(parcel).text("carrier_code")); carrier != "" {
			line += " (" + carrier + ")"
		}
	}
	return line
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
