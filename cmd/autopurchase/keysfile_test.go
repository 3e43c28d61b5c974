package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
)

// writeKeys writes a keys file for the relay and the simulator with so many keys, and gives its path and the app keys.
func writeKeys(t *testing.T, n int) (path string, appKeys []string) {
	t.Helper()
	type key struct {
		AppKey       string `json:"app_key"`
		Secret       string `json:"secret"`
		RefreshToken string `json:"refresh_token"`
		Account      string `json:"account"`
	}
	var file struct {
		Keys []key `json:"keys"`
	}
	for i := range n {
		appKey := strconv.Itoa(1000001 + i)
		file.Keys = append(file.Keys, key{appKey, markerSecret + appKey, markerToken + appKey, "buyer"})
		appKeys = append(appKeys, appKey)
	}
	body, err := json.Marshal(file)
	must(t, err)
	return write(t, "keys.json", body), appKeys
}

func write(t *testing.T, name string, body []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, body, 0o600))
	return path
}

// sampleFile writes so many samples as NDJSON, with ids that begin with the prefix.
func sampleFile(t *testing.T, prefix string, n int) (path string, ids []string) {
	t.Helper()
	samples := newSamples(sim1688.DefaultCatalogue(), 7)
	var body bytes.Buffer
	for i := range n {
		id := fmt.Sprintf("%s.%d", prefix, i)
		ids = append(ids, id)
		body.Write(schemas.AppendRequest(nil, samples.request(id)))
		body.WriteByte('\n')
	}
	return write(t, "requests.ndjson", body.Bytes()), ids
}

// apart is the product in its parts: NATS and Redis of their own, simulator, relay and workers as processes.
type apart struct {
	t                              *testing.T
	nats, redis                    string
	gateway, messages, admin, keys string
	appKeys                        []string
	sim, relay                     *process
	redisServer                    *workertest.RedisServer
	natsServer                     *workertest.NATSServer
	channel                        string
	level                          string
}

func newApart(t *testing.T, keys int, level string) *apart {
	t.Helper()
	a := &apart{t: t, natsServer: workertest.NATS(t), redisServer: workertest.Redis(t), level: level}
	a.nats, a.redis = a.natsServer.URL, a.redisServer.URL
	a.keys, a.appKeys = writeKeys(t, keys)
	a.startSim()
	a.relay = a.startRelay("127.0.0.1:0")
	a.channel = a.relay.says("relay is up", "channel")
	return a
}

func (a *apart) startSim() {
	a.t.Helper()
	a.sim = launch(a.t, "sim", "--keys-file", a.keys, "--log", a.level,
		"--gateway-listen", "127.0.0.1:0", "--messages-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	a.gateway, a.messages, a.admin = a.sim.says("simulator is up", "gateway"), a.sim.says("simulator is up", "messages"), a.sim.says("simulator is up", "admin")
}

func (a *apart) startRelay(listen string, more ...string) *process {
	a.t.Helper()
	return launch(a.t, append([]string{"relay", "--listen", listen, "--keys-file", a.keys, "--gateway", a.gateway, "--messages", a.messages, "--per-key", "0", "--log", a.level}, more...)...)
}

// startWorker starts a worker that soon gives up on what it cannot find, and returns when it works.
func (a *apart) startWorker(args ...string) *process {
	a.t.Helper()
	p := launch(a.t, append([]string{"worker", "--nats", a.nats, "--redis", a.redis, "--channel", a.channel, "--look-for", "2s",
		"--ack-wait", "2s", "--log", a.level}, args...)...)
	p.says("worker is up", "")
	return p
}

func (a *apart) addKeys() {
	a.t.Helper()
	addKeys(a.t, a.nats, a.appKeys...)
}

func addKeys(t *testing.T, nats string, appKeys ...string) {
	t.Helper()
	for _, key := range appKeys {
		if code, _, errs := execute(t, nil, "keys", "add", key, "--account", "buyer", "--nats", nats); code != exitOK {
			t.Fatalf("keys add %s: exit %d: %s", key, code, errs)
		}
	}
}

// publishFile publishes a file in a process of its own.
func publishFile(t *testing.T, nats, tenant, path string) *process {
	t.Helper()
	return launch(t, "publish", path, "--json", "--tenant", tenant, "--nats", nats)
}

// accepted checks that a publisher has ended well and that so many requests were accepted.
func (p *process) accepted(n int) {
	p.t.Helper()
	if code := p.exit(); code != exitOK {
		p.t.Errorf("publish: exit %d: %s", code, p.err.String())
	}
	got := 0
	for line := range bytes.Lines([]byte(p.out.String())) {
		var f fate
		must(p.t, json.Unmarshal(line, &f))
		if got++; f.Status != "accepted" || f.Line != got || f.Sequence == 0 {
			p.t.Errorf("published: %s", line)
		}
	}
	if got != n {
		p.t.Errorf("%d were published, want %d", got, n)
	}
}

// stopped checks that processes end well when they are asked to.
func stopped(t *testing.T, processes ...*process) {
	t.Helper()
	for _, p := range processes {
		if code := p.stop(); code != exitOK {
			t.Errorf("%s: exit %d: %s", p.cmd.Args[1], code, p.err.String())
		}
	}
}
