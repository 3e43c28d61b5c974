package chaos

import (
	"testing"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// healthy is a run of three requests: one placed, one refused, one parked whose order exists.
func healthy() *court {
	return &court{
		exact:    true,
		open:     map[string]bool{},
		say:      func(string, ...any) {},
		requests: []worker.Request{{ID: "1"}, {ID: "2"}, {ID: "3"}},
		evidence: evidence{
			results: map[string][]worker.Result{
				"1": {{RequestID: "1", Orders: []worker.ResultOrder{{OrderID: "91", OutOrderID: "chaos.1-1", AppKey: "k", Products: 2}}}},
				"2": {{RequestID: "2"}},
				"3": {{RequestID: "3", Unknown: []worker.OpenOrder{{OutOrderID: "chaos.3-1", AppKey: "k", Products: 4}}}},
			},
			orders: []sim1688.Order{
				{OrderID: "91", OutOrderID: "chaos.1-1", AppKey: "k", Call: 1, Products: 2},
				{OrderID: "93", OutOrderID: "chaos.3-1", AppKey: "k", Call: 2, Products: 4},
			},
			books: []sim1688.KeyBook{{AppKey: "k", Products: 6, Limit: 10}},
			keys:  []bus.KeyInfo{{AppKey: "k", Limit: 10, Used: 2, Held: 4}},
		},
	}
}

func TestAHealthyRunIsRight(t *testing.T) {
	c := healthy()
	c.judge()
	if !c.report.Right() || c.report.UnknownParked != 1 {
		t.Errorf("%+v", c.report)
	}
}

func TestTheJudgeSeesEveryBrokenPromise(t *testing.T) {
	for name, test := range map[string]struct {
		breaks func(*court)
		want   Report
	}{
		"a second call": {func(c *court) {
			c.orders = append(c.orders, sim1688.Order{OrderID: "94", OutOrderID: "chaos.3-1", AppKey: "k", Call: 3})
		}, Report{Double: 1}},
		"a call that the platform split is one": {func(c *court) {
			c.orders = append(c.orders, sim1688.Order{OrderID: "94", OutOrderID: "chaos.3-1", AppKey: "k", Call: 2})
		}, Report{}},
		"a second payment": {func(c *court) {
			c.results["1"][0].Pay = worker.PayAuto
			c.orders[0].Payments = make([]sim1688.Payment, 2)
		}, Report{PaidTwice: 1, Paid: 1}},
		"a payment that nobody asked for": {func(c *court) { c.orders[0].Payments = make([]sim1688.Payment, 1) }, Report{PaidTwice: 1, Paid: 1}},
		"one payment": {func(c *court) {
			c.results["1"][0].Pay = worker.PayAuto
			c.orders[0].Payments = make([]sim1688.Payment, 1)
		}, Report{Paid: 1}},
		"no payment":                   {func(c *court) { c.results["1"][0].Pay = worker.PayAuto }, Report{Unpaid: 1}},
		"a push that is not on record": {func(c *court) { c.unheard = []string{"order chaos.1-1 91 was made"} }, Report{StatusLost: 1}},
		"no result":                    {func(c *court) { delete(c.results, "2") }, Report{Lost: 1}},
		"two results":                  {func(c *court) { c.results["2"] = append(c.results["2"], worker.Result{RequestID: "2"}) }, Report{Lost: 1}},
		"a result behind an unknown one": {func(c *court) {
			c.results["2"] = append([]worker.Result{{RequestID: "2", Outcome: worker.OutcomeUnknown}}, c.results["2"]...)
		}, Report{}},
		"a result of nobody":  {func(c *court) { c.results["4"] = []worker.Result{{RequestID: "4"}} }, Report{Lost: 1}},
		"an order in no book": {func(c *court) { c.orders = c.orders[1:]; c.keys[0].Used = 0 }, Report{Lost: 1}},
		"an order in no result": {func(c *court) {
			c.orders = append(c.orders, sim1688.Order{OrderID: "95", OutOrderID: "chaos.2-1", AppKey: "k", Call: 3})
		}, Report{Lost: 1}},
		"an over-drawn key": {func(c *court) { c.books[0].OverDrawn = 3 }, Report{OverDrawn: 3}},
		"a hold too many":   {func(c *court) { c.keys[0].Held++ }, Report{LeakedHolds: 1}},
		"a hold too few":    {func(c *court) { c.keys[0].Held = 0 }, Report{LeakedHolds: 4}},
		"a count too low":   {func(c *court) { c.keys[0].Used = 0 }, Report{Miscounted: 2}},
		"a count too high":  {func(c *court) { c.keys[0].Used = 5 }, Report{Miscounted: 3}},
		"a count too high where Redis may have forgotten": {func(c *court) { c.exact, c.keys[0].Used = false, 5 }, Report{}},
		"a count too low where Redis may have forgotten":  {func(c *court) { c.exact, c.keys[0].Used = false, 0 }, Report{Miscounted: 2}},
		"a hold on several keys": {func(c *court) {
			c.results["3"][0].Unknown[0].AlsoOn = []string{"l"}
			c.keys = append(c.keys, bus.KeyInfo{AppKey: "l", Limit: 10, Held: 3})
		}, Report{LeakedHolds: 1}},
	} {
		c := healthy()
		test.breaks(c)
		c.judge()
		got := c.report
		got.UnknownParked = 0
		if got.Double != test.want.Double || got.Lost != test.want.Lost || got.OverDrawn != test.want.OverDrawn ||
			got.LeakedHolds != test.want.LeakedHolds || got.Miscounted != test.want.Miscounted ||
			got.PaidTwice != test.want.PaidTwice || got.StatusLost != test.want.StatusLost || got.Unpaid != test.want.Unpaid {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// TestCountsAreExactUntilRedisIsComparedWithTheRecord: a fault of its connections makes nobody forget.
func TestCountsAreExactUntilRedisIsComparedWithTheRecord(t *testing.T) {
	n := notes{}
	for _, kind := range []Kind{"worker_kill", "nats_kill", "redis_cut", "redis_freeze", "redis_slow"} {
		n.strike(kind)
	}
	if n.lossy() {
		t.Error("a count may be too high although Redis stayed as it was")
	}
	for _, kind := range []Kind{"redis_kill", "redis_term", redisFlush} {
		if n := (notes{struck: map[Kind]int{kind: 1}}); !n.lossy() {
			t.Errorf("%s: a count must be exact", kind)
		}
	}
}
