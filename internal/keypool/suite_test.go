package keypool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

func TestMain(m *testing.M) {
	logging.Disable() // the client of Redis says by itself what its callers are told
	goleak.VerifyTestMain(lasting{m})
}

// backends runs a suite on every kind of Redis the product runs on.
func backends(t *testing.T, suite func(t *testing.T, p *Pool)) {
	singles(t, suite)
	t.Run("redis-cluster", func(t *testing.T) { suite(t, open(t, emptied(t, cluster()))) })
}

// singles runs a suite on every kind of single Redis.
func singles(t *testing.T, suite func(t *testing.T, p *Pool)) {
	t.Run("redis-server", func(t *testing.T) { suite(t, open(t, workertest.Redis(t).URL)) })
	t.Run("in-process", func(t *testing.T) { suite(t, open(t, "redis://"+miniredis.RunT(t).Addr())) })
}

func open(t testing.TB, url string, change ...func(*Config)) *Pool {
	t.Helper()
	config := Config{URL: url, Log: zerolog.New(zerolog.NewTestWriter(t)), CallTimeout: 5 * time.Second}
	for _, c := range change {
		c(&config)
	}
	p, err := Open(t.Context(), config)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

// quiet is a pool whose only events come from its keys.
func quiet(t testing.TB, p *Pool, pool string, limits ...int64) {
	t.Helper()
	settings(t, p, pool, Settings{Count: CountLines, Width: 1})
	for i, limit := range limits {
		add(t, p, Key{Pool: pool, AppKey: fmt.Sprintf("k%d", i+1), Limit: limit})
	}
}

func settings(t testing.TB, p *Pool, pool string, s Settings) {
	t.Helper()
	if err := p.Configure(t.Context(), pool, s, Change{}); err != nil {
		t.Fatalf("configure: %v", err)
	}
	got, err := p.Settings(t.Context(), pool)
	s.Strategy, s.Preview, s.Version = cmp.Or(s.Strategy, StrategyFirst), cmp.Or(s.Preview, worker.PreviewNever), got.Version
	if diff := gocmp.Diff(s, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("settings: %v %s", err, diff)
	}
}

func add(t testing.TB, p *Pool, k Key) Info {
	t.Helper()
	info, err := p.Add(t.Context(), k)
	if err != nil {
		t.Fatalf("add %s: %v", k.AppKey, err)
	}
	return info
}

func order1(pool, reference string, lines int64) worker.Draw {
	return worker.Draw{
		Pool: pool, Reference: reference, Fingerprint: "print", Size: worker.Size{Lines: lines, Units: lines * 10},
		Owner: "owner-1", Attempt: 1, Published: time.Now().Add(time.Hour),
	}
}

// by is the draw as a later delivery makes it.
func by(d worker.Draw, owner string, attempt int) worker.Draw {
	d.Owner, d.Attempt = owner, attempt
	return d
}

func draw(t testing.TB, p *Pool, d worker.Draw) worker.Claim {
	t.Helper()
	claim, err := p.Draw(t.Context(), &d)
	if err != nil {
		t.Fatalf("draw %s: %v", d.Reference, err)
	}
	return *claim
}

func settle(t testing.TB, p *Pool, claim worker.Claim, state worker.ClaimState, lines int64) worker.Claim {
	t.Helper()
	settled := claim
	err := p.Settle(t.Context(), &settled, new(worker.Part{State: state, Code: worker.Code(state)}), worker.Size{Lines: lines, Units: lines * 10})
	if err != nil {
		t.Fatalf("settle %s as %s: %v", claim.Reference, state, err)
	}
	return settled
}

func wantCode(t testing.TB, err error, code worker.Code) {
	t.Helper()
	trouble, ok := errors.AsType[*worker.Trouble](err)
	if !ok || trouble.Code != code {
		t.Fatalf("got %v, want trouble %s", err, code)
	}
}

// wantKey checks a key's books.
func wantKey(t testing.TB, p *Pool, pool, appKey string, state State, used, held int64) {
	t.Helper()
	for _, k := range keys(t, p, pool) {
		if k.AppKey == appKey {
			if k.State != state || k.Used != used || k.Held != held {
				t.Fatalf("%s is %s with %d used and %d held, want %s, %d, %d", appKey, k.State, k.Used, k.Held, state, used, held)
			}
			return
		}
	}
	t.Fatalf("no key %s", appKey)
}

func keys(t testing.TB, p *Pool, pool string) []Info {
	t.Helper()
	infos, err := p.Keys(t.Context(), pool)
	if err != nil {
		t.Fatalf("keys: %v", err)
	}
	return infos
}

// wantBooks checks that no key is over its limit and that the pool's running total is the sum of its keys.
func wantBooks(t testing.TB, p *Pool, pool string) (used, held int64) {
	t.Helper()
	var left int64
	for _, k := range keys(t, p, pool) {
		if k.Used < 0 || k.Held < 0 || k.Used+k.Held > k.Limit {
			t.Fatalf("%s: %d used and %d held of %d", k.AppKey, k.Used, k.Held, k.Limit)
		}
		used, held, left = used+k.Used, held+k.Held, left+k.Left
	}
	if total, err := p.Left(t.Context(), pool); err != nil || total != left {
		t.Fatalf("the pool says %d left (%v), its keys say %d", total, err, left)
	}
	return used, held
}

// kinds lists the waiting events as "kind app_key".
func kinds(t testing.TB, p *Pool, pool string) []string {
	t.Helper()
	events, err := p.Events(t.Context(), pool)
	if err != nil {
		t.Fatalf("events: %v", err)
	}
	var list []string
	for i, e := range events {
		if i > 0 && e.Sequence != events[i-1].Sequence+1 {
			t.Fatalf("event %d follows %d", e.Sequence, events[i-1].Sequence)
		}
		text := string(e.Kind)
		if e.AppKey != "" {
			text += " " + e.AppKey
		}
		list = append(list, text)
	}
	return list
}

// raw is a client of the test's own.
func raw(t testing.TB, p *Pool) redis.UniversalClient {
	t.Helper()
	client, err := p.config.client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if nodes, ok := client.(*redis.ClusterClient); ok {
		return everyMaster{nodes}
	}
	return client
}

// everyMaster is a client of a cluster who empties all of it, not one node.
type everyMaster struct{ *redis.ClusterClient }

func (c everyMaster) FlushAll(ctx context.Context) *redis.StatusCmd {
	var answer redis.StatusCmd
	err := c.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return master.FlushAll(ctx).Err() })
	answer.SetErr(err)
	return &answer
}

// addrOf is the address of a pool's single Redis.
func addrOf(p *Pool) string { return p.shards.only.client.Load().Options().Addr }
