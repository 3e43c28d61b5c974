package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"autopurchase/internal/workertest"
)

// initAuth runs auth init and gives what it made.
func initAuth(t *testing.T, dir, tenants string, args ...string) authMade {
	t.Helper()
	code, out, errs := execute(t, nil, append([]string{"auth", "init", "--json", "--tenants", tenants, "--out", dir}, args...)...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var made authMade
	must(t, json.Unmarshal([]byte(out), &made))
	return made
}

func (m authMade) keys() map[string]authUser {
	users := map[string]authUser{}
	for _, u := range m.Users {
		users[u.Role] = u
	}
	return users
}

// TestAuthInitKeepsWhatIsThere: tenants come and go, and who is in use stays in use.
func TestAuthInitKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "auth")
	first := initAuth(t, dir, "acme").keys()
	if len(first) != 6 || first["publisher-acme"].State != "new" {
		t.Errorf("%+v", first)
	}
	for _, u := range first {
		info, err := os.Stat(u.File)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", u.File, info.Mode())
		}
	}
	more := initAuth(t, dir, "acme, globex")
	for role, was := range first {
		if is := more.keys()[role]; is.Public != was.Public || is.State != "kept" {
			t.Errorf("%s was %+v and is %+v", role, was, is)
		}
	}
	if len(more.Users) != 7 || more.keys()["publisher-globex"].State != "new" {
		t.Errorf("%+v", more)
	}
	less := initAuth(t, dir, "globex")
	if len(less.LeftOver) != 1 || filepath.Base(less.LeftOver[0]) != "publisher-acme.nk" {
		t.Errorf("%+v", less)
	}
	forced := initAuth(t, dir, "acme", "--force").keys()
	for role, was := range first {
		if forced[role].Public == was.Public {
			t.Errorf("%s was kept in spite of --force", role)
		}
	}
	server := workertest.NATS(t, workertest.NATSConf(t, filepath.Join(dir, "nats.conf")))
	if code, _, errs := execute(t, nil, "provision", "--nats", server.URL, "--nats-nkey", forced["provisioner"].File); code != exitOK {
		t.Error(errs)
	}
}

func TestAuthInitRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	refused(t, exitUsage, []string{"--out"}, "auth", "init", "--tenants", "acme")
	refused(t, exitUsage, []string{`"a.b"`}, "auth", "init", "--tenants", "a.b", "--out", dir)
	refused(t, exitUsage, []string{"twice"}, "auth", "init", "--tenants", "a,a", "--out", dir)
	refused(t, exitUsage, []string{"--tls-key"}, "auth", "init", "--out", dir, "--tls-cert", "x")
	made := initAuth(t, dir, "acme").keys()
	must(t, os.Rename(made["admin"].File, made["worker"].File))
	refused(t, exitFailed, []string{"worker.nk", "another role"}, "auth", "init", "--tenants", "acme", "--out", dir)
	must(t, os.WriteFile(made["worker"].File, []byte("SU"+markerSecret), 0o600))
	refused(t, exitFailed, []string{"worker.nk", "no seed"}, "auth", "init", "--tenants", "acme", "--out", dir)
}

// TestSecretFilesThatWillNotDo: what holds a secret must be the owner's alone, and is not repeated when it is wrong.
func TestSecretFilesThatWillNotDo(t *testing.T) {
	t.Parallel()
	open := write(t, "open.nk", []byte("SU"+markerSecret))
	must(t, os.Chmod(open, 0o640))
	empty, wrong := write(t, "empty", nil), write(t, "wrong.nk", []byte(markerSecret))
	ca := workertest.NewCA(t)
	cert, key := ca.Certificate()
	for _, c := range []struct {
		say  string
		args []string
	}{
		{"--nats-nkey", []string{"watch", "--nats-nkey", open}},
		{"chmod 600", []string{"keys", "list", "--nats-nkey", open}},
		{"no such file", []string{"publish", "--nats-nkey", open + "-not", "-"}},
		{"no seed", []string{"orders", "parked", "--nats-nkey", wrong}},
		{"PEM", []string{"watch", "--nats-ca", wrong}},
		{"belong together", []string{"watch", "--nats-cert", cert}},
		{"chmod 600", []string{"worker", "--redis", "rediss://127.0.0.1:1", "--redis-cert", cert, "--redis-key-file", open}},
		{"rediss", []string{"worker", "--redis", "redis://127.0.0.1:1", "--redis-ca", ca.File}},
		{"is empty", []string{"worker", "--redis-password-file", empty}},
		{"beside it", []string{"worker", "--redis", "redis://u:" + markerSecret + "@127.0.0.1:1", "--redis-password-file", wrong}},
		{"by its URL", []string{"demo", "--redis", "in-process", "--redis-password-file", wrong}},
		{"wss://", []string{"worker", "--channel-ca", ca.File}},
		{"--tls-key", []string{"relay", "--tls-cert", cert}},
		{"--tls-cert", []string{"relay", "--tls-cert", wrong, "--tls-key", key}},
		{"channel needs a token", []string{"relay", "--listen", ":0", "--tls-cert", cert, "--tls-key", key}},
	} {
		code, out, errs := execute(t, nil, c.args...)
		if code != exitUsage || !strings.Contains(errs, c.say) || strings.Contains(out+errs, markerSecret) {
			t.Errorf("%v: exit %d, want %q in %s", c.args, code, c.say, errs)
		}
	}
}
