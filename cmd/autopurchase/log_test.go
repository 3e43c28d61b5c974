package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"autopurchase/internal/workertest"
)

// readyz asks a part whether it is ready until the answer is as wanted, and gives that answer.
func readyz(t *testing.T, address, what string, wanted func(code int, state map[string]string) bool) map[string]string {
	t.Helper()
	for tick, late := time.Tick(50*time.Millisecond), time.After(patience); ; {
		code, out, _ := execute(t, nil, "health", "http://"+address+"/readyz")
		var state map[string]string
		must(t, json.Unmarshal([]byte(out), &state))
		if wanted(code, state) {
			return state
		}
		select {
		case <-tick:
		case <-late:
			t.Fatalf("%s: exit %d, %v", what, code, state)
		}
	}
}

// TestEveryLineOfTheLogIsJSON kills Redis under a worker that tells everything: what the client of Redis says is in the log, as a
// line like any other, and only for who asks for so much.
func TestEveryLineOfTheLogIsJSON(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	url := workertest.NATS(t).URL
	for _, level := range []string{"debug", "info"} {
		redis, at := workertest.Redis(t), nowhere(t)
		p := launch(t, "worker", "--log", level, "--nats", url, "--redis", redis.URL, "--channel", "ws://"+nowhere(t)+"/channel", "--http", at)
		p.says("worker is up", "")
		redis.Kill()
		fromRedis := 0
		readyz(t, at, "without Redis", func(_ int, state map[string]string) bool {
			fromRedis = strings.Count(p.err.String(), `"part":"redis"`)
			return state["redis"] != "ok" && (fromRedis > 0 || level == "info")
		})
		stopped(t, p)
		for line := range strings.Lines(p.err.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: %s", level, line)
			}
		}
		if (fromRedis > 0) != (level == "debug") {
			t.Errorf("%s: %d lines of Redis's client", level, fromRedis)
		}
	}
}
