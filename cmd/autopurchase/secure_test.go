package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autopurchase/internal/keypool"
	"autopurchase/internal/workertest"
)

// secured is the product in its parts with TLS between all of them and everybody in its own role. The fields are files.
type secured struct {
	*apart
	ca             *workertest.CA
	seeds          map[string]authUser
	token          string // of the channel
	password       string // of Redis
	secrets        []string
	natsAt, redsAt []string // flags that lead there, but for who it is
}

func newSecured(t *testing.T) *secured {
	t.Helper()
	s := &secured{apart: &apart{t: t, level: "trace"}, ca: workertest.NewCA(t)}
	s.password, s.token = s.secret("redis-password"), s.secret("channel-token")
	s.startNATS()
	password := strings.TrimSpace(read(t, s.password))
	args := append([]string{"--user", "worker", "on", ">" + password}, strings.Fields(keypool.ACL)...)
	s.redisServer = workertest.RedisTLS(t, s.ca, append(args, "--user", "default", "off")...)
	s.redis = strings.Replace(s.redisServer.URL, "://", "://worker@", 1)
	s.redsAt = []string{"--redis", s.redis, "--redis-password-file", s.password}

	s.keys, s.appKeys = writeKeys(t, 2)
	s.startSim()
	cert, key := s.ca.Certificate()
	s.relay = launch(t, "relay", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--channel-token-file", s.token,
		"--keys-file", s.keys, "--gateway", s.gateway, "--messages", s.messages, "--per-key", "0", "--log", "trace")
	s.channel = s.relay.says("relay is up", "channel")
	return s
}

// startNATS starts one with the configuration that auth init writes. Clients must show a certificate too.
func (s *secured) startNATS() {
	t := s.t
	t.Helper()
	dir := t.TempDir()
	cert, key := s.ca.Certificate()
	s.seeds = initAuth(t, dir, "acme,other", "--tls-cert", cert, "--tls-key", key, "--tls-ca", s.ca.File).keys()
	for _, u := range s.seeds {
		lines := strings.Fields(read(t, u.File))
		s.secrets = append(s.secrets, lines[len(lines)-1])
	}
	s.nats = workertest.NATS(t, workertest.NATSConf(t, filepath.Join(dir, "nats.conf"))).URL
	cert, key = s.ca.Certificate()
	s.natsAt = []string{"--nats", s.nats, "--nats-cert", cert, "--nats-key-file", key}
}

// secret writes a new secret into a file and gives its path.
func (s *secured) secret(name string) string {
	s.t.Helper()
	text := rand.Text()
	s.secrets = append(s.secrets, text)
	return write(s.t, name, []byte(text+"\n"))
}

func read(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	must(t, err)
	return string(body)
}

// as is a command line in a role on NATS.
func (s *secured) as(role string, args ...string) []string {
	return append(append(args, s.natsAt...), "--nats-ca", s.ca.File, "--nats-nkey", s.seeds[role].File)
}

// must runs a command that must go well, and gives what it says.
func (s *secured) must(args []string) string {
	s.t.Helper()
	code, out, errs := execute(s.t, nil, args...)
	if code != exitOK {
		s.t.Fatalf("%v: exit %d: %s", args, code, errs)
	}
	mustNotTell(s.t, args[0], []byte(out+errs), s.secrets...)
	return out
}

func (s *secured) worker(args ...string) []string {
	line := s.as("worker", "worker", "--log", "trace", "--channel", s.channel, "--channel-token-file", s.token, "--channel-ca", s.ca.File)
	return append(append(append(line, s.redsAt...), "--redis-ca", s.ca.File), args...)
}

// TestTheReadmeHasTheACL: what is tested here is what it tells people to write.
func TestTheReadmeHasTheACL(t *testing.T) {
	t.Parallel()
	for _, want := range []string{">PASSWORD " + keypool.ACL + "\n", "`" + keypool.ACLCluster + "`"} {
		if !strings.Contains(read(t, "../../README.md"), want) {
			t.Errorf("the README does not have %s", want)
		}
	}
}

