package keypool

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestAUserNeedsNoMoreThanTheACL works a pool as a user with no other rights, on a Redis of each kind, with its password from
// beside the URL.
func TestAUserNeedsNoMoreThanTheACL(t *testing.T) {
	t.Parallel()
	const password = "of-the-worker"
	acl := append([]string{"--user", "worker", "on", ">" + password}, strings.Fields(ACL)...)
	for name, start := range map[string]func() string{
		"single":   func() string { return strings.Replace(workertest.Redis(t, acl...).URL, "://", "://worker@", 1) },
		"sentinel": func() string { return workertest.RedisSentinel(t, acl...).URL + "&username=worker" },
		"cluster": func() string {
			nodes := workertest.RedisCluster(t, append(acl, strings.Fields(ACLCluster)...)...)
			return strings.Replace(nodes.URL, "://", "://worker@", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, start(), func(c *Config) { c.Password = password })
			work(t, p)
			if err := raw(t, p).Set(t.Context(), "another", "1", 0).Err(); err == nil || !strings.Contains(err.Error(), "NOPERM") {
				t.Errorf("the user may write elsewhere: %v", err)
			}
		})
	}
}

// work does with a pool what a worker and an administrator do.
func work(t *testing.T, p *Pool) {
	t.Helper()
	quiet(t, p, "p", 10, 10)
	settle(t, p, draw(t, p, order1("p", "r1", 3)), worker.ClaimPlaced, 3)
	settle(t, p, draw(t, p, order1("p", "r2", 3)), worker.ClaimRefused, 0)
	wantKey(t, p, "p", "k1", StateActive, 3, 0)
	if _, err := p.Alter(t.Context(), "p", "k2", Disable, Change{ID: "1", By: "li"}); err != nil {
		t.Error(err)
	}
	wantBooks(t, p, "p")
	if len(kinds(t, p, "p")) == 0 {
		t.Error("no events")
	}
	if err := p.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWhatStandsBesideTheURL: password and TLS go into the options of every kind of Redis, and each server must be the host that
// it is reached by.
func TestWhatStandsBesideTheURL(t *testing.T) {
	t.Parallel()
	roots := x509.NewCertPool()
	beside := Config{Password: "beside", TLS: &tls.Config{RootCAs: roots, Certificates: make([]tls.Certificate, 1)}}
	for url, name := range map[string]string{
		"rediss://worker@10.0.0.1:6379/0":                                        "10.0.0.1",
		"rediss-sentinel://watcher@10.0.0.1:26379?master_name=m&username=worker": "",
		"rediss-cluster://worker@10.0.0.1:6379?addr=10.0.0.2:6379":               "",
	} {
		beside.URL = url
		options, err := beside.options()
		if err != nil {
			t.Fatal(err)
		}
		var user, password string
		var secure *tls.Config
		switch o := options.(type) {
		case *redis.Options:
			user, password, secure = o.Username, o.Password, o.TLSConfig
		case *redis.ClusterOptions:
			user, password, secure = o.Username, o.Password, o.TLSConfig
		case *redis.FailoverOptions:
			user, password, secure = o.Username, o.Password, o.TLSConfig
			if o.SentinelPassword != "beside" {
				t.Errorf("Sentinels are told %q", o.SentinelPassword)
			}
		}
		if user != "worker" || password != "beside" || secure.RootCAs != roots || len(secure.Certificates) != 1 || secure.ServerName != name {
			t.Errorf("%s: user %q, password %q, %+v", url, user, password, secure)
		}
	}
	for url, want := range map[string]string{
		"rediss://worker:inside@10.0.0.1": "has a password",
		"redis://worker@10.0.0.1":         "rediss",
	} {
		beside.URL = url
		if err := beside.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "inside") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
