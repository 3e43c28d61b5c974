package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// execute runs a command line in a given environment.
func execute(t *testing.T, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr output // safe for many writers, as a terminal is
	code = run(t.Context(), args, terminal{in: strings.NewReader(""), out: &stdout, err: &stderr, env: func(name string) (string, bool) {
		text, ok := env[name]
		return text, ok
	}})
	return code, stdout.String(), stderr.String()
}

func TestEverythingWrongIsNamedAtOnce(t *testing.T) {
	env := map[string]string{"AUTOPURCHASE_LOOK_FOR": "soon", "AUTOPURCHASE_GRACE": "10s", "AUTOPURCHASE_REDIS": ""}
	code, out, errs := execute(t, env, "worker", "--nats", "http://x", "--workers", "0", "--channel", "nonsense", "--grace", "20s")
	if code != exitUsage || out != "" {
		t.Errorf("exit %d, stdout %q", code, out)
	}
	for _, want := range []string{`--nats "http://x": must be a URL`, `--workers "0": must be a whole number from 1`, `--channel "nonsense"`, `AUTOPURCHASE_LOOK_FOR "soon": must be a duration`} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is missing in:\n%s", want, errs)
		}
	}
	for _, fine := range []string{"GRACE", "REDIS"} {
		if strings.Contains(errs, fine) {
			t.Errorf("%s is fine, but is named in:\n%s", fine, errs)
		}
	}
}

func TestWrongUsageExitsWithTwo(t *testing.T) {
	for _, args := range [][]string{
		{"worker", "--nonsense"}, {"publish"}, {"publish", "a", "b"}, {"publish", "/does/not/exist"}, {"health", "nonsense"}, {"nonsense"},
		{"up"}, {"relay"}, {"sim"}, {"relay", "--keys-file", "/does/not/exist"}, {"relay", "--listen", "0.0.0.0:1"}, {"keys", "add"},
		{"worker", "--channel", "ws://example.com/channel"}, {"worker", "--channel", "ws://127.0.0.1:1/channel,ws://example.com/channel"},
		{"worker", "--replicas", "6"}, {"publish", "--nats", "nats://127.0.0.1:1,http://127.0.0.1:2", "-"}, {"watch", "--since", "yesterday"}, {"demo", "--redis", "nonsense"},
	} {
		if code, _, errs := execute(t, nil, args...); code != exitUsage || !strings.HasPrefix(errs, "autopurchase: ") {
			t.Errorf("%v: exit %d, %q", args, code, errs)
		}
	}
}

// TestHelpHasAnExample walks every command: each says what it is for and shows a command line that this program takes.
func TestHelpHasAnExample(t *testing.T) {
	walk(newRoot(terminal{}), func(c *cobra.Command) {
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s: no description or no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			found, rest, err := newRoot(terminal{}).Find(words[1:])
			if words[0] != "autopurchase" || err != nil || found.CommandPath() != c.CommandPath() && c.HasParent() && found.Parent().CommandPath() != c.CommandPath() && !strings.Contains(c.Example, found.CommandPath()) {
				t.Errorf("%s: its example %q runs %v with %v: %v", c.CommandPath(), line, found, rest, err)
			}
		}
	})
}

func walk(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, child := range c.Commands() {
		if child.Name() != "help" && child.Name() != "completion" {
			walk(child, visit)
		}
	}
}

func TestHelpExitsWithZero(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"demo", "--help"}, {"keys", "add", "--help"}, {"help", "publish"}} {
		if code, out, _ := execute(t, nil, args...); code != exitOK || !strings.Contains(out, "autopurchase") {
			t.Errorf("%v: exit %d, %q", args, code, out)
		}
	}
}

// TestPasswordsInURLsAreNotRepeated: what is wrong with a URL is named without it.
func TestPasswordsInURLsAreNotRepeated(t *testing.T) {
	const secret = "geheim"
	for flag, urls := range map[string][]string{
		"redis": {"redis://u:geheim%@x", "redis-sentinel://u:geheim@x", "redis-cluster://x/1?password=geheim", "x:geheim@y"},
		"nats":  {"http://u:geheim@x", "nats://127.0.0.1:1,http://u:geheim@x"},
	} {
		for _, url := range urls {
			for _, env := range []map[string]string{nil, {"AUTOPURCHASE_" + strings.ToUpper(flag): url}} {
				args := []string{"worker"}
				if env == nil {
					args = append(args, "--"+flag, url)
				}
				code, out, errs := execute(t, env, args...)
				if code != exitUsage || !strings.Contains(strings.ToLower(errs), flag+": ") || strings.Contains(out+errs, secret) {
					t.Errorf("%v, %v: exit %d, %q", args, env, code, errs)
				}
			}
		}
	}
	for url, want := range map[string]string{
		"redis://u:geheim@x:1/0":                                    "redis://u:xxxxx@x:1/0",
		"redis-sentinel://u:geheim@x?master_name=m&password=geheim": "redis-sentinel://u:xxxxx@x?master_name=m&password=xxxxx",
		"redis://u:geheim%@x":                                       "(not told: it cannot be read)",
	} {
		if got := withoutPassword(url); got != want {
			t.Errorf("%s: told as %s", url, got)
		}
	}
}
