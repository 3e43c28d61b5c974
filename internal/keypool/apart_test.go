package keypool

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// apart gives the names of pools of which each lives on another master, in the masters' order.
func apart(nodes *workertest.RedisNodes) []string {
	pools := make([]string, len(nodes.Masters))
	for i, found := 0, 0; found < len(pools); i++ {
		name := fmt.Sprint("pool-", i)
		if at := slices.Index(nodes.Masters, nodes.Master(namesOf(name).pool)); pools[at] == "" {
			pools[at] = name
			found++
		}
	}
	return pools
}

// TestPoolsOfAClusterLiveApart: each on its master, with all that belongs to it, and 64 goroutines draw from all at once.
func TestPoolsOfAClusterLiveApart(t *testing.T) {
	nodes := cluster()
	p := open(t, emptied(t, nodes))
	pools := apart(nodes)
	for _, pool := range pools {
		quiet(t, p, pool, 1000)
		settle(t, p, draw(t, p, order1(pool, "before", 990)), placed, 990)
	}
	var granted [3]atomic.Int64
	atOnce(3*50, func(i int) {
		_, err := p.Draw(t.Context(), new(order1(pools[i%3], fmt.Sprint("r-", i), 1)))
		switch trouble, _ := errors.AsType[*worker.Trouble](err); {
		case err == nil:
			granted[i%3].Add(1)
		case trouble == nil || trouble.Code != worker.CodeNoKey:
			t.Errorf("draw %d: %v", i, err)
		}
	})
	if got, err := p.Pools(t.Context()); err != nil || !slices.Equal(got, slices.Sorted(slices.Values(pools))) {
		t.Errorf("pools %q, %v", got, err)
	}
	j := newJournal()
	if err := p.Flush(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	for i, pool := range pools {
		if granted[i].Load() != 10 {
			t.Errorf("%s: %d granted, want 10", pool, granted[i].Load())
		}
		wantKey(t, p, pool, "k1", StateActive, 990, 10)
		wantBooks(t, p, pool)
		if claim, found, err := p.Claim(t.Context(), pool, "before"); err != nil || !found || claim.Products != 990 {
			t.Errorf("%s: claim %+v, %t, %v", pool, claim, found, err)
		}
		if keys, err := p.AppKeys(t.Context(), pool); err != nil || !slices.Equal(keys, []string{"k1"}) {
			t.Errorf("%s: app keys %q, %v", pool, keys, err)
		}
		j.wantAll(t, p, pool, 3) // its settings, its key and that it is exhausted
		if lives := livesOn(t, nodes, pool); !slices.Equal(lives, []string{nodes.Masters[i].Addr}) {
			t.Errorf("%s lives on %q, want %s", pool, lives, nodes.Masters[i].Addr)
		}
	}
}

// livesOn lists the masters on which something of a pool is.
func livesOn(t *testing.T, nodes *workertest.RedisNodes, pool string) (addrs []string) {
	t.Helper()
	for _, master := range nodes.Masters {
		client := redis.NewClient(&redis.Options{Addr: master.Addr})
		found, err := client.Keys(t.Context(), "*{"+pool+"}*").Result()
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			addrs = append(addrs, master.Addr)
		}
		_ = client.Close()
	}
	return addrs
}

// TestALostListOfPoolsIsPutBack: the master on which the list lies forgot it, those of the pools forgot nothing. Events that
// another process left behind are found all the same.
func TestALostListOfPoolsIsPutBack(t *testing.T) {
	nodes := cluster()
	other := open(t, emptied(t, nodes))
	history := &stored{}
	p := open(t, nodes.URL, func(c *Config) { c.History, c.FlushEvery = history, 20*time.Millisecond })
	quiet(t, other, "default", 10)
	eventually(t, func() error { return p.Rebuild(t.Context(), "default", history) })
	if err := raw(t, p).Del(t.Context(), poolNames).Err(); err != nil {
		t.Fatal(err)
	}
	j := newJournal()
	if err := p.Flush(t.Context(), j); err != nil || len(j.stored["default"]) != 2 {
		t.Fatalf("journaled %v, %v", j.stored, err)
	}
	if pools, err := other.Pools(t.Context()); err != nil || !slices.Equal(pools, []string{"default"}) {
		t.Fatalf("pools %q, %v", pools, err)
	}
}

// TestAURLOfTheWrongKindIsRefused says so instead of failing at every step.
func TestAURLOfTheWrongKindIsRefused(t *testing.T) {
	_, err := Open(t.Context(), Config{URL: "redis://" + cluster().Masters[0].Addr})
	if !errors.Is(err, errNode) {
		t.Errorf("a node of a cluster: %v", err)
	}
	_, err = Open(t.Context(), Config{URL: "redis-cluster://" + workertest.Redis(t).Addr})
	wantCode(t, err, worker.CodeRedisDown)
}
