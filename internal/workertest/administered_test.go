package workertest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// TestAThousandChangesWhileSixtyFourWorkersDraw, or as many as it takes to be there most of the time: whatever administrators do at random meanwhile, no key passes the highest limit
// that it ever had, every request has one order or none, and the pool, its journal, its statements and 1688 agree in the end, also
// once Redis has lost everything.
func TestAThousandChangesWhileSixtyFourWorkersDraw(t *testing.T) {
	const requests, changes, administrators = 1500, 1000, 8
	redis := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: redis.URL})
	for _, appKey := range rigKeys {
		r.addKey(appKey, highest)
	}
	flushed := r.flushing()
	w, _ := r.hire(func(c *worker.Config, _ *worker.Ports) { c.Concurrent = 64 })
	busy := func() bool { return w.Vitals().Finished < requests*9/10 && r.ctx.Err() == nil }
	var office sync.WaitGroup
	var made atomic.Int64
	for n := range administrators {
		dice := rand.New(rand.NewPCG(1, uint64(n)))
		office.Go(func() {
			for i := 0; i < changes/administrators || busy(); i++ {
				err := r.administer(dice, fmt.Sprintf("%d-%d", n, i))
				if _, denied := errors.AsType[*worker.Denied](err); err != nil && !denied {
					t.Errorf("a change failed: %v", err)
				} else if err == nil {
					made.Add(1)
				}
			}
		})
	}
	r.submit("PR-", requests)
	office.Wait()
	for _, appKey := range rigKeys {
		r.reopen(appKey)
	}
	for range requests {
		r.until("a request to be finished", func(e worker.Event) bool { return e.Stage == worker.StageFinished })
	}
	flushed()
	t.Logf("%d changes were made, and others denied", made.Load())
	if made.Load() < changes/2 {
		t.Error("so few that nothing is shown")
	}
	before := r.wantStatements()
	r.flushRedis(redis.Addr)
	r.must(r.pool.Rebuild(r.ctx, "default", r.bus.History()))
	after, err := r.pool.Keys(r.ctx, "default")
	r.must(err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("rebuilt: %s", diff)
	}
}

// highest is the highest limit that administer gives.
const highest = 120

// administer does one thing at random to the pool.
func (r *rig) administer(dice *rand.Rand, id string) (err error) {
	c := keypool.Change{ID: id, By: "somebody", Why: "by chance"}
	appKey := rigKeys[dice.IntN(len(rigKeys))]
	switch dice.IntN(6) {
	case 0:
		_, err = r.pool.Limit(r.ctx, "default", appKey, 20+dice.Int64N(highest-19), c)
	case 1:
		_, err = r.pool.Add(r.ctx, keypool.Key{Pool: "default", AppKey: appKey, Limit: 20 + dice.Int64N(highest-19), Change: c})
	case 2:
		strategy := []string{keypool.StrategyFirst, keypool.StrategyEven}[dice.IntN(2)]
		err = r.pool.Configure(r.ctx, "default", keypool.Settings{Count: keypool.CountLines, Width: 1 + dice.IntN(3), Low: dice.Int64N(500), Strategy: strategy}, c)
	default:
		verbs := []keypool.Verb{keypool.Disable, keypool.Enable, keypool.Bench, keypool.Restore, keypool.Retire, keypool.Remove, keypool.Reset, keypool.Rotate}
		_, err = r.pool.Alter(r.ctx, "default", appKey, verbs[dice.IntN(len(verbs))], c)
	}
	return err
}

// opened is the limit that reopen gives.
const opened = 100 * highest

// reopen lets a key take orders again, whatever was done to it.
func (r *rig) reopen(appKey string) {
	r.t.Helper()
	info, err := r.pool.Add(r.ctx, keypool.Key{Pool: "default", AppKey: appKey, Limit: opened})
	r.must(err)
	switch info.State {
	case keypool.StateDisabled, keypool.StateRetired:
		_, err = r.pool.Alter(r.ctx, "default", appKey, keypool.Enable, keypool.Change{})
	case keypool.StateBenched:
		_, err = r.pool.Alter(r.ctx, "default", appKey, keypool.Restore, keypool.Change{})
	}
	r.must(err)
}

// wantStatements compares the pool with its statements and 1688's books.
func (r *rig) wantStatements() []keypool.Info {
	r.t.Helper()
	infos, err := r.pool.Keys(r.ctx, "default")
	r.must(err)
	at1688 := map[string]int64{}
	for _, book := range r.sim.Keys() {
		at1688[book.AppKey] = book.Products
	}
	for _, key := range infos {
		history := r.bus.History()
		s, err := worker.StatementOf("default", key.AppKey, history.Events(r.ctx, "default"), history.Results(r.ctx, "default"))
		r.must(err)
		var ordered, most int64
		administered := true
		for _, row := range s.Rows {
			ordered += row.Products
			if administered = administered && row.Limit != opened; administered {
				most = max(most, row.Count)
			}
		}
		if most > highest {
			r.t.Errorf("%s counted %d, and never had a limit above %d", key.AppKey, most, highest)
		}
		if s.Used != key.Used || key.Held != 0 || ordered != at1688[key.AppKey] {
			r.t.Errorf("%s: used %d and held %d, its statement %d of %d ordered, 1688 %d", key.AppKey, key.Used, key.Held, s.Used, ordered, at1688[key.AppKey])
		}
		r.t.Logf("%s: %d ordered, %d used, %d rows, at most %d at a time", key.AppKey, ordered, key.Used, len(s.Rows), most)
	}
	return infos
}

// flushing journals what happens to the pool, until what it returns is called.
func (r *rig) flushing() (stop func()) {
	beside := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-beside:
				return
			default:
				r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
			}
		}
	})
	return func() {
		close(beside)
		running.Wait()
		r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	}
}

// submit publishes so many requests.
func (r *rig) submit(prefix string, n int) {
	r.t.Helper()
	requests := func(yield func(bus.Submission) bool) {
		for i := range n {
			q := r.request(fmt.Sprint(prefix, i), i%len(r.offers))
			if !yield(bus.Submission{ID: q.ID, Body: schemas.AppendRequest(nil, q)}) {
				return
			}
		}
	}
	r.must(r.bus.SubmitAll(r.ctx, "acme", requests, func(o bus.Outcome) {
		if o.Err != nil || o.Receipt.Fate != bus.Accepted {
			r.t.Errorf("request %s: %v, %v", o.ID, o.Receipt.Fate, o.Err)
		}
	}))
}
