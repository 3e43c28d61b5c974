package workertest_test

import (
	"testing"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/worker"
)

// TestASellerThatTurnsPersonalAccountsAwayGetsABusinessKey, for that order and the next ones, and the rule outlives a Redis that
// forgets it.
func TestASellerThatTurnsPersonalAccountsAwayGetsABusinessKey(t *testing.T) {
	redis := workertest.Redis(t)
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: redis.URL})
	r.addKey(rigKeys[0], 1000)
	_, err := r.pool.Add(r.ctx, keypool.Key{Pool: "default", AppKey: rigKeys[1], Alipay: worker.AlipayBusiness})
	r.must(err)
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Code: "500_007", AppKey: rigKeys[0], Count: 1}))
	r.work(func(c *worker.Config, p *worker.Ports) {
		c.BusinessRefusals, p.Rules = []string{"500_007"}, r.pool
	})
	boughtOn := func(id, appKey string) {
		t.Helper()
		r.ask(r.request(id, 0))
		if result := r.result(id); result.Outcome != worker.OutcomePlaced || result.AppKey != appKey {
			t.Errorf("%s: %s on %s, want placed on %s", id, result.Outcome, result.AppKey, appKey)
		}
	}
	boughtOn("turned-away", rigKeys[1])
	boughtOn("next", rigKeys[1])
	r.must(r.pool.Flush(r.ctx, r.bus.Journal()))
	r.flushRedis(redis.Addr)
	boughtOn("after-a-loss", rigKeys[1])
}

// TestAPoolIsNotForOtherTenants: they are told so, and nothing is ordered.
func TestAPoolIsNotForOtherTenants(t *testing.T) {
	r := newRig(t, workertest.Stack{NATS: workertest.NATS(t).URL, Redis: workertest.Redis(t).URL})
	r.addKey(rigKeys[0], 1000)
	r.must(r.pool.Configure(r.ctx, "default", keypool.Settings{Count: keypool.CountLines, Width: 1, Tenants: map[string]int{"bolt": 1}}, keypool.Change{}))
	r.work()
	r.ask(r.request("not-ours", 0))
	if result := r.result("not-ours"); result.Outcome != worker.OutcomeRefused || result.Code != worker.CodeForbidden {
		t.Errorf("%+v", result)
	}
	if n := len(r.orders("not-ours")); n != 0 {
		t.Errorf("%d orders", n)
	}
}
