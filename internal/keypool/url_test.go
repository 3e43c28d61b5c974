package keypool

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestURLsOfEveryKind(t *testing.T) {
	config := Config{CallTimeout: 400 * time.Millisecond}.withDefaults()
	for _, c := range []struct {
		url     string
		addrs   []string // of the Sentinels or nodes
		db      int
		secure  bool
		cluster bool
	}{
		{url: "redis://127.0.0.1:1/3", addrs: []string{"127.0.0.1:1"}, db: 3},
		{url: "rediss://u:p@127.0.0.1", addrs: []string{"127.0.0.1:6379"}, secure: true},
		{url: "unix://u:p@/run/redis.sock?db=2", addrs: []string{"/run/redis.sock"}, db: 2},
		{url: "redis-sentinel://s:p@127.0.0.1:1/4?master_name=m&addr=127.0.0.1:2&username=u&password=p", addrs: []string{"127.0.0.1:1", "127.0.0.1:2"}, db: 4},
		{url: "rediss-sentinel://127.0.0.1:1?master_name=m", addrs: []string{"127.0.0.1:1"}, secure: true},
		{url: "redis-cluster://u:p@127.0.0.1:1?addr=127.0.0.1:2&addr=127.0.0.1:3", addrs: []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}, cluster: true},
		{url: "rediss-cluster://127.0.0.1:1/0", addrs: []string{"127.0.0.1:1"}, secure: true, cluster: true},
	} {
		config.URL = c.url
		options, err := readURL(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		var addrs []string
		var db int
		var secure bool
		switch o := options.(type) {
		case *redis.Options:
			addrs, db, secure = []string{o.Addr}, o.DB, o.TLSConfig != nil
		case *redis.FailoverOptions:
			addrs, db, secure = o.SentinelAddrs, o.DB, o.TLSConfig != nil
		case *redis.ClusterOptions:
			addrs, secure = o.Addrs, o.TLSConfig != nil
		}
		if !slices.Equal(addrs, c.addrs) || db != c.db || secure != c.secure {
			t.Errorf("%s: read as %q, database %d, TLS %t", c.url, addrs, db, secure)
		}
		client, err := config.client()
		if err != nil {
			t.Fatal(err)
		}
		if _, cluster := client.(*redis.ClusterClient); cluster != c.cluster {
			t.Errorf("%s: the client is a %T", c.url, client)
		}
		if single, ok := client.(*redis.Client); ok {
			wantOurs(t, c.url, single.Options())
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

// wantOurs checks that a client repeats nothing by itself and waits as long as a call may take, whatever its kind.
func wantOurs(t *testing.T, url string, o *redis.Options) {
	t.Helper()
	if o.MaxRetries != 0 || o.DialerRetries != 1 || o.ReadTimeout != 400*time.Millisecond || o.Protocol != 2 || o.PoolSize != 7 || !o.ContextTimeoutEnabled {
		t.Errorf("%s: options %+v", url, o)
	}
}

func TestWrongURLsAreNamedAndNotRepeated(t *testing.T) {
	const secret = "geheim"
	for url, want := range map[string]string{
		"":                                     "must begin with",
		"geheim":                               "must begin with",
		"http://u:geheim@x":                    "must begin with",
		"redis-://u:geheim@x":                  "must begin with",
		"redis-ring://u:geheim@":               "must begin with",
		"redis://u:ge/geheim@x":                "cannot be read",
		"redis://u:geheim%@x":                  "cannot be read",
		"redis://:geheim@":                     "host is missing",
		"redis-cluster://u:geheim@:1?addr=b:1": "host is missing",
		"redis://x/geheim":                     "must be a number",
		"redis://x/-1":                         "must be a number",
		"redis-sentinel://x/0/geheim?master_name=m":         "must be a number",
		"redis-cluster://u:geheim@x/1":                      "no database but 0",
		"redis-sentinel://u:geheim@x":                       "master_name is missing",
		"redis-sentinel://x?master_name=m&addr=geheim":      "each addr",
		"redis-cluster://u:geheim@x?addr=:1":                "each addr",
		"redis-sentinel://x?master_name=m&replica_only=1":   "replica_only",
		"redis-cluster://u:geheim@x?route_by_latency=1":     "route_by_latency",
		"redis-cluster://u:geheim@x?geheim=1":               "an option",
		"redis://u:geheim@x?pool_timeout=geheim":            "an option",
		"redis-sentinel://x?master_name=m&db=geheim":        "an option",
		"redis-sentinel://x?master_name=m&passwort=geheim1": "an option",
	} {
		err := CheckURL(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
}
