package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// crossing is one request on its way past what a code stands for. Its pool has its own name and the rig's keys: the first and the
// third are of the account "one", the second of "two", with business Alipay.
type crossing struct {
	*rig
	pool string
	q    worker.Request
}

// way is how a code is met, and how that must end.
type way struct {
	faults  []sim1688.Fault
	ready   func(c *crossing) // before the request is asked
	after   func(c *crossing) // before its result is waited for
	keys    []keypool.Key     // instead of the rig's
	outcome worker.Outcome    // placed if it is left out
	code    worker.Code       // of the result; that of the code itself if it has an outcome other than placed
	on      string            // app key that the order is placed on, the first if it is left out
	states  string            // of the keys in the end; "active ready ready" if it is left out
	held    int64             // in the end, on all keys
	aside   bool              // its result is told beside the one that stands
}

// TestEveryCodeTakesItsRoute walks the whole table on the real parts: what turns an order down, or keeps it from being made, decides
// which key and account gets it next, what becomes of the key, and how the request ends; and never are there two orders.
func TestEveryCodeTakesItsRoute(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.work(reading)
	r.work(reading) // a redelivery goes to either
	for _, code := range worker.Codes() {
		w, known := ways[code]
		if !known {
			t.Errorf("nobody has walked %s", code)
			continue
		}
		t.Run(string(code), func(t *testing.T) {
			r.t = t
			if w.outcome != "" && w.code == "" {
				w.code = code
			}
			r.cross(strings.ReplaceAll(string(code), "_", "-"), w)
		})
	}
	if len(ways) != len(worker.Codes()) {
		t.Errorf("%d ways for %d codes", len(ways), len(worker.Codes()))
	}
}

// TestAnAccountIsNeverLeftForAnotherInSilence: what names its account, or has an address of it, is refused with the reason; what every
// account turns down is, too; and what may have been ordered is looked up, whatever its answer's code says.
func TestAnAccountIsNeverLeftForAnotherInSilence(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.work(reading)
	risk := func(keys ...string) (faults []sim1688.Fault) {
		for _, key := range keys {
			faults = append(faults, sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Code: "RISK", AppKey: key})
		}
		return faults
	}
	refused := func(w way) way {
		w.outcome, w.code, w.states = worker.OutcomeRefused, worker.CodeRiskControl, "stopped active stopped"
		return w
	}
	for name, w := range map[string]way{
		"names-its-account": refused(way{faults: risk(rigKeys[0]), ready: func(c *crossing) { c.q.Account = "one" }}),
		"has-an-address":    refused(way{faults: risk(rigKeys[0]), ready: func(c *crossing) { c.q.DeliverTo = worker.Address{AddressID: "77"} }}),
		"stays-by-its-key": {faults: []sim1688.Fault{{Operation: "fastCreateOrder", Kind: "auth_401", AppKey: rigKeys[0]}}, on: rigKeys[2],
			ready: func(c *crossing) { c.q.DeliverTo = worker.Address{AddressID: "77"} }, states: "benched active ready"},
		"poison": {faults: risk(rigKeys...), outcome: worker.OutcomeRefused, code: worker.CodeRiskControl, states: "stopped stopped stopped"},
		"previewed": {faults: []sim1688.Fault{{Operation: "preview", Kind: "refuse", Code: "RISK", AppKey: rigKeys[0]}}, on: rigKeys[1],
			ready: func(c *crossing) { c.q.Preview = worker.PreviewAlways }, states: "stopped active stopped"},
		"unknown-risk-control":  {outcome: worker.OutcomeUnknown, code: worker.CodeAbsent, held: 1},
		"unknown-business-only": {outcome: worker.OutcomeUnknown, code: worker.CodeAbsent, held: 1},
		"unknown-unauthorized":  {outcome: worker.OutcomeUnknown, code: worker.CodeAbsent, held: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r.t = t
			r.cross(name, w)
		})
	}
}

func (r *rig) cross(name string, w way) {
	r.t.Helper()
	c := &crossing{rig: r, pool: name, q: r.request(name, 0)}
	c.q.Tenant, c.q.Pool = "acme", name
	r.must(r.sim.Inject(w.faults...))
	if w.keys == nil {
		w.keys = ownKeys
	}
	c.add(w.keys...)
	if w.ready != nil {
		w.ready(c)
	}
	r.askRaw(c.q.ID, schemas.AppendRequest(nil, c.q))
	if w.after != nil {
		w.after(c)
	}
	c.ends(w)
}

var ownKeys = []keypool.Key{{AppKey: rigKeys[0], Account: "one"}, {AppKey: rigKeys[1], Account: "two", Alipay: "business"},
	{AppKey: rigKeys[2], Account: "one"}}

// add puts keys into the request's pool.
func (c *crossing) add(keys ...keypool.Key) {
	c.t.Helper()
	c.must(c.rig.pool.Rebuild(c.ctx, c.pool, c.bus.History()))
	for _, k := range keys {
		k.Pool = c.pool
		_, err := c.rig.pool.Add(c.ctx, k)
		c.must(err)
	}
	c.must(c.rig.pool.Flush(c.ctx, c.bus.Journal()))
}

