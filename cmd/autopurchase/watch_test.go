package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// happened is a queue in which some things have happened: a request of acme with its result, a refused one on another key, a dead
// letter of each, and a request of another tenant.
func happened(t *testing.T) (nats string) {
	t.Helper()
	nats = queue(t)
	b := connect(t, nats)
	out := b.Outbox()
	for _, tenant := range []string{"acme", "other"} {
		for _, id := range []string{"PR.1", "PR.2"} {
			if _, err := b.Submit(t.Context(), tenant, id, []byte(body(id, 1))); err != nil {
				t.Fatal(err)
			}
		}
		at := time.Now()
		must(t, out.Publish(t.Context(), worker.Result{
			Tenant: tenant, RequestID: "PR.1", Outcome: worker.OutcomePlaced, Code: worker.CodePlaced, AppKey: "1000001", Products: 1, DecidedAt: at,
			Orders: []worker.ResultOrder{{OrderID: "11", OutOrderID: tenant + ".PR=2E1-1", AppKey: "1000001", AlsoOn: []string{"1000003"}, Products: 1, Lines: []int{0}}},
		}))
		must(t, out.Publish(t.Context(), worker.Result{
			Tenant: tenant, RequestID: "PR.2", Outcome: worker.OutcomeRefused, Code: worker.CodeOutOfStock, Reason: "库存 Sold out", AppKey: "1000002", DecidedAt: at,
		}))
		for i, id := range []string{"PR.1", "PR.2"} {
			must(t, out.Bury(t.Context(), worker.DeadLetter{
				Tenant: tenant, Subject: "purchase.request." + tenant + "." + worker.EncodeRef(id), Sequence: uint64(i + 1 + 10*len(tenant)), RequestID: id, Code: worker.CodeInvalid,
				Reason: "poison", At: at,
			}))
		}
	}
	return nats
}

// TestWatchPicks shows exactly what the filters let through, from the beginning.
func TestWatchPicks(t *testing.T) {
	t.Parallel()
	nats := happened(t)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--tenant", "acme"}, []string{"dead.acme", "dead.acme", "request.acme.PR=2E1", "request.acme.PR=2E2", "result.acme.PR=2E1", "result.acme.PR=2E2"}},
		{[]string{"--tenant", "acme", "purchase.result.>"}, []string{"result.acme.PR=2E1", "result.acme.PR=2E2"}},
		{[]string{"--code", "out_of_stock,placed", "purchase.*.acme.>"}, []string{"result.acme.PR=2E1", "result.acme.PR=2E2"}},
		{[]string{"--outcome", "refused"}, []string{"result.acme.PR=2E2", "result.other.PR=2E2"}},
		{[]string{"--key", "1000003", "--tenant", "other"}, []string{"result.other.PR=2E1"}},
		{[]string{"--key", "1000002"}, []string{"result.acme.PR=2E2", "result.other.PR=2E2"}},
		{[]string{"--text", "sold OUT", "--tenant", "acme"}, []string{"result.acme.PR=2E2"}},
	} {
		out := watching(t, append([]string{"--nats", nats, "--since", "1h"}, c.args...)...)
		sees(t, out, c.args, c.want)
	}
	for name, id := range map[string]string{"acme.PR=2E2": "2", "acme.PR=2E1-1": "1"} {
		sees(t, watching(t, "--nats", nats, "--order", name), []string{name}, []string{"dead.acme", "request.acme.PR=2E" + id, "result.acme.PR=2E" + id})
	}
}

// sees waits for as many lines as are wanted and compares their subjects.
func sees(t *testing.T, out *output, args, want []string) {
	t.Helper()
	out.await(t, strings.Join(args, " "), nil, lines(len(want)))
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.TrimPrefix(strings.Fields(line)[2], "purchase."))
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%v shows %v, want %v", args, got, want)
	}
}

// TestWatchUsage: what cannot be meant is told before anything is asked.
func TestWatchUsage(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--outcome \"gone\"":       {"--outcome", "gone"},
		"--code \"nonsense\"":      {"--code", "placed,nonsense"},
		"--tenant \"a b\"":         {"--tenant", "a b"},
		"--color \"maybe\"":        {"--color", "maybe"},
		"--order: shows all":       {"--order", "acme.PR-1", "--since", "1h"},
		"not together with a subj": {"--order", "acme.PR-1", "purchase.>"},
	} {
		refused(t, exitUsage, []string{want}, append([]string{"watch"}, args...)...)
	}
	refused(t, exitFailed, []string{`order "PR-1": must be`}, "watch", "--nats", queue(t), "--order", "PR-1")
}

