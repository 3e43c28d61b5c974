package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
)

// What must never be seen where it does not belong: the first two nowhere, the others in the stored request alone.
const (
	markerSecret = "MarkedSecret7f3a"
	markerToken  = "MarkedRefresh91c2"
	markerPhone  = "13987654321"
	markerName   = "王标记"
	markerStreet = "标记路77号"
)

// TestSecretsAndBuyersStayWhereTheyBelong runs everything at the most talkative level, through faults of every kind, and then
// reads all that was said and stored.
func TestSecretsAndBuyersStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	keys, appKeys := writeKeys(t, 3)
	dir := t.TempDir()
	a := &apart{t: t, keys: keys, appKeys: appKeys, level: "trace"}
	a.startSim()
	up := launch(t, "up", "--data", dir, "--redis", "server", "--keys-file", keys, "--gateway", a.gateway, "--messages", a.messages,
		"--log", "trace", "--look-for", "1s", "--ack-wait", "2s", "--per-key", "0")
	a.nats, a.redis = up.says("up", "nats"), up.says("up", "redis")
	a.relay = a.startRelay("127.0.0.1:0")
	a.channel = a.relay.says("relay is up", "channel")
	worker := a.startWorker()
	a.addKeys()
	watch := launch(t, "watch", "--nats", a.nats, "--since", "1h")
	post(t, a.admin+"/admin/faults", `[{"operation":"fastCreateOrder","kind":"cut_after","count":3},
		{"operation":"fastCreateOrder","kind":"http_500","count":1},{"operation":"fastCreateOrder","kind":"http_502_html","count":1},
		{"operation":"*","kind":"throttled","count":3},{"operation":"*","kind":"auth_401","count":1},{"operation":"fastCreateOrder","kind":"refuse","count":3},
		{"operation":"fastCreateOrder","kind":"un_nested","count":3},{"operation":"fastCreateOrder","kind":"empty_object","count":1}]`)

	path, ids := markedFile(t, 30)
	publishFile(t, a.nats, "acme", path).accepted(len(ids))
	submitPoison(t, a.nats)
	reach(t, a.nats, "acme", len(ids)+1)
	watch.out.await(t, "the dead letter", watch.done, func(text string) bool { return strings.Contains(text, "purchase.dead.acme") })
	gather(t, a.nats, a.admin, "acme").judge(t, append(ids, "POISON"))
	processes := []*process{watch, worker, up, a.relay, a.sim}
	stopped(t, processes...)

	for _, p := range processes {
		mustNotTell(t, p.cmd.Args[1], []byte(p.out.String()+p.err.String()),
			markerSecret, markerToken, markerPhone, markerName, markerStreet, "access_token=", "_aop_signature=")
	}
	mustNotStore(t, dir)
}

// markedFile writes samples with the marked buyer.
func markedFile(t *testing.T, n int) (path string, ids []string) {
	t.Helper()
	path, ids = sampleFile(t, "PR", n)
	samples := newSamples(sim1688.DefaultCatalogue(), 5)
	var file bytes.Buffer
	for _, id := range ids {
		request := samples.request(id)
		request.DeliverTo.FullName, request.DeliverTo.Mobile, request.DeliverTo.Address = markerName, markerPhone, markerStreet
		file.Write(schemas.AppendRequest(nil, request))
		file.WriteByte('\n')
	}
	must(t, os.WriteFile(path, file.Bytes(), 0o600))
	return path, ids
}

// submitPoison publishes a request that breaks rules in fields that hold a buyer's data.
func submitPoison(t *testing.T, nats string) {
	t.Helper()
	_, err := connect(t, nats).Submit(t.Context(), "acme", "POISON", []byte(
		`{"request_id":"POISON","lines":[],"deliver_to":{"mobile":`+markerPhone+`,"`+markerName+`":"`+markerStreet+`"}}`))
	must(t, err)
}

func mustNotTell(t *testing.T, what string, text []byte, marks ...string) {
	t.Helper()
	for _, mark := range marks {
		if at := bytes.Index(text, []byte(mark)); at >= 0 {
			t.Errorf("%s has %q: …%q…", what, mark, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

// mustNotStore reads every file of a data folder. The buyers are in the stored requests, which shows that the search finds
// what is there, and nowhere else.
func mustNotStore(t *testing.T, dir string) {
	t.Helper()
	inRequests := false
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		mustNotTell(t, path, content, markerSecret, markerToken)
		if strings.Contains(path, "PURCHASE_REQUESTS") {
			inRequests = inRequests || bytes.Contains(content, []byte(markerPhone))
		} else {
			mustNotTell(t, path, content, markerPhone, markerName, markerStreet)
		}
		return err
	}))
	if !inRequests {
		t.Error("the stored requests were not found: the search shows nothing")
	}
}