func (c *crossing) alter(verb keypool.Verb, keys ...string) {
	c.t.Helper()
	for _, key := range keys {
		_, err := c.rig.pool.Alter(c.ctx, c.pool, key, verb, keypool.Change{})
		c.must(err)
	}
}

// ends waits for the result, and compares it, what 1688 has and the pool's books with what they should be.
func (c *crossing) ends(w way) {
	c.t.Helper()
	result := c.told(w.aside)
	if w.outcome == "" {
		w.outcome = worker.OutcomePlaced
	}
	if w.code == "" {
		w.code = worker.Code(w.outcome)
	}
	if w.states == "" {
		w.states = "active ready ready"
	}
	if result.Outcome != w.outcome || result.Code != w.code || w.outcome == worker.OutcomeRefused && result.Reason == "" {
		c.t.Errorf("%+v", result)
	}
	orders, want := c.orders(c.q.ID), 0
	if w.outcome == worker.OutcomePlaced || w.outcome == worker.OutcomePartial {
		if want = 1; w.on == "" {
			w.on = rigKeys[0]
		}
	}
	if len(orders) != want || want == 1 && (orders[0].AppKey != w.on || result.AppKey != w.on) {
		c.t.Errorf("orders %+v, want %d on %s: %+v", orders, want, w.on, result)
	}
	infos, err := c.rig.pool.Keys(c.ctx, c.pool)
	c.must(err)
	var states []string
	used, held := int64(0), int64(0)
	for _, k := range infos {
		states = append(states, string(k.State))
		used, held = used+k.Used, held+k.Held
	}
	if got := strings.Join(states, " "); got != w.states || held != w.held || w.held == 0 && used != result.Products {
		c.t.Errorf("the keys are %s with %d used and %d held, want %s and %d: %+v", got, used, held, w.states, w.held, infos)
	}
}

// told is the request's result, or the one that stands beside it.
func (c *crossing) told(aside bool) worker.Result {
	c.t.Helper()
	if !aside {
		return c.result(c.q.ID)
	}
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	subject := fmt.Sprintf("purchase.result.acme.%s.%s", worker.EncodeRef(c.q.ID), worker.CodeConflict)
	for message, err := range c.bus.Watch(ctx, bus.WatchOptions{Subjects: []string{subject}, Since: time.Unix(1, 0)}) {
		c.must(err)
		result, err := schemas.DecodeResult(message.Data)
		c.must(err)
		return result
	}
	c.t.Fatal("nothing is told beside it")
	return worker.Result{}
}

// reading sets a worker up that reads the simulator's own words, and that meets each trouble which no fault of the simulator makes once.
func reading(c *worker.Config, p *worker.Ports) {
	c.RiskRefusals, c.BusinessRefusals = []string{"RISK"}, []string{"FIRMS_ONLY"}
	p.Ledger, p.Outbox = troubledLedger{p.Ledger}, troubledOutbox{p.Outbox}
	inner := p.Market
	p.Market = market{inner, func(ctx context.Context, order worker.Order) worker.Answer {
		_, ref, _, _ := worker.ParseReference(order.Reference)
		if code, vague := strings.CutPrefix(ref, "unknown-"); vague && ref != "unknown-spec" {
			return worker.Answer{Verdict: worker.Unknown, Code: worker.Code(strings.ReplaceAll(code, "-", "_")), Reason: "RISK FIRMS_ONLY"}
		}
		if ref == "channel-down" && first(ref) {
			return worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeChannelDown, Reason: "it was cut"}
		}
		return *inner.Place(ctx, &order)
	}}
}

// met remembers which troubles were met, by all workers.
var met sync.Map

func first(trouble string) bool {
	_, before := met.LoadOrStore(trouble, true)
	return !before
}

type troubledLedger struct{ worker.Ledger }

func (l troubledLedger) Draw(ctx context.Context, draw *worker.Draw) (*worker.Claim, error) {
	fails := func(pool string, attempt int) bool {
		return draw.Pool == pool && draw.Attempt >= attempt && len(draw.OnKeys) == 0 && first(pool)
	}
	switch {
	case fails("redis-down", 1):
		return nil, &worker.Trouble{Code: worker.CodeRedisDown, Reason: "it is gone"}
	case fails("fenced", 1):
		return nil, &worker.Trouble{Code: worker.CodeFenced, Reason: "another one has it"}
	case fails("internal", 1):
		return nil, errors.New("nobody expected this")
	case fails("lost", 2):
		return nil, &worker.Trouble{Code: worker.CodeLost, Reason: "nothing is known of it"}
	}
	return l.Ledger.Draw(ctx, draw)
}

type troubledOutbox struct{ worker.Outbox }

func (o troubledOutbox) Publish(ctx context.Context, result worker.Result) error {
	if result.RequestID == "nats-down" && first(result.RequestID) {
		return &worker.Trouble{Code: worker.CodeNATSDown, Reason: "it is gone"}
	}
	return o.Outbox.Publish(ctx, result)
}
