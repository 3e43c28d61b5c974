package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// staffed is a queue with one worker at work, whose relay and 1688 are not there.
func staffed(t *testing.T) (nats string, redis *workertest.RedisServer, health string) {
	t.Helper()
	nats, redis = workertest.NATS(t).URL, workertest.Redis(t)
	http := nowhere(t)
	p := launch(t, "worker", "--nats", nats, "--redis", redis.URL, "--channel", "ws://"+nowhere(t)+"/channel", "--http", http)
	p.says("worker is up", "")
	t.Cleanup(func() { stopped(t, p) })
	return nats, redis, "http://" + http
}

// keyCommands runs keys commands on one NATS.
type keyCommands struct {
	t    *testing.T
	nats string
}

// key runs a command that answers with a key.
func (k keyCommands) key(args ...string) (info bus.KeyInfo) {
	k.t.Helper()
	code, out, errs := execute(k.t, nil, append(append([]string{"keys"}, args...), "--json", "--nats", k.nats)...)
	if code != exitOK || strings.Count(out, "\n") != 1 {
		k.t.Fatalf("%v: exit %d, %s%s", args, code, out, errs)
	}
	must(k.t, json.Unmarshal([]byte(out), &info))
	return info
}

func (k keyCommands) refused(want int, say string, args ...string) {
	k.t.Helper()
	refused(k.t, want, []string{say}, append(append([]string{"keys"}, args...), "--nats", k.nats)...)
}

