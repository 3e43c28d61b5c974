package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// TestDeadLettersByTheThousand are counted, replayed, come back counting their replays, and are dropped.
func TestDeadLettersByTheThousand(t *testing.T) {
	t.Parallel()
	const many = 1000
	h := newHouse(t, "server")
	nats := h.where["nats"]
	b, err := bus.Connect(t.Context(), bus.Config{URL: nats, Name: "test"})
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	poison := func(yield func(bus.Submission) bool) {
		for i := range many {
			id := fmt.Sprint("poison-", i)
			if !yield(bus.Submission{ID: id, Body: []byte(`{"request_id":"` + id + `"}`)}) {
				return
			}
		}
	}
	must(t, b.SubmitAll(t.Context(), "acme", poison, func(o bus.Outcome) { must(t, o.Err) }))
	dead := func(args ...string) (int, string, string) {
		return execute(t, nil, append([]string{"dead", args[0], "--nats", nats}, args[1:]...)...)
	}
	letters := func(want int) (last worker.Dead) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for {
			code, out, errs := dead("list", "--json", "--tenant", "acme")
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if code != exitOK || ctx.Err() != nil {
				t.Fatalf("exit %d, %d lines: %s", code, len(lines), errs)
			}
			if len(lines) == want {
				must(t, json.Unmarshal([]byte(lines[want-1]), &last))
				return last
			}
		}
	}
	letters(many)
	by := []string{"--code", "invalid", "--by", "li", "--why", "fixed"}
	if code, _, errs := dead(append([]string{"replay", "--dry-run"}, by...)...); code != exitOK || !strings.Contains(errs, "it would be: 1000 replayed\n") {
		t.Errorf("exit %d: %s", code, errs)
	}
	refused(t, exitUsage, []string{"--yes: is required", "replay 1000 of them"}, append([]string{"dead", "replay", "--nats", nats}, by...)...)
	if code, _, errs := dead(append([]string{"replay", "--yes"}, by...)...); code != exitOK || !strings.Contains(errs, "1000 of 1000") || !strings.HasSuffix(errs, "1000 replayed\n") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if last := letters(2 * many); last.Replays != 1 || last.Origin == 0 {
		t.Errorf("%+v", last)
	}
	if code, out, errs := dead("replay", "1", "--by", "li"); code != exitOK || !strings.HasPrefix(out, "1  already replayed: acme/poison-") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, _ := dead("show", "1"); code != exitOK || !strings.Contains(out, "already_replayed") || !strings.Contains(out, "refused") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errs := dead("drop", "--tenant", "acme", "--by", "li", "--yes", "--json"); code != exitOK || !strings.HasSuffix(errs, "2000 dropped\n") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, out, _ := dead("list", "--json"); code != exitOK || out != "" {
		t.Errorf("exit %d: %s", code, out)
	}
	stopped(t, h.up)
}

func TestDeadWrongUsage(t *testing.T) {
	t.Parallel()
	refused(t, exitUsage, []string{"nothing is named"}, "dead", "replay", "--by", "li")
	refused(t, exitUsage, []string{"--by: is required"}, "dead", "drop", "17")
	refused(t, exitUsage, []string{`"PR-1": must be a letter's number`}, "dead", "drop", "PR-1", "--by", "li")
	refused(t, exitUsage, []string{`"0": must be a letter's number`}, "dead", "show", "0")
	refused(t, exitUsage, []string{`unknown command "eat"`}, "dead", "eat")
}
