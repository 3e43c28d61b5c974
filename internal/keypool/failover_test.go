package keypool

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// patience is how long a fail-over may take.
const patience = 30 * time.Second

// gated is a history that a test can keep from being read.
type gated struct {
	*stored
	gate  atomic.Pointer[chan struct{}] // nil is open
	asked chan struct{}
}

func (g *gated) Waiting(ctx context.Context) iter.Seq2[worker.Request, error] {
	return func(yield func(worker.Request, error) bool) {
		gate := g.gate.Load()
		if gate == nil {
			return
		}
		select {
		case g.asked <- struct{}{}:
		default:
		}
		select {
		case <-*gate:
		case <-ctx.Done():
			yield(worker.Request{}, ctx.Err())
		}
	}
}

// guardedPool is a pool that verifies its Redis; one key with 10 of 1000 used and one order under way, all of it journaled.
func guardedPool(t *testing.T, url, pool string) (*Pool, *gated, worker.Claim) {
	t.Helper()
	history := &gated{stored: &stored{}, asked: make(chan struct{}, 1)}
	p := open(t, url, func(c *Config) {
		c.History, c.FlushEvery, c.CallTimeout = history, 20*time.Millisecond, 500*time.Millisecond
	})
	if err := p.Rebuild(t.Context(), pool, history); err != nil {
		t.Fatal(err)
	}
	quiet(t, p, pool, 1000)
	j := newJournal()
	if err := p.Flush(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	settle(t, p, draw(t, p, order1(pool, worker.Reference("acme", "first", 1), 10)), placed, 10)
	history.events = j.stored[pool]
	history.results = append(history.results, bought("first", 10))
	underWay := worker.Request{Tenant: "acme", ID: "under-way", Pool: pool}
	for n := range 5 {
		underWay.Lines = append(underWay.Lines, worker.Line{OfferID: fmt.Sprint(n)})
	}
	history.flights = append(history.flights, underWay)
	return p, history, draw(t, p, order1(pool, worker.Reference("acme", "under-way", 1), 5))
}

func bought(id string, products int64) worker.Result {
	return worker.Result{Tenant: "acme", RequestID: id, Outcome: worker.Outcome(placed), Orders: []worker.ResultOrder{
		{OrderID: id, OutOrderID: worker.Reference("acme", id, 1), AppKey: "k1", Products: products}}}
}

// goesOverTo lets another server take the pool over, which misses the last order that is on record. Nothing is drawn from it
// until it has been compared with the record; then the pool goes on.
func goesOverTo(t *testing.T, p *Pool, pool string, history *gated, claim worker.Claim, fail func()) {
	t.Helper()
	gate := make(chan struct{})
	history.gate.Store(&gate)
	history.results = append(history.results, bought("lost", 7))
	before := p.seen(t.Context(), pool)
	fail()
	select {
	case <-history.asked:
	case <-time.After(patience):
		t.Fatalf("nobody noticed in %v", patience)
	}
	for i := range 3 {
		_, err := p.Draw(t.Context(), new(order1(pool, fmt.Sprint("early-", i), 1)))
		wantCode(t, err, worker.CodeRedisDown)
		_, err = p.Left(t.Context(), pool)
		wantCode(t, err, worker.CodeRedisDown)
	}
	close(gate)
	eventually(t, func() error {
		_, err := p.Draw(t.Context(), new(order1(pool, "late", 1)))
		return err
	})
	if after := p.seen(t.Context(), pool); after == before {
		t.Fatalf("it is still %s", before)
	}
	wantKey(t, p, pool, "k1", StateActive, 17, 6)
	settle(t, p, claim, placed, 5)
	wantKey(t, p, pool, "k1", StateActive, 22, 1)
	wantBooks(t, p, pool)
}

// TestAKilledMasterOfAClusterIsReplaced: its pool is verified on the replica; the others' pools go on meanwhile.
func TestAKilledMasterOfAClusterIsReplaced(t *testing.T) {
	nodes := workertest.RedisCluster(t, "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no")
	pools := apart(nodes)
	p, history, claim := guardedPool(t, nodes.URL, pools[0])
	if err := p.Rebuild(t.Context(), pools[1], &stored{}); err != nil {
		t.Fatal(err)
	}
	quiet(t, p, pools[1], 1000)
	if err := p.Flush(t.Context(), newJournal()); err != nil {
		t.Fatal(err)
	}
	replica := nodes.Replica(nodes.Masters[0])
	goesOverTo(t, p, pools[0], history, claim, func() {
		replica.CatchesUp(nodes.Masters[0])
		nodes.Masters[0].Kill()
		draw(t, p, order1(pools[1], "meanwhile", 1))
	})
}

// TestSentinelsReplaceAKilledPrimary, of whom the one that the pool asks is frozen.
func TestSentinelsReplaceAKilledPrimary(t *testing.T) {
	watched := workertest.RedisSentinel(t)
	p, history, claim := guardedPool(t, "redis-sentinel://"+watched.Sentinels[0].Addr+"?master_name=main", "default")
	goesOverTo(t, p, "default", history, claim, func() {
		watched.Replica.CatchesUp(watched.Primary)
		watched.Sentinels[0].Freeze()
		watched.Primary.Kill()
	})
}

// TestSentinelsSwapTheRoles: both servers live, and the one that was the primary takes no writes any more.
func TestSentinelsSwapTheRoles(t *testing.T) {
	watched := workertest.RedisSentinel(t)
	p, history, claim := guardedPool(t, watched.URL, "default")
	goesOverTo(t, p, "default", history, claim, func() {
		watched.Replica.CatchesUp(watched.Primary)
		watched.FailOver()
	})
}

// TestAPoolMovesToAnotherMaster while 64 goroutines draw from it and settle: its slot is taken over by another master of the
// cluster, bit by bit. Every order is counted once.
func TestAPoolMovesToAnotherMaster(t *testing.T) {
	nodes := workertest.RedisCluster(t)
	pool := apart(nodes)[0]
	p, _, _ := guardedPool(t, nodes.URL, pool)
	const orders, before = 300, 50
	var settled, refused atomic.Int64
	under, moved := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(moved)
		<-under
		nodes.Move(namesOf(pool).pool, nodes.Masters[1])
	}()
	atOnce(orders, func(i int) {
		if i > 2*before {
			<-moved // or all would be over before it is
		}
		deadline := time.Now().Add(patience)
		for {
			err := buyOne(t, p, pool, fmt.Sprint("r-", i))
			if err == nil {
				break
			}
			refused.Add(1)
			if worker.AsTrouble(err).Code != worker.CodeRedisDown || time.Now().After(deadline) {
				t.Errorf("order %d: %v", i, err)
				break
			}
		}
		if settled.Add(1) == before {
			close(under)
		}
	})
	if lives := livesOn(t, nodes, pool); !slices.Equal(lives, []string{nodes.Masters[1].Addr}) {
		t.Errorf("it lives on %q", lives)
	}
	wantKey(t, p, pool, "k1", StateActive, 10+orders, 5)
	wantBooks(t, p, pool)
	if refused.Load() == 0 {
		t.Log("the slot moved between two steps: none was turned down")
	}
}

func buyOne(t *testing.T, p *Pool, pool, reference string) error {
	claim, err := p.Draw(t.Context(), new(order1(pool, reference, 1)))
	if err == nil {
		err = p.Settle(t.Context(), claim, new(worker.Part{State: placed, Code: worker.CodePlaced}), worker.Size{Lines: 1, Units: 1})
	}
	return err
}
