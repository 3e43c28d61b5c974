package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// queue is a NATS with the streams on it and nobody at work.
func queue(t *testing.T) string {
	t.Helper()
	nats := workertest.NATS(t).URL
	must(t, connect(t, nats).Provision(t.Context()))
	return nats
}

// body is a sample request as it is written in a file.
func body(id string, seed uint64) string {
	return string(schemas.AppendRequest(nil, newSamples(sim1688.DefaultCatalogue(), seed).request(id)))
}

// publish runs the command on a file's content, given on standard input, and reads the fates that it prints.
func publish(t *testing.T, nats, content string) (code int, fates []fate, stdout, stderr string) {
	t.Helper()
	var out, errs output
	code = run(t.Context(), []string{"publish", "-", "--json", "--nats", nats, "--tenant", "acme"}, terminal{
		in: strings.NewReader(content), out: &out, err: &errs, env: func(string) (string, bool) { return "", false },
	})
	for line := range strings.Lines(out.String()) {
		var f fate
		must(t, json.Unmarshal([]byte(line), &f))
		fates = append(fates, f)
	}
	return code, fates, out.String(), errs.String()
}

func TestPublishTellsEachFate(t *testing.T) {
	t.Parallel()
	nats := queue(t)
	if code, fates, _, errs := publish(t, nats, body("PR.1", 1)+"\n\n"+body("PR.2", 2)+"\n"); code != exitOK || len(fates) != 2 ||
		fates[0] != (fate{Line: 1, RequestID: "PR.1", Status: "accepted", Sequence: 1}) || fates[1] != (fate{Line: 3, RequestID: "PR.2", Status: "accepted", Sequence: 2}) ||
		errs != "2 published\n" {
		t.Errorf("exit %d, %+v, %s", code, fates, errs)
	}
	mixed := []string{
		body("PR.1", 1), // as before
		body("PR.2", 9), // another purchase
		`{"request_id":"PR.9","deliver_to":{"mobile":` + markerPhone + `}}`,
		`{bad ` + markerPhone,
		body("PR.3", 3),
	}
	code, fates, out, errs := publish(t, nats, strings.Join(mixed, "\n"))
	if code != exitFailed || len(fates) != len(mixed) || errs != "3 of 5 were refused\n" {
		t.Fatalf("exit %d, %+v, %s", code, fates, errs)
	}
	byLine := map[int]fate{}
	for _, f := range fates {
		byLine[f.Line] = f
	}
	for line, want := range map[int]string{1: "PR.1 replay", 2: "PR.2 conflict", 3: "PR.9 invalid", 4: " invalid", 5: "PR.3 accepted"} {
		f := byLine[line]
		if got := f.RequestID + " " + f.Status; got != want {
			t.Errorf("line %d: %+v, want %s", line, f, want)
		}
		if refused := f.Status == "conflict" || f.Status == "invalid"; refused != (f.Reason != "") {
			t.Errorf("line %d: the reason is %q", line, f.Reason)
		}
	}
	if strings.Contains(out+errs, markerPhone) {
		t.Errorf("a phone is repeated: %s%s", out, errs)
	}
}

func TestPublishReadsAnArray(t *testing.T) {
	t.Parallel()
	nats := queue(t)
	code, fates, _, _ := publish(t, nats, "\n[\n"+body("PR.1", 1)+",\n"+body("PR.2", 2)+"\n]\n")
	if code != exitOK || len(fates) != 2 || fates[0].Line != 3 || fates[1].Line != 4 {
		t.Errorf("exit %d, %+v", code, fates)
	}
	code, fates, _, _ = publish(t, nats, "["+body("PR.3", 1)+",\n{]")
	if code != exitFailed || len(fates) != 2 || fates[0].Status+fates[1].Status == "" {
		t.Errorf("exit %d, %+v", code, fates)
	}
}

