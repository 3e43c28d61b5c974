package benchmark

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/workertest"
)

// rig is one on servers of a test's own, in the queue's own place, where the program finds it too.
type rig struct {
	testing.TB
	*Rig
	natsURL  string
	redisURL string
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigOn(t, NATS)
}

// newRigOn is one whose NATS is such a part, and whose redis-server has other settings.
func newRigOn(t testing.TB, part string, redis ...string) *rig {
	t.Helper()
	url, stop, err := Start(part, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, natsURL: url, redisURL: startRedis(t, redis...)}
	t.Cleanup(func() { r.must(stop(context.Background())) })
	r.Rig, err = Open(t.Context(), Config{NATS: bus.Config{URL: r.natsURL}, Redis: keypool.Config{URL: r.redisURL}})
	t.Cleanup(func() { r.must(r.Close(context.Background())) })
	r.must(err)
	return r
}

// startRedis starts a redis-server that does not rewrite its file meanwhile: a rewrite would fall on one side by chance.
func startRedis(t testing.TB, more ...string) string {
	return workertest.Redis(t, append([]string{"--auto-aof-rewrite-percentage", "0"}, more...)...).URL
}

// openRedis is a client of the library's own.
func openRedis(t testing.TB, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// ours is our side, and bareLoop the other one.
func (r *rig) ours(concurrent int) *workers {
	r.Helper()
	w, err := r.workers(r.Context(), concurrent, 0)
	r.must(err)
	return w
}

func (r *rig) bare(concurrent int) *bare {
	r.Helper()
	l, err := r.bareLoop(r.Context(), concurrent)
	r.must(err)
	return l
}

// do runs a side and says how long it took.
func (r *rig) do(s side, n int) time.Duration {
	r.Helper()
	took, err := s(r.Context(), n)
	r.must(err)
	return took
}

func (r *rig) put(n int) {
	r.Helper()
	r.must(r.publish(r.Context(), n))
}

// add publishes n more while workers of other processes wait for them.
func (r *rig) add(n int) {
	r.Helper()
	r.must(r.submit(r.Context(), r.take(n), n, func(int) bool { return true }))
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}