// TestColours: only where they are wanted, by the outcome, and around text that cannot speak to the terminal itself.
func TestColours(t *testing.T) {
	t.Parallel()
	for subject, c := range map[string]struct {
		body string
		want colour
	}{
		"purchase.result.acme.PR-1":        {`{"outcome":"placed"}`, green},
		"purchase.result.acme.PR-2":        {`{"outcome":"partial"}`, yellow},
		"purchase.result.acme.PR-3":        {`{"outcome":"refused"}`, yellow},
		"purchase.parked.acme.PR-4":        {`{"outcome":"unknown"}`, red},
		"purchase.dead.acme":               {`{"code":"invalid"}`, red},
		"keypool.event.default.exhausted":  {`{"kind":"exhausted"}`, red},
		"keypool.event.default.low":        {`{"kind":"low"}`, yellow},
		"purchase.queue.status.w1":         {`{"paused":true}`, yellow},
		"purchase.request.acme.PR-5":       {`{"request_id":"PR-5"}`, plain},
		"purchase.request.acme.\x1b[31m-6": {`[`, plain},
	} {
		var out bytes.Buffer
		must(t, (&lineView{out: &out, coloured: true}).show(bus.Message{Subject: subject, Data: []byte(c.body)}, membersOf([]byte(c.body))))
		text := strings.TrimPrefix(out.String(), faint.of(time.Time{}.Local().Format(time.DateTime)))
		marked := strings.Count(text, "\x1b")
		if c.want == plain && marked != 0 || c.want != plain && (marked != 2 || !strings.HasPrefix(text, string(c.want)) || !strings.HasSuffix(text, endOfColour+"\n")) {
			t.Errorf("%s: %q", subject, text)
		}
	}
}

func TestWhenToColour(t *testing.T) {
	t.Parallel()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	must(t, err)
	t.Cleanup(func() { must(t, terminal.Close()) })
	env := func(pairs ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for _, p := range pairs {
				if key, value, _ := strings.Cut(p, "="); key == name {
					return value, true
				}
			}
			return "", false
		}
	}
	for _, c := range []struct {
		when string
		env  []string
		tty  bool
		want bool
	}{
		{"auto", nil, true, true}, {"auto", nil, false, false}, {"auto", []string{"NO_COLOR=1"}, true, false}, {"auto", []string{"NO_COLOR="}, true, true},
		{"auto", []string{"TERM=dumb"}, true, false}, {"always", []string{"NO_COLOR=1"}, false, true}, {"never", nil, true, false},
	} {
		set := colours{c.when}
		got := set.on(&bytes.Buffer{}, env(c.env...))
		if c.tty {
			got = set.on(terminal, env(c.env...))
		}
		if got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestAHoleIsShown: to a machine in the place where the messages are missing, to a person beside.
func TestAHoleIsShown(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	gap := &bus.Skipped{Stream: "PURCHASE_RESULTS", From: 3, To: 5}
	must(t, objectView{&out}.skipped(gap))
	if out.String() != `{"skipped":{"stream":"PURCHASE_RESULTS","from":3,"to":5}}`+"\n" {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	must(t, (&lineView{out: &out, err: &errs}).skipped(gap))
	if out.Len() != 0 || !strings.Contains(errs.String(), "messages 3 to 5 were removed") {
		t.Errorf("%s, %s", out.String(), errs.String())
	}
}

// TestWatchSaysThatTheConnectionIsLost, and that it is back, and shows what came meanwhile.
func TestWatchSaysThatTheConnectionIsLost(t *testing.T) {
	t.Parallel()
	server := workertest.NATS(t)
	b := connect(t, server.URL)
	must(t, b.Provision(t.Context()))
	p := launch(t, "watch", "--nats", server.URL, "--json", "--since", "1h")
	submit := func(id string) {
		_, err := b.Submit(t.Context(), "acme", id, []byte(body(id, 1)))
		must(t, err)
	}
	submit("PR.1")
	p.out.await(t, "the first", p.done, lines(1))
	server.Restart()
	p.err.await(t, "back", p.done, func(text string) bool { return strings.Contains(text, "is lost") && strings.Contains(text, "is back") })
	until(t, func() bool { return b.Ready(t.Context()) == nil })
	submit("PR.2")
	p.out.await(t, "the second", p.done, lines(2))
	stopped(t, p)
	for i, line := range slices.Collect(strings.Lines(p.out.String())) {
		if !strings.Contains(line, fmt.Sprintf(`"subject":"purchase.request.acme.PR=2E%d"`, i+1)) {
			t.Errorf("%d: %s", i, line)
		}
	}
}
