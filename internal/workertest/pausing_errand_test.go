package workertest_test

import (
	"context"
	"testing"
	"time"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestWhatHoldsTheLastRoomIsDelivered: everybody waits for room, and the room is held for an order that must be delivered again, to
// be looked up or to be sent at last. It is, although nobody fetches.
func TestWhatHoldsTheLastRoomIsDelivered(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]worker.Answer{
		"its answer was lost": {},
		"it never left":       {Verdict: worker.NotAttempted, Code: worker.CodeThrottled, Reason: "later", Retry: 1500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, processes(t))
			r.addKey("1000001", 1)
			if first.Verdict == "" {
				r.must(r.sim.Inject(
					sim1688.Fault{Operation: "fastCreateOrder", Kind: "late_list", DelayMS: 1500, Count: 1},
					sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1},
				))
			}
			answers := make(chan worker.Answer, 1)
			answers <- first
			w, _ := r.hire(func(c *worker.Config, p *worker.Ports) {
				c.LookFor = 10 * patience
				p.Market = market{r.client, func(ctx context.Context, order worker.Order) worker.Answer {
					select {
					case answer := <-answers:
						if answer.Verdict != "" {
							return answer
						}
					default:
					}
					return *r.client.Place(ctx, &order)
				}}
			})
			r.ask(r.request("first", 0))
			r.until("it to be handed back", func(e worker.Event) bool { return e.Stage == worker.StagePostponed })
			r.ask(r.request("second", 0))
			r.until("the pause", func(e worker.Event) bool { return e.Stage == worker.StagePaused && e.Code == worker.CodeNoKey })
			if result := r.result("first"); result.Outcome != worker.OutcomePlaced || len(r.orders("first")) != 1 {
				t.Errorf("%+v", result)
			}
			if key := r.key("1000001"); key.Used != 1 || key.Held != 0 || !paused(w, worker.CodeNoKey) {
				t.Errorf("%+v, paused %+v", key, w.Vitals().Pauses)
			}
			r.addKey("1000002", 1)
			r.result("second")
		})
	}
}

// TestAPoolWithoutRoomHoldsUpNoOther: one pool has no key, as if somebody had misspelt it, and another one no room. The third goes
// on; when only it is left without room, nobody fetches, until any of them has some.
func TestAPoolWithoutRoomHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	stack := processes(t)
	r := newRig(t, stack)
	add := func(pool, appKey string, limit int64) {
		r.must(r.pool.Rebuild(r.ctx, pool, r.bus.History()))
		_, err := r.pool.Add(r.ctx, keypool.Key{Pool: pool, AppKey: appKey, Limit: limit})
		r.must(err)
		r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	}
	add("default", "1000001", 2)
	add("full", "1000002", 1)
	w, _ := r.hire()
	ask := func(id, pool string) {
		q := r.request(id, 0)
		q.Pool = pool
		r.ask(q)
	}
	ask("full-1", "full")
	r.result("full-1")
	ask("full-2", "full")
	ask("misspelt", "dafault")
	r.eventually("both to wait in hand", func() bool { return inHand(w) == 2 })
	ask("default-1", "default")
	r.result("default-1")
	if len(w.Vitals().Pauses) > 0 {
		t.Errorf("paused %+v although a key has room", w.Vitals().Pauses)
	}
	ask("default-2", "default")
	r.result("default-2")
	ask("default-3", "default")
	r.eventually("the pause", func() bool { return paused(w, worker.CodeNoKey) })
	begun := time.Now()
	add("full", "1000002", 2)
	if result := r.result("full-2"); result.Outcome != worker.OutcomePlaced {
		t.Errorf("%+v", result)
	}
	add("dafault", "1000003", 10)
	if result := r.result("misspelt"); result.Outcome != worker.OutcomePlaced || len(r.orders("default-3")) != 0 {
		t.Errorf("%+v", result)
	}
	t.Logf("both were bought %v after there was room", time.Since(begun).Round(time.Millisecond))
}
