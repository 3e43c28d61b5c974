package workertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// RedisWatched is a primary and a replica watched by three Sentinels, each a process. A primary that is away for a second is
// replaced.
type RedisWatched struct {
	URL       string // redis-sentinel://…, with all Sentinels
	Primary   *RedisServer
	Replica   *RedisServer
	Sentinels []*RedisServer
}

// RedisSentinel starts them and returns once they would agree on a fail-over, which takes a few seconds; the test fails if
// they do not. The arguments are the primary's and the replica's; see [Redis].
func RedisSentinel(t testing.TB, args ...string) *RedisWatched {
	t.Helper()
	w := &RedisWatched{Primary: Redis(t, args...), Replica: Redis(t, args...)}
	w.Replica.ReplicaOf(w.Primary)
	var addrs []string
	for range clusterSize {
		s := w.sentinel(t)
		w.Sentinels, addrs = append(w.Sentinels, s), append(addrs, s.Addr)
	}
	w.URL = "redis-sentinel://" + addrs[0] + "/0?master_name=main&addr=" + strings.Join(addrs[1:], "&addr=")
	for _, s := range w.Sentinels {
		s.await("the replica and the other Sentinels", w.knowsAll)
	}
	return w
}

func (w *RedisWatched) knowsAll(ctx context.Context, client *redis.Client) error {
	answer := redis.NewMapStringStringCmd(ctx, "sentinel", "master", "main")
	if err := client.Process(ctx, answer); err != nil {
		return err
	}
	if facts := answer.Val(); facts["num-slaves"] != "1" || facts["num-other-sentinels"] != fmt.Sprint(clusterSize-1) {
		return errNotYet
	}
	return nil
}

// sentinel starts a Sentinel, which keeps what it learns in its file.
func (w *RedisWatched) sentinel(t testing.TB) *RedisServer {
	t.Helper()
	s := &RedisServer{t: t, dir: t.TempDir(), ready: "+monitor master"}
	host, port, _ := strings.Cut(w.Primary.Addr, ":")
	file := filepath.Join(s.dir, "sentinel.conf")
	settings := fmt.Sprintf("sentinel monitor main %s %s 2\nsentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n", host, port)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.open(func() func(port string) []string {
		return func(port string) []string {
			return []string{file, "--sentinel", "--bind", loopback, "--port", port, "--dir", s.dir, "--daemonize", "no"}
		}
	})
}

// FailOver has the Sentinels swap the roles while both servers live, as for maintenance, and returns once the replica takes
// writes. The primary becomes its replica.
func (w *RedisWatched) FailOver() {
	w.Sentinels[0].t.Helper()
	w.Sentinels[0].await("a fail-over", func(ctx context.Context, client *redis.Client) error {
		return client.Do(ctx, "sentinel", "failover", "main").Err()
	})
	w.Replica.await("its becoming primary", func(ctx context.Context, client *redis.Client) error {
		return says(client.Info(ctx, "replication"), "role:master")
	})
}
