package main

import (
	"encoding/json"
	"strings"
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestKeysProbe asks the simulator through worker and relay: a benched key that passes comes back, one that 1688 turns down stays.
func TestKeysProbe(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "server")
	nats := h.where["nats"]
	k, a := keyCommands{t, nats}, newAdmin(t, nats)
	probe := func(want int, appKey string) (probed bus.ProbedKey) {
		t.Helper()
		code, out, errs := execute(t, nil, "keys", "probe", appKey, "--json", "--nats", nats)
		if code != want || errs != "" {
			t.Fatalf("exit %d, %s%s", code, out, errs)
		}
		mustFit(t, "key-probed", []byte(out))
		must(t, json.Unmarshal([]byte(out), &probed))
		return probed
	}
	if got := probe(exitOK, "1000001"); !got.Passed || got.Restored || got.Key.State != "active" || got.Key.Version != 1 || got.Code != "" {
		t.Errorf("%+v", got)
	}
	k.key("bench", "1000001")
	must(t, h.sim.Inject(sim1688.Fault{Operation: "*", Kind: "auth_401", AppKey: "1000001", Count: 1}))
	if got := probe(exitFailed, "1000001"); got.Passed || got.Restored || got.Code != "unauthorized" || got.Key.State != "benched" || got.Reason == "" {
		t.Errorf("%+v", got)
	}
	code, out, errs := execute(t, nil, "keys", "probe", "1000001", "--by", "li", "--nats", nats)
	if code != exitOK || !strings.HasPrefix(out, "key 1000001 passed and is restored: ") || !strings.HasSuffix(out, "; it is ready\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if event, _ := a.last(worker.EventRestored); event.AppKey != "1000001" || event.By != "li" || event.Version != 3 {
		t.Errorf("%+v", event)
	}
	k.key("add", "1000099")
	if got := probe(exitFailed, "1000099"); got.Passed || got.Code != "key_unknown" {
		t.Errorf("%+v", got)
	}
	stopped(t, h.up)
}
