package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/dashboard"
	"autopurchase/worker"
)

// TestADashboardElsewhere shows a queue that runs in another process, with an index of its own, and the one that up has shows the
// same. Nobody changes anything where there is no administrators' token.
func TestADashboardElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	h.buy("acme", 3, 3)
	d := launch(t, "dashboard", "--nats", h.where["nats"], "--http", "127.0.0.1:0", "--data", t.TempDir())
	base := strings.TrimSuffix(d.says("dashboard is up", "http"), "/")
	for _, base := range []string{base, h.where["http"]} {
		for path, want := range map[string]string{"/": "Pool <bdi>default</bdi>", "/requests": "acme.2", "/keys": "1000001", "/readyz": "ok",
			"/requests/one?tenant=acme&id=acme.2": "What happened", "/keys/default/1000001/statement.csv": "acme.acme=2E2"} {
			shows(t, base+path, want)
		}
	}
	shows(t, base+"/login", "nothing can be changed here")
	stopped(t, d, h.up)
}

// shows waits until a page has a text: what was just bought may not be in the index yet.
func shows(t *testing.T, url, want string) {
	t.Helper()
	for tick, late := time.Tick(50*time.Millisecond), time.After(patience); ; {
		answer, err := http.Get(url)
		must(t, err)
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK && strings.Contains(string(body), want) {
			return
		}
		select {
		case <-tick:
		case <-late:
			t.Fatalf("%s does not show %q: %s\n%s", url, want, answer.Status, body)
		}
	}
}

// TestWhoMaySeeADashboard: what is wrong with a token, or the lack of one, is said before anything starts.
func TestWhoMaySeeADashboard(t *testing.T) {
	t.Parallel()
	short, open := filepath.Join(t.TempDir(), "short"), filepath.Join(t.TempDir(), "open")
	must(t, os.WriteFile(short, []byte("secret\n"), 0o600))
	must(t, os.WriteFile(open, []byte("a-token-of-some-length\n"), 0o600))
	must(t, os.Chmod(open, 0o644))
	for _, command := range [][]string{{"dashboard"}, {"up", "--data", t.TempDir()}, {"demo"}} {
		refused(t, exitUsage, []string{"--http \":7720\": is not loopback", "--dashboard-token-file"}, append(command, "--http", ":7720")...)
		refused(t, exitUsage, []string{"--dashboard-token-file", "must hold at least 16 characters"}, append(command, "--dashboard-token-file", short)...)
		refused(t, exitUsage, []string{"--dashboard-token-file", "others can read"}, append(command, "--dashboard-token-file", open)...)
	}
	refused(t, exitUsage, []string{"--admin-token-file", "must hold"}, "dashboard", "--admin-token-file", short)
}

// TestAStatementIsNoFormula for the spreadsheet in which it is opened.
func TestAStatementIsNoFormula(t *testing.T) {
	row := worker.Row{RequestID: "=1+1", Why: "+cmd", By: "@li"}
	harmless(&row)
	if row.RequestID != "'=1+1" || row.Why != "'+cmd" || row.By != "'@li" {
		t.Errorf("%+v", row)
	}
}

// TestAPersonsWordOnAStepByTheDashboard is kept as one by message is.
func TestAPersonsWordOnAStepByTheDashboard(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	w := window{bus: connect(t, h.where["nats"])}
	signed := dashboard.Signed{ID: "desk-1", By: "li", Why: "an old account"}
	said, err := w.ChangeStep(t.Context(), dashboard.StepChange{Pool: "default", AppKey: "1000001", Step: "company", Verdict: worker.StepWaived, Signed: signed})
	if err != nil || !strings.Contains(said, "1000001") {
		t.Fatalf("%q, %v", said, err)
	}
	got, err := w.Key(t.Context(), "default", "1000001")
	must(t, err)
	if step := got.Steps[1]; step.Step != "company" || step.Verdict != worker.StepWaived || step.By != "li" || step.Why != "an old account" {
		t.Errorf("%+v", step)
	}
	if _, err := w.ChangeStep(t.Context(), dashboard.StepChange{Pool: "default", AppKey: "none", Step: "company", Verdict: worker.StepPassed, Signed: dashboard.Signed{ID: "desk-2", By: "li"}}); err == nil {
		t.Error("a key that is not there takes a step")
	}
}
