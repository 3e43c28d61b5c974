package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/workertest"
)

// notRun are the examples that cannot be run here, with the reason.
var notRun = map[string]string{
	"autopurchase dashboard --http :7720 --dashboard-token-file read-token --admin-token-file admin-token --nats-nkey auth/admin.nk":                 "needs a NATS with users",
	"autopurchase provision --nats nats://nats.example.com:4222 --nats-nkey auth/provisioner.nk --replicas 3":                                        "needs three NATS servers",
	"autopurchase worker --redis 'redis-sentinel://10.0.0.1:26379/0?master_name=main&addr=10.0.0.2:26379' --channel wss://relay.example.com/channel": "needs Sentinels",
	"autopurchase worker --redis 'redis-cluster://10.0.0.1:6379?addr=10.0.0.2:6379' --channel wss://relay.example.com/channel":                       "needs a Redis Cluster",
}

// saysNo are the examples that are answered with no here, and words of the answer: what they ask about is not there.
var saysNo = map[string]string{
	"autopurchase keys rotate 1000001 ":                        "wrong_state: app_key: ",
	"autopurchase orders resolve acme.PR-1-1 ":                 "names no request that is on record",
	"autopurchase orders bind 2257000000000000973 acme":        "names no request that is on record",
	"autopurchase orders unbind ":                              "is bound to nothing by hand",
	"autopurchase orders show acme/":                           "names no request that is on record",
	"autopurchase orders show 2257000000000000973 ":            "belongs to no request that is known",
	"autopurchase orders cancel ":                              "names no request that is on record",
	"autopurchase orders retry ":                               "names no request that is on record",
	"autopurchase orders pay acme.PR-1-1 ":                     "has no result on record",
	"autopurchase orders pay-link ":                            "no result on record",
	"autopurchase dead show ":                                  "names no dead letter",
	"autopurchase dead replay 17 ":                             "names no dead letter",
	"autopurchase keys authorize 1000001":                      "this relay has no callback address",
	"autopurchase keys authorize 1000001 --redirect-uri ":      "open as the buyer: ",
	"autopurchase keys onboard 1000001 --account buyer-1 ":     "stopped: what was said is kept",
	"autopurchase keys onboard 1000001 --answer alipay=waived": `"done":false`,
}

// runsOn are the commands that go on until they are told to stop, and what they say once they are up; "" says nothing.
var runsOn = map[string]string{
	"autopurchase up ": `"message":"up"`, "autopurchase worker ": "worker is up", "autopurchase relay ": "relay is up", "autopurchase sim ": "simulator is up",
	"autopurchase watch": "", "autopurchase queue --follow": "", "autopurchase dashboard ": "dashboard", "autopurchase demo --keep": "staying up",
}

// before are the lines that make an example possible: what it undoes, for one.
var before = map[string][]string{
	"autopurchase keys ":         {"autopurchase keys add 1000001 --account buyer", "autopurchase keys enable 1000001 --by li", "autopurchase keys restore 1000001 --by li"},
	"autopurchase keys enable ":  {"autopurchase keys disable 1000001 --by li"},
	"autopurchase keys restore ": {"autopurchase keys bench 1000001 --by li"},
}

// TestEveryExampleRuns takes each line of each command's help to a shell, as a reader would.
func TestEveryExampleRuns(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	var seen []string
	commands(newRoot(terminal{env: func(string) (string, bool) { return "", false }}), func(c *cobra.Command) {
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "autopurchase ") {
				t.Errorf("%s: %q is no command line of ours", c.CommandPath(), line)
			}
			if !slices.Contains(seen, line) && notRun[line] == "" {
				s.try(line)
			}
			seen = append(seen, line)
		}
	})
	for line := range notRun {
		if !slices.Contains(seen, line) {
			t.Errorf("%s is no example any more", line)
		}
	}
}

// commands visits a command and all below it that people see.
func commands(c *cobra.Command, visit func(*cobra.Command)) {
	if !c.Hidden && c.Name() != "help" {
		visit(c)
	}
	for _, sub := range c.Commands() {
		commands(sub, visit)
	}
}

