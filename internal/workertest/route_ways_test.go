package workertest_test

import (
	"time"

	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// create makes the first key's creating calls meet a fault, so often; 0 is always.
func create(kind, code string, count int64) []sim1688.Fault {
	return []sim1688.Fault{{Operation: "fastCreateOrder", Kind: kind, Code: code, AppKey: rigKeys[0], Count: count}}
}

// says is an order that 1688 refuses for good.
func says(code string) way {
	return way{faults: create("refuse", code, 0), outcome: worker.OutcomeRefused}
}

// refusedWhen is a request that is refused before anything is drawn.
func refusedWhen(ready func(c *crossing)) way {
	return way{ready: ready, outcome: worker.OutcomeRefused}
}

// ways lead past every code.
var ways = map[worker.Code]way{
	worker.CodePlaced: {},
	worker.CodePartial: {faults: create("partial", "500_004", 1), outcome: worker.OutcomePartial,
		ready: func(c *crossing) { c.q.Lines = c.sameSeller(c.q.ID, 2).Lines }},

	worker.CodeInvalid: refusedWhen(func(c *crossing) { c.q.Lines[0].Quantity = -1 }),
	worker.CodeConflict: {outcome: worker.OutcomeRefused, aside: true, ready: func(c *crossing) {
		c.withdraw("of another purchase")
	}},
	worker.CodeTooLarge: {outcome: worker.OutcomeRefused, keys: []keypool.Key{{AppKey: rigKeys[0], Limit: 1}}, states: "active",
		ready: func(c *crossing) { c.q.Lines = c.sameSeller(c.q.ID, 2).Lines }},
	worker.CodeDeadline: {outcome: worker.OutcomeCancelled, ready: func(c *crossing) { c.q.Deadline = time.Now().Add(-time.Minute) }},
	worker.CodeCancelled: {outcome: worker.OutcomeCancelled, ready: func(c *crossing) {
		c.withdraw(worker.Fingerprint(&c.q))
	}},
	worker.CodeForbidden: refusedWhen(func(c *crossing) {
		c.must(c.rig.pool.Configure(c.ctx, c.pool, keypool.Settings{Count: keypool.CountLines, Width: 1, Tenants: map[string]int{"bolt": 1}}, keypool.Change{}))
	}),

	worker.CodeNotOrderable: refusedWhen(func(c *crossing) {
		c.q.Preview = worker.PreviewAlways
		for _, offer := range sim1688.DefaultCatalogue() {
			if offer.NotByAPI {
				c.q.Lines[0] = worker.Line{OfferID: offer.OfferID, SpecID: offer.SpecIDs[0], Quantity: 1}
			}
		}
	}),
	worker.CodePriceChanged: refusedWhen(func(c *crossing) { c.q.Preview, c.q.Lines[0].UnitPrice = worker.PreviewAlways, 1 }),
	worker.CodeOverBudget:   refusedWhen(func(c *crossing) { c.q.Preview, c.q.MaxTotal = worker.PreviewAlways, 1 }),

	worker.CodeNotSold:       says("500_001"),
	worker.CodeManySellers:   says("500_002"),
	worker.CodeUnknownSpec:   says("500_003"),
	worker.CodeOutOfStock:    says("500_004"),
	worker.CodeBelowMinimum:  says("500_005"),
	worker.CodeMixRule:       says("500_006"),
	worker.CodeNoConsignment: says("500_007"),
	worker.CodeZeroPrice:     says("500_008"),
	worker.CodeBelowBatch:    says("500_009"),
	worker.CodeAboveMaximum:  says("BOOKED_BEYOND_THE_MAX_QUANTITY"),
	worker.CodeSellUnit:      says("QUANTITY_UNMATCH_SELLUNIT_SCALE"),
	worker.CodeRefused:       says("NOBODY_HAS_SEEN_THIS"),

	worker.CodeThrottled:    {faults: create("throttled", "", 1)},
	worker.CodeUnauthorized: {faults: create("auth_401", "", 0), on: rigKeys[2], states: "benched active ready"},
	worker.CodeKeyUnknown: {keys: append([]keypool.Key{{AppKey: "9000009", Account: "three"}}, ownKeys...), on: rigKeys[0],
		states: "benched active ready ready"},
	worker.CodeRiskControl:  {faults: create("refuse", "RISK", 0), on: rigKeys[1], states: "stopped active stopped"},
	worker.CodeBusinessOnly: {faults: create("refuse", "FIRMS_ONLY", 0), on: rigKeys[1]},

	worker.CodeNoPool: {keys: []keypool.Key{}, after: func(c *crossing) {
		c.until("its pool to be missed", func(e worker.Event) bool { return e.Code == worker.CodeNoPool })
		c.add(ownKeys...)
	}},
	worker.CodeNoKey: {
		ready: func(c *crossing) { c.alter(keypool.Disable, rigKeys...) },
		after: func(c *crossing) {
			c.until("it to wait", func(e worker.Event) bool { return e.Stage == worker.StageWaiting && e.Pool == c.pool })
			c.alter(keypool.Enable, rigKeys...)
		},
	},
	worker.CodeChannelDown: {},
	worker.CodeRedisDown:   {},
	worker.CodeNATSDown:    {},
	worker.CodeFenced:      {},
	worker.CodeInternal:    {},

	worker.CodeNoAnswer: {faults: create("cut_after", "", 1)},
	worker.CodeAbsent:   {faults: create("cut_before", "", 1), outcome: worker.OutcomeUnknown, held: 1},
	worker.CodeLost:     {faults: create("cut_after", "", 1)},
}

// withdraw ends the request's order before it is asked for, with a request that means so.
func (c *crossing) withdraw(meaning string) {
	c.t.Helper()
	_, err := c.rig.pool.Withdraw(c.ctx, worker.Withdrawal{Pool: c.pool, Reference: worker.Reference("acme", worker.EncodeRef(c.q.ID), 1),
		Fingerprint: meaning, Published: time.Now().Add(time.Minute), Reason: "not wanted"})
	c.must(err)
}