// TestKeys runs each command as people do.
func TestKeys(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	k := keyCommands{t, nats}
	if got := listKeys(t, nats); len(got) != 0 {
		t.Errorf("an empty pool has %+v", got)
	}
	added := k.key("add", "1000001", "--account", "buyer-1", "--alipay", "business", "--source", "managed", "--limit", "50")
	if want := (bus.KeyInfo{AppKey: "1000001", Pool: "default", State: "active", Limit: 50, Left: 50, Account: "buyer-1", Alipay: "business",
		Source: "managed", Version: 1}); added != want {
		t.Errorf("%+v, want %+v", added, want)
	}
	if got := k.key("add", "1000002"); got.Limit != 1000 || got.State != "ready" || got.Source != "own" || got.Alipay != "none" {
		t.Errorf("%+v", got)
	}
	for _, step := range []struct{ command, state string }{
		{"limit 1000001 60", "active"}, {"rotate 1000001", "ready"}, {"disable 1000001", "disabled"}, {"enable 1000001", "ready"},
		{"bench 1000001", "benched"}, {"restore 1000001", "ready"}, {"reset 1000001 --why wrong --yes", "ready"},
		{"retire 1000001 --why done --yes", "retired"}, {"remove 1000001 --why done --yes", "removed"}, {"show 1000001", "removed"},
	} {
		if got := k.key(strings.Fields(step.command)...); got.State != step.state || got.AppKey != "1000001" || got.Limit != 60 {
			t.Errorf("%s: %+v", step.command, got)
		}
	}
	if got := listKeys(t, nats); len(got) != 1 || got[0].AppKey != "1000002" || got[0].State != "active" {
		t.Errorf("%+v", got)
	}
	if got := listKeys(t, nats, "--pool", "other"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	code, out, _ := execute(t, nil, "keys", "list", "--nats", nats)
	if table := strings.Split(out, "\n"); code != exitOK || len(table) != 3 || !strings.HasPrefix(table[0], "APP KEY  POOL") || !strings.HasPrefix(table[1], "1000002  default") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	code, out, errs := execute(t, nil, "keys", "pool", "--width", "2", "--low", "7", "--count", "units", "--strategy", "even", "--recipients", "none", "--nats", nats)
	if code != exitOK || out != "pool default counts units, 2 active, low below 7 products, draws even, seals for nobody, serves everybody, previews never\n" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	code, out, errs = execute(t, nil, "keys", "pool", "--tenants", "bolt=1,acme=3", "--sellers", "shop-b=any,shop-a=business",
		"--preview", "above", "--preview-above", "500", "--nats", nats)
	if code != exitOK || !strings.HasSuffix(out, "serves acme=3, bolt=1, previews above 500.00\nseller shop-a takes keys with business Alipay only\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	refused(t, exitUsage, []string{"--tenants", "acme=3,bolt=1"}, "keys", "pool", "--tenants", "acme=x")
	refused(t, exitUsage, []string{"--sellers"}, "keys", "pool", "--sellers", "shop-a=")
	refused(t, exitUsage, []string{"--preview", "never or always or above"}, "keys", "pool", "--preview", "sometimes")
	refused(t, exitUsage, []string{"--preview-above", "decimal text"}, "keys", "pool", "--preview", "above", "--preview-above", "1.005")
}

// TestKeysRefused: 1 is a no of the pool, 2 is a wrong question.
func TestKeysRefused(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	k := keyCommands{t, nats}
	k.key("add", "1000001")
	k.refused(exitFailed, "app_key: must be 1 to 64 letters", "add", "10.1")
	k.refused(exitFailed, "unknown_key: app_key: ", "show", "1000009")
	k.refused(exitFailed, "unknown_key: app_key: ", "restore", "1000009")
	k.refused(exitFailed, "wrong_state: app_key: ", "rotate", "1000001")
	k.refused(exitFailed, "stale: version: ", "disable", "1000001", "--version", "7")
	k.refused(exitFailed, "stale: version: ", "add", "1000001", "--limit", "5", "--version", "7")
	k.refused(exitFailed, "stale: version: ", "pool", "--low", "5", "--version", "7")
	k.refused(exitFailed, "channel_down: ", "probe", "1000001")
	for _, verb := range []string{"retire", "remove", "reset"} {
		k.refused(exitUsage, "--why: is required", verb, "1000001", "--yes")
		k.refused(exitUsage, "--yes: is required where nobody can be asked", verb, "1000001", "--why", "done")
	}
	k.refused(exitUsage, "--limit", "add", "1", "--limit", "0")
	k.refused(exitUsage, `PRODUCTS "many"`, "limit", "1000001", "many")
	k.refused(exitUsage, "accepts 2 arg", "limit", "1000001")
	k.refused(exitUsage, `--source "stolen": must be own or managed`, "add", "1", "--source", "stolen")
	k.refused(exitUsage, `--version "0"`, "bench", "1", "--version", "0")
	k.refused(exitUsage, "no such file", "import", "/does/not/exist")
	refused(t, exitUsage, []string{`unknown command "delete"`}, "keys", "delete", "1")
	if got := k.key("show", "1000001"); got.Version != 1 || got.State != "active" {
		t.Errorf("%+v", got)
	}
}

// TestWhoChangesAKey: the journal has the name that was given, or else whoever runs the program.
func TestWhoChangesAKey(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	a, k := newAdmin(t, nats), keyCommands{t, nats}
	k.key("add", "1000001")
	event, _ := a.last(worker.EventAdded)
	if event.By != whoami() || !strings.Contains(event.By, "@") || event.Change == "" || event.Why != "" {
		t.Errorf("%+v", event)
	}
	first := event.Change
	k.key("disable", "1000001", "--by", "王", "--why", "退款")
	if event, _ = a.last(worker.EventDisabled); event.By != "王" || event.Why != "退款" || event.Change == first || event.Version != 2 {
		t.Errorf("%+v", event)
	}
}

// TestHealth asks a worker that lacks its relay, and then its Redis too; it is alive all the time.
func TestHealth(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	nats, redis, url := staffed(t)
	ask := func(path string) (int, map[string]string) {
		t.Helper()
		code, out, errs := execute(t, nil, "health", url+path)
		var state map[string]string
		if err := json.Unmarshal([]byte(out), &state); err != nil || errs != "" {
			t.Fatalf("%s: exit %d, %s%s", path, code, out, errs)
		}
		return code, state
	}
	code, state := ask("/readyz")
	if code != exitFailed || state["nats"] != "ok" || state["redis"] != "ok" || state["channel"] == "ok" || state["channel"] == "" {
		t.Errorf("without a relay: exit %d, %v", code, state)
	}
	redis.Kill()
	if code, state = ask("/readyz"); code != exitFailed || !strings.Contains(state["redis"], "redis") || state["nats"] != "ok" {
		t.Errorf("without Redis: exit %d, %v", code, state)
	}
	if code, state = ask("/livez"); code != exitOK || state["live"] != "yes" {
		t.Errorf("alive: exit %d, %v", code, state)
	}
	refused(t, exitFailed, []string{"redis_down"}, "keys", "list", "--nats", nats)
	redis.Restart()
	for tick, late := time.Tick(50*time.Millisecond), time.After(patience); state["redis"] != "ok"; _, state = ask("/readyz") {
		select {
		case <-tick:
		case <-late:
			t.Fatalf("with Redis again: %v", state)
		}
	}
	refused(t, exitFailed, []string{"not ready"}, "health", "http://"+nowhere(t)+"/readyz")
}