// shell is where examples are typed: a folder with the files that they name, and a system that is up.
type shell struct {
	t     *testing.T
	house *house
	dir   string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	s := &shell{t: t, house: newHouse(t, "server"), dir: t.TempDir()}
	path, _ := sampleFile(t, "acme", 3)
	requests := read(t, path)
	cert, key := workertest.NewCA(t).Certificate()
	for name, text := range map[string]string{
		"requests.ndjson": requests,
		"requests.json":   "[" + strings.Join(strings.Split(strings.TrimSpace(requests), "\n"), ",") + "]",
		"keys.json":       read(t, s.house.keys),
		"keys.csv":        "app_key,account\n1000007,buyer\n1000008,buyer\n",
		"code":            "1234567\n", "secret": markerSecret + "1000001\n" + markerToken + "1000001\n", "token": markerToken,
		"refs.txt":  "acme/PR.1\n",
		"relay.pem": read(t, cert), "relay.key": read(t, key),
	} {
		s.write(name, text)
	}
	s.write("old.identity", read(t, filepath.Join(s.house.dir, "identity")))
	s.line("autopurchase keys identity new --out new.identity")
	return s
}

func (s *shell) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	must(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(s.t, os.WriteFile(path, []byte(text), 0o600))
}

// try runs an example, and before it what makes it possible.
func (s *shell) try(line string) {
	s.t.Helper()
	for start, lines := range before {
		if strings.HasPrefix(line, start) {
			for _, each := range lines {
				s.line(each)
			}
		}
	}
	began := time.Now()
	code, out := s.line(line)
	s.t.Logf("%5.1f s  exit %d  %s", time.Since(began).Seconds(), code, line)
	want := exitOK
	for start, words := range saysNo {
		if strings.HasPrefix(line, start) && strings.Contains(out, words) {
			want = exitFailed
		}
	}
	if code != want {
		s.t.Errorf("%s: exit %d:\n%s", line, code, out)
	}
}

// line runs one line and gives its exit code and all that it said. What runs on is stopped once it is up.
func (s *shell) line(line string) (code int, said string) {
	s.t.Helper()
	where, err := json.Marshal(s.house.where)
	must(s.t, err)
	s.write("data/addresses.json", string(where))
	var out output
	cmd := exec.CommandContext(context.WithoutCancel(s.t.Context()), "sh", "-c", "exec 3<secret; exec "+s.here().Replace(line))
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env(line), &out, &out
	cmd.Stdin = strings.NewReader(markerSecret + "1000001\n")
	ended, err := startChild(cmd)
	must(s.t, err)
	done := make(chan struct{})
	go func() { <-ended; close(done) }()
	for start, words := range runsOn {
		if strings.HasPrefix(line, start) {
			s.isUp(&out, words, done)
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	select {
	case <-done:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-done
		s.t.Errorf("%s does not end", line)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

func (s *shell) isUp(out *output, words string, done <-chan struct{}) {
	s.t.Helper()
	if words != "" {
		out.await(s.t, words, done, func(text string) bool { return strings.Contains(text, words) })
		return
	}
	select {
	case <-done: // it has ended too early: its exit code tells
	case <-time.After(time.Second):
	}
}

// here puts this system's addresses in the place of those that examples name.
func (s *shell) here() *strings.Replacer {
	w := s.house.where
	return strings.NewReplacer(
		"nats://127.0.0.1:4222", w["nats"], "redis://127.0.0.1:6379", w["redis"], "ws://127.0.0.1:7700/channel", w["channel"],
		"http://127.0.0.1:7710", w["http"], "127.0.0.1:7700", "127.0.0.1:0", ":7700", "127.0.0.1:0", "127.0.0.1:7720", "127.0.0.1:0",
	)
}

// env are the variables by which a line finds this system instead of the usual addresses. up and demo bring their own.
func (s *shell) env(line string) []string {
	binary, err := build()
	must(s.t, err)
	env := []string{
		"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + s.t.TempDir(),
		"AUTOPURCHASE_FOR=1s", "AUTOPURCHASE_HTTP=127.0.0.1:0", "AUTOPURCHASE_GATEWAY_LISTEN=127.0.0.1:0", "AUTOPURCHASE_MESSAGES_LISTEN=127.0.0.1:0", "AUTOPURCHASE_ADMIN_LISTEN=127.0.0.1:0",
		"AUTOPURCHASE_GATEWAY=" + s.house.sim.GatewayURL(), "AUTOPURCHASE_MESSAGES=" + s.house.sim.MessagesURL(),
	}
	if !strings.HasPrefix(line, "autopurchase up") && !strings.HasPrefix(line, "autopurchase demo") {
		env = append(env, "AUTOPURCHASE_NATS="+s.house.where["nats"], "AUTOPURCHASE_CHANNEL_TOKEN="+strings.TrimSpace(read(s.t, filepath.Join(s.house.dir, "channel-token"))))
	}
	return env
}
