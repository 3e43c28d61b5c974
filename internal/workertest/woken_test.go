package workertest_test

import (
	"testing"

	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// TestAChangeThatMakesRoomWakesWhatWaits: nobody has to start anything again.
func TestAChangeThatMakesRoomWakesWhatWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ shut, open func(r *rig) error }{
		"a limit raised": {
			func(r *rig) error {
				_, err := r.pool.Limit(r.ctx, "default", rigKeys[0], 1, keypool.Change{})
				return err
			},
			func(r *rig) error {
				_, err := r.pool.Limit(r.ctx, "default", rigKeys[0], 2, keypool.Change{})
				return err
			},
		},
		"a key enabled":  {altered(keypool.Disable), altered(keypool.Enable)},
		"a key restored": {altered(keypool.Bench), altered(keypool.Restore)},
		"a count reset": {
			func(r *rig) error {
				_, err := r.pool.Limit(r.ctx, "default", rigKeys[0], 1, keypool.Change{})
				return err
			},
			altered(keypool.Reset),
		},
		"a key put back": {altered(keypool.Remove), func(r *rig) error {
			_, err := r.pool.Add(r.ctx, keypool.Key{Pool: "default", AppKey: rigKeys[0], Limit: 2})
			r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, processes(t))
			r.addKey(rigKeys[0], 2)
			r.work()
			r.ask(r.request("first", 0))
			r.result("first")
			r.must(c.shut(r))
			r.ask(r.request("waits", 0))
			r.until("the pause", func(e worker.Event) bool { return e.Stage == worker.StagePaused || e.Stage == worker.StageWaiting })
			r.must(c.open(r))
			if result := r.result("waits"); result.Outcome != worker.OutcomePlaced || result.AppKey != rigKeys[0] {
				t.Errorf("%+v", result)
			}
		})
	}
}

func altered(verb keypool.Verb) func(r *rig) error {
	return func(r *rig) error {
		_, err := r.pool.Alter(r.ctx, "default", rigKeys[0], verb, keypool.Change{})
		return err
	}
}