// TestEverybodyInItsRoleOverTLS buys with each part under its own user and every connection encrypted, and finds no secret in
// anything that was said.
func TestEverybodyInItsRoleOverTLS(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	if !strings.HasPrefix(s.channel, "wss://") {
		t.Errorf("the channel is %s", s.channel)
	}
	s.must(s.as("provisioner", "provision"))
	worker := launch(t, s.worker()...)
	worker.says("worker is up", "")
	watch := launch(t, s.as("monitor", "watch", "--since", "1h")...)
	for _, key := range s.appKeys {
		s.must(s.as("admin", "keys", "add", key, "--account", "buyer", "--by", "li"))
	}
	path, ids := sampleFile(t, "PR", 5)
	s.must(s.as("publisher-acme", "publish", "--tenant", "acme", path))
	watch.out.await(t, "every result", watch.done, func(text string) bool { return strings.Count(text, "purchase.result.acme.") == len(ids) })
	if out := s.must(s.as("monitor", "keys", "list")); !strings.Contains(out, s.appKeys[0]) {
		t.Errorf("the monitor sees %s", out)
	}
	s.must(s.as("admin", "orders", "parked"))

	for _, forbidden := range [][]string{
		s.as("publisher-acme", "publish", "--tenant", "other", path),
		s.as("monitor", "publish", "--tenant", "acme", path),
		s.as("monitor", "keys", "limit", s.appKeys[0], "5", "--by", "li", "--why", "tried"),
		s.as("publisher-acme", "keys", "list"),
		s.as("publisher-other", "watch", "purchase.result.acme.>"),
	} {
		code, out, errs := execute(t, nil, forbidden...)
		if code != exitFailed || !strings.Contains(out+errs, "this user may not do that") {
			t.Errorf("%v: exit %d: %s", forbidden, code, errs)
		}
		mustNotTell(t, forbidden[0], []byte(out+errs), s.secrets...)
	}
	stopped(t, worker)
	if code, out, errs := execute(t, nil, s.as("monitor", "queue")...); code != exitOK || !strings.Contains(out, "it cannot be seen what waits") || !strings.Contains(errs, "users of the account of the streams alone") {
		t.Errorf("a monitor without a worker: exit %d: %s\n%s", code, out, errs)
	}
	stopped(t, watch, s.relay, s.sim)
	for _, p := range []*process{watch, worker, s.relay} {
		mustNotTell(t, p.cmd.Args[1], []byte(p.out.String()+p.err.String()+strings.Join(p.cmd.Args, " ")), s.secrets...)
	}
}

// TestWhoCannotProveItIsTurnedAway: a server whose certificate comes from another CA is not talked to, and neither is one that
// asks for what was not given. Each says so in one line.
func TestWhoCannotProveItIsTurnedAway(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	refused(t, exitFailed, []string{"this user may not do that", "run autopurchase provision"}, s.worker("--log", "error")...)
	s.must(s.as("provisioner", "provision"))
	other := workertest.NewCA(t).File
	stranger := initAuth(t, t.TempDir(), "").keys()["worker"].File
	wrongPassword := s.secret("wrong-password")
	for _, c := range []struct {
		say  []string
		args []string
	}{
		{[]string{"NATS at", "does not prove", "unknown authority"}, s.worker("--nats-ca", other)},
		{[]string{"NATS at", "does not let this user in"}, s.worker("--nats-nkey", stranger)},
		{[]string{"redis", "unknown authority"}, s.worker("--redis-ca", other)},
		{[]string{"redis", "WRONGPASS"}, s.worker("--redis-password-file", wrongPassword)},
	} {
		code, out, errs := execute(t, nil, c.args...)
		said := complaint(t, errs)
		for _, text := range c.say {
			if code != exitFailed || !strings.Contains(said, text) {
				t.Errorf("%v: exit %d, want %q in %s", c.args, code, text, said)
			}
		}
		mustNotTell(t, "worker", []byte(out+errs), s.secrets...)
	}
	for _, c := range []struct {
		say  string
		args []string
	}{
		{"unknown authority", s.worker("--channel-ca", other)},
		{"refuses the token", s.worker("--channel-token-file", s.secret("wrong-token"))},
		{"refuses the token", s.worker("--channel-token-file", write(t, "no-token", nil))},
	} {
		p := launch(t, c.args...)
		if why := p.says("order channel closed", "why"); !strings.Contains(why, c.say) {
			t.Errorf("want %q, it says %q", c.say, why)
		}
		stopped(t, p)
		mustNotTell(t, "worker", []byte(p.err.String()), s.secrets...)
	}
	stopped(t, s.relay)
	mustNotTell(t, "relay", []byte(s.relay.err.String()), s.secrets...)
}
