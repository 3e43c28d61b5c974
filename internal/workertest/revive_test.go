package workertest_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// sickbed is an infirmary with the rig's first key.
type sickbed struct{ *rig }

func (s sickbed) Benched(context.Context) ([]worker.BenchedKey, error) {
	if s.key(rigKeys[0]).State != keypool.StateBenched {
		return nil, nil
	}
	return []worker.BenchedKey{{Pool: "default", AppKey: rigKeys[0]}}, nil
}

func (s sickbed) Restore(ctx context.Context, key worker.BenchedKey, why string) error {
	_, err := s.pool.Alter(ctx, key.Pool, key.AppKey, keypool.Restore, keypool.Change{By: "probe", Why: why})
	return err
}

// TestABenchedKeyComesBackByItself as soon as 1688 takes it again: work that waited for it goes on, and nobody has to do anything.
func TestABenchedKeyComesBackByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey(rigKeys[0], 1000)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "*", Kind: "auth_401", AppKey: rigKeys[0]}))
	r.work()
	probed := make(chan worker.Event, 1000)
	reviver := worker.Reviver{Infirmary: sickbed{r}, Prover: r.client, First: 50 * time.Millisecond, Longest: 100 * time.Millisecond,
		Observe: func(e worker.Event) { probed <- e }}
	ctx, stop := context.WithCancel(r.ctx)
	var running sync.WaitGroup
	running.Go(func() { reviver.Run(ctx) })
	defer running.Wait()
	defer stop()
	r.ask(r.request("waits", 0))
	for range 3 {
		if e := <-probed; e.AppKey != rigKeys[0] || e.Code != worker.CodeUnauthorized {
			t.Errorf("%+v", e)
		}
	}
	if key := r.key(rigKeys[0]); key.State != keypool.StateBenched || key.Held != 0 {
		t.Errorf("%+v", key)
	}
	r.must(r.sim.Inject())
	if result := r.result("waits"); result.Outcome != worker.OutcomePlaced || len(r.orders("waits")) != 1 {
		t.Errorf("%+v", result)
	}
}
