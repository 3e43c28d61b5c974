package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"autopurchase/internal/bus"
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
	markerCode   = "MarkedCode5d10" // that 1688 sends a browser back with
)

// TestSecretsAndBuyersStayWhereTheyBelong runs everything at the most talkative level, through faults of every kind, and then
// reads all that was said and stored. The first key is managed: its secret is in the keys file of the relays. Those of the others are
// sealed; the relay that buys with them has them from Redis alone, and is started again in between.
func TestSecretsAndBuyersStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	keys, appKeys := writeKeys(t, 3)
	managed, _ := writeKeys(t, 1)
	dir := t.TempDir()
	a := &apart{t: t, keys: keys, appKeys: appKeys, level: "trace"}
	a.startSim()
	a.keys = managed
	up := launch(t, "up", "--data", dir, "--redis", "server", "--keys-file", managed, "--gateway", a.gateway, "--messages", a.messages,
		"--log", "trace", "--look-for", "1s", "--ack-wait", "2s", "--per-key", "0")
	a.nats, a.redis = up.says("up", "nats"), up.says("up", "redis")
	said := &record{t: t}
	said.commands(a.nats, [][2]string{
		{"", "add " + appKeys[0] + " --account buyer --source managed"}, {"", "add " + appKeys[1] + " --account buyer"},
		{"", "add " + appKeys[2] + " --account buyer"}, {"", "pool --width 3 --strategy even"},
	}, exitOK)
	said.commands(a.nats, [][2]string{
		{markerSecret + appKeys[1] + "\n" + markerToken + appKeys[1], "seal " + appKeys[1] + " --with-refresh-token"},
		{markerSecret + appKeys[2] + " \r\n" + markerToken + appKeys[2], "seal " + appKeys[2] + " --with-refresh-token --json"},
	}, exitOK)
	said.commands(a.nats, [][2]string{{markerSecret, "seal " + appKeys[0]}, {markerSecret, "seal 404"}}, exitFailed)
	said.commands(a.nats, [][2]string{{markerSecret + "\u200b", "seal " + appKeys[1]}, {markerSecret + "\n" + markerToken, "seal " + appKeys[1]}}, exitUsage)
	said.unsealed(a.nats, appKeys[1])

	http := nowhere(t)
	sealed := []string{"--redis", a.redis, "--identity", filepath.Join(dir, "identity"), "--http", http}
	first := a.startRelay("127.0.0.1:0", sealed...)
	a.channel = first.says("relay is up", "channel")
	worker := a.startWorker()
	watch := launch(t, "watch", "--nats", a.nats, "--since", "1h")
	post(t, a.admin+"/admin/faults", `[{"operation":"fastCreateOrder","kind":"cut_after","count":3},
		{"operation":"fastCreateOrder","kind":"http_500","count":1},{"operation":"fastCreateOrder","kind":"http_502_html","count":1},
		{"operation":"*","kind":"throttled","count":3},{"operation":"*","kind":"auth_401","count":1},{"operation":"fastCreateOrder","kind":"refuse","count":3},
		{"operation":"fastCreateOrder","kind":"un_nested","count":3},{"operation":"fastCreateOrder","kind":"empty_object","count":1}]`)

	path, ids := markedFile(t, 60)
	half := bytes.SplitAfterN(readFile(t, path), []byte("\n"), 31)
	publishFile(t, a.nats, "acme", write(t, "first.ndjson", bytes.Join(half[:30], nil))).accepted(30)
	submitPoison(t, a.nats)
	said.callback("http://" + http)
	reach(t, a.nats, "acme", 31)
	stopped(t, first) // and no person is needed to go on
	a.relay = a.startRelay(strings.TrimSuffix(strings.TrimPrefix(a.channel, "ws://"), "/channel"), sealed...)
	publishFile(t, a.nats, "acme", write(t, "second.ndjson", half[30])).accepted(30)
	reach(t, a.nats, "acme", len(ids)+1)
	watch.out.await(t, "the dead letter", watch.done, func(text string) bool { return strings.Contains(text, "purchase.dead.acme") })
	gather(t, a.nats, a.admin, "acme").judge(t, append(ids, "POISON"))
	if bought := slices.DeleteFunc(listKeys(t, a.nats), func(key bus.KeyInfo) bool { return key.Used == 0 }); len(bought) < 2 {
		t.Errorf("bought with %+v: nothing is shown of a sealed key, or of those that the failed authorization did not bench", bought)
	}
	one := ids[0]
	said.shown(a.nats, "queue", "orders list", "orders show acme/"+one, "orders parked", "dead list", "dead show 1", "keys show "+appKeys[1])
	said.pages(up.says("up", "http"), "/metrics", "/readyz", "/", "/requests", "/requests/one?tenant=acme&id="+one, "/keys", "/dead", "/workers")
	said.pages("http://"+http, "/metrics", "/readyz")
	code, out, errs := execute(t, nil, "keys", "reseal", "--redis", a.redis, "--identity", filepath.Join(dir, "identity"))
	said.add("reseal", code, exitOK, out+errs)
	processes := []*process{watch, worker, up, a.relay, a.sim, first}
	for _, p := range processes {
		said.add(p.cmd.Args[1], 0, 0, arguments(t, p))
	}
	dumps := dumped(t, a.redis)
	stopped(t, processes[:5]...)

	for _, p := range processes {
		mustNotTell(t, p.cmd.Args[1], []byte(p.out.String()+p.err.String()),
			markerSecret, markerToken, markerPhone, markerName, markerStreet, markerCode, "access_token=", "_aop_signature=", "AGE-SECRET-KEY-")
	}
	said.check()
	mustNotTell(t, "Redis", dumps, markerSecret, markerToken, markerPhone, markerName, markerStreet, "AGE-SECRET-KEY-")
	if !bytes.Contains(dumps, []byte(appKeys[1]+".secret")) || !bytes.Contains(dumps, []byte("acme.PR=2E")) {
		t.Error("neither a sealed secret nor a claim was found in Redis: the search shows nothing")
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
		for _, form := range disguises(mark) {
			if at := bytes.Index(text, []byte(form)); at >= 0 {
				t.Errorf("%s has %q as %q: …%q…", what, mark, form, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}

// mustNotStore reads every file of a data folder. The buyers are in the stored requests: they are the requests, and whoever handles one
// again needs all of it. That shows that the search finds what is there; they are nowhere else. The relay's identity is in its own file.
func mustNotStore(t *testing.T, dir string) {
	t.Helper()
	inRequests := false
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		mustNotTell(t, path, content, markerSecret, markerToken, markerCode)
		if filepath.Base(path) != "identity" {
			mustNotTell(t, path, content, "AGE-SECRET-KEY-")
		}
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
