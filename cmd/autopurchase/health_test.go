package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestHealthSaysWhatIsWrong asks a part of which one need is not met and another one does not answer, and then one whose inside is dead.
func TestHealthSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	well := func(context.Context) error { return nil }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return errors.New("too late") }
	away := func(context.Context) error { return errors.New("nats is away") }
	for _, c := range []struct {
		name          string
		needs, organs readiness
		ready, alive  map[string]string
	}{
		{"well", readiness{"nats": well, "redis": well}, readiness{"inbox": well}, map[string]string{"nats": "ok", "redis": "ok"}, map[string]string{"live": "yes", "inbox": "ok"}},
		{"away", readiness{"nats": away, "redis": well}, nil, map[string]string{"nats": "nats is away", "redis": "ok"}, map[string]string{"live": "yes"}},
		{"dead", readiness{"nats": well}, readiness{"inbox": away}, map[string]string{"nats": "ok"}, map[string]string{"live": "no", "inbox": "nats is away"}},
		{"silent", readiness{"nats": well, "redis": hangs}, nil, map[string]string{"nats": "ok", "redis": ""}, map[string]string{"live": "yes"}},
	} {
		handler := healthHandler(c.needs, c.organs)
		for path, want := range map[string]map[string]string{"/readyz": c.ready, "/livez": c.alive} {
			answer, start := httptest.NewRecorder(), time.Now()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
			var state map[string]string
			must(t, json.Unmarshal(answer.Body.Bytes(), &state))
			code := http.StatusOK
			for name, text := range want {
				if text == "ok" || text == "yes" {
					continue
				}
				code = http.StatusServiceUnavailable
				if text == "" && state[name] != "ok" {
					want[name] = state[name]
				}
			}
			if answer.Code != code || len(state) != len(want) {
				t.Errorf("%s %s: %d, %v, want %d", c.name, path, answer.Code, state, code)
			}
			for name, text := range want {
				if state[name] != text {
					t.Errorf("%s %s: %s is %q, want %q", c.name, path, name, state[name], text)
				}
			}
			if took := time.Since(start); took > checkFor+time.Second {
				t.Errorf("%s %s: it took %v", c.name, path, took)
			}
		}
	}
}

// TestReadyAgain takes Redis, NATS and the relay away from a worker: it is not ready and says which one it misses, it is alive all the
// same, and it is ready again once the thing is back. The relay itself is ready as long as it runs.
func TestReadyAgain(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	a, at, relayAt := newApart(t, 1, "info"), nowhere(t), nowhere(t)
	p := a.startWorker("--http", at)
	ready := func(code int, _ map[string]string) bool { return code == exitOK }
	misses := func(need, text string) {
		t.Helper()
		readyz(t, at, "without "+need, func(code int, state map[string]string) bool {
			for name, said := range state {
				if name != need && said != "ok" {
					return false
				}
			}
			return code == exitFailed && strings.Contains(strings.ToLower(state[need]), text)
		})
		if code, out, _ := execute(t, nil, "health", "http://"+at+"/livez"); code != exitOK {
			t.Errorf("without %s it is dead: %s", need, out)
		}
	}
	readyz(t, at, "with everything", ready)
	a.redisServer.Kill()
	misses("redis", "redis")
	a.redisServer.Restart()
	readyz(t, at, "with Redis again", ready)
	a.natsServer.Stop()
	misses("nats", "nats")
	a.natsServer.Restart()
	readyz(t, at, "with NATS again", ready)
	a.relay.kill()
	misses("channel", "channel_down")
	a.relay = a.startRelay(strings.TrimSuffix(strings.TrimPrefix(a.channel, "ws://"), "/channel"), "--http", relayAt)
	readyz(t, at, "with its relay again", ready)
	if state := readyz(t, relayAt, "the relay", ready); state["channel"] != "ok" {
		t.Errorf("the relay: %v", state)
	}
	stopped(t, p, a.relay, a.sim)
}
