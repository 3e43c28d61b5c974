package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/workertest"
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

func TestKeys(t *testing.T) {
	t.Parallel()
	nats, _, _ := staffed(t)
	keys := func(args ...string) (info bus.KeyInfo) {
		t.Helper()
		code, out, errs := execute(t, nil, append(append([]string{"keys"}, args...), "--json", "--nats", nats)...)
		if code != exitOK || strings.Count(out, "\n") != 1 {
			t.Fatalf("%v: exit %d, %s%s", args, code, out, errs)
		}
		must(t, json.Unmarshal([]byte(out), &info))
		return info
	}
	if got := listKeys(t, nats); len(got) != 0 {
		t.Errorf("an empty pool has %+v", got)
	}
	if got := keys("add", "1000001", "--account", "buyer-1", "--alipay", "business", "--limit", "50"); got.AppKey != "1000001" ||
		got.Limit != 50 || got.Left != 50 || got.Account != "buyer-1" || got.Alipay != "business" || got.State != "active" || got.Pool != "default" {
		t.Errorf("%+v", got)
	}
	if got := keys("add", "1000002"); got.Limit != 1000 || got.State != "ready" {
		t.Errorf("%+v", got)
	}
	if got := keys("add", "1000001", "--limit", "60"); got.Limit != 60 {
		t.Errorf("%+v", got)
	}
	if got := listKeys(t, nats); len(got) != 2 || got[0].AppKey != "1000001" || got[1].AppKey != "1000002" {
		t.Errorf("%+v", got)
	}
	if got := keys("restore", "1000001", "--by", "li"); got.State != "active" {
		t.Errorf("%+v", got)
	}
	code, out, _ := execute(t, nil, "keys", "list", "--nats", nats)
	if table := strings.Split(out, "\n"); code != exitOK || len(table) != 4 || !strings.HasPrefix(table[0], "APP KEY  POOL") || !strings.HasPrefix(table[1], "1000001  default") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	refused(t, exitFailed, []string{"app_key", "must be 1 to 64 letters"}, "keys", "add", "10.1", "--nats", nats)
	refused(t, exitFailed, []string{"1000009"}, "keys", "restore", "1000009", "--nats", nats)
	refused(t, exitUsage, []string{"--limit"}, "keys", "add", "1", "--limit", "0", "--nats", nats)
	refused(t, exitUsage, []string{`unknown command "remove"`}, "keys", "remove", "1")
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