func TestPublishTellsAPerson(t *testing.T) {
	t.Parallel()
	nats := queue(t)
	path, _ := sampleFile(t, "PR", 2)
	code, out, errs := execute(t, nil, "publish", path, "--nats", nats)
	if code != exitOK || out != "line 1: PR.0 accepted\nline 2: PR.1 accepted\n" || errs != "2 published\n" {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	bad := write(t, "bad.ndjson", []byte("{\"request_id\":\"a\\u001b[31m\"}\n"))
	code, out, errs = execute(t, nil, "publish", bad, "--nats", nats)
	if code != exitFailed || !strings.HasPrefix(out, "line 1: ") || strings.Count(out, "\n") != 1 || strings.Contains(out, "\x1b") || errs != "1 of 1 were refused\n" {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	if code, out, errs := execute(t, nil, "publish", write(t, "empty", nil), "--nats", nats); code != exitOK || out != "" || errs != "0 published\n" {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

// watching runs the watch command until the test ends.
func watching(t *testing.T, args ...string) (out *output) {
	t.Helper()
	out = &output{}
	var errs output
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"watch"}, args...), terminal{
			in: strings.NewReader(""), out: out, err: &errs, env: func(string) (string, bool) { return "", false },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != exitOK || errs.String() != "" {
			t.Errorf("watch: exit %d: %s", code, errs.String())
		}
	})
	return out
}

func lines(n int) func(string) bool {
	return func(text string) bool { return strings.Count(text, "\n") >= n }
}

// TestWatch follows what was published before it began, for a program and for a person.
func TestWatch(t *testing.T) {
	t.Parallel()
	nats := queue(t)
	request := newSamples(sim1688.DefaultCatalogue(), 1).request("PR.1")
	request.DeliverTo.FullName, request.DeliverTo.Mobile, request.DeliverTo.Address = markerName, markerPhone, markerStreet
	if code, _, _, errs := publish(t, nats, string(schemas.AppendRequest(nil, request))); code != exitOK {
		t.Fatal(errs)
	}
	must(t, connect(t, nats).Outbox().Publish(t.Context(), worker.Result{
		Tenant: "acme", RequestID: "PR.1", Outcome: worker.OutcomeRefused, Code: worker.CodeOutOfStock, Reason: "sold\x1b[31m\nout",
		Products: 3_000_000, DecidedAt: time.Now(),
	}))

	out := watching(t, "--nats", nats, "--since", "1h", "--json")
	out.await(t, "two messages", nil, lines(2))
	seen := map[string]watched{}
	for line := range strings.Lines(out.String()) {
		var w watched
		must(t, json.Unmarshal([]byte(line), &w))
		seen[w.Subject] = w
	}
	result := seen["purchase.result.acme.PR=2E1"]
	if len(seen) != 2 || result.Sequence != 1 || time.Since(result.Time) > time.Hour || !strings.Contains(string(result.Data), `"refused"`) ||
		!strings.Contains(string(seen["purchase.request.acme.PR=2E1"].Data), `"request_id":"PR.1"`) {
		t.Errorf("watch --json: %s", out)
	}

	out = watching(t, "--nats", nats, "--since", "1h")
	out.await(t, "two lines", nil, lines(2))
	text := out.String()
	for _, want := range []string{"purchase.request.acme.PR=2E1", fmt.Sprintf("%d lines", len(request.Lines)), "request_id=PR.1", "outcome=refused", "code=out_of_stock", "products=3000000"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Count(text, "\n") != 2 || strings.Contains(text, "\x1b") {
		t.Errorf("a message breaks its line: %q", text)
	}
	for _, secret := range []string{markerPhone, markerName, markerStreet} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is shown:\n%s", secret, text)
		}
	}
}

// TestWatchFromNowOn shows what comes on the wanted subjects and nothing else.
func TestWatchFromNowOn(t *testing.T) {
	t.Parallel()
	nats := queue(t)
	publish(t, nats, body("PR.0", 1))
	out := watching(t, "--nats", nats, "purchase.request.acme.>")
	b := connect(t, nats)
	// It says nothing when it is ready; what is published again and again is seen as soon as it is.
	for n := 1; !strings.Contains(out.String(), "purchase.request.acme.PR=2E"); n++ {
		if n > 1000 {
			t.Fatal("nothing is shown")
		}
		for _, tenant := range []string{"other", "acme"} {
			receipt, err := b.Submit(t.Context(), tenant, fmt.Sprintf("PR.%d", n), []byte(body(fmt.Sprintf("PR.%d", n), 1)))
			if err != nil || receipt.Fate != bus.Accepted {
				t.Fatalf("%+v, %v", receipt, err)
			}
		}
	}
	if text := out.String(); strings.Contains(text, "other") || strings.Contains(text, "PR=2E0 ") {
		t.Errorf("too much is shown:\n%s", text)
	}
}
