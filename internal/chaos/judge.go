package chaos

import (
	"context"
	"fmt"
	"maps"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// Report is what a run ends with; the package comment says what each count means.
type Report struct {
	Orders        int          `json:"orders"` // requests published
	Faults        int          `json:"faults"`
	ByKind        map[Kind]int `json:"by_kind"`
	Double        int          `json:"double"`
	Lost          int          `json:"lost"`
	OverDrawn     int64        `json:"over_drawn"`
	LeakedHolds   int64        `json:"leaked_holds"`
	Miscounted    int64        `json:"miscounted"`
	Died          int          `json:"died"`
	UnknownParked int          `json:"unknown_parked"`
	Paid          int          `json:"paid"`       // orders
	PaidTwice     int          `json:"paid_twice"` // payments too many
	Unpaid        int          `json:"unpaid"`
	StatusLost    int          `json:"status_lost"`
	Seconds       float64      `json:"seconds"`
	Seed          uint64       `json:"seed"`
}

// Right says whether every promise was kept.
func (r Report) Right() bool {
	return r.Double == 0 && r.Lost == 0 && r.OverDrawn == 0 && r.LeakedHolds == 0 && r.Miscounted == 0 && r.Died == 0 && r.PaidTwice == 0 && r.StatusLost == 0
}

// evidence is what the judge reads when all is over.
type evidence struct {
	results map[string][]worker.Result // by request id, in the order in which they were stored
	orders  []sim1688.Order
	books   []sim1688.KeyBook
	keys    []bus.KeyInfo
	unheard []string // what 1688 pushed and nobody has on record
}

func (r *run) judge(ctx context.Context) (Report, error) {
	e, err := r.evidence(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("cannot be judged: %w", err)
	}
	c := &court{evidence: e, requests: r.requests, exact: !r.notes.lossy(), open: map[string]bool{}, say: r.notes.say}
	c.judge()
	r.notes.mu.Lock()
	defer r.notes.mu.Unlock()
	c.report.Orders, c.report.Faults, c.report.Seed = len(r.requests), int(r.injected.Load()), r.config.Seed
	c.report.ByKind, c.report.Died = maps.Clone(r.notes.struck), r.notes.deaths
	c.report.Seconds = time.Since(r.began).Round(time.Millisecond).Seconds()
	return c.report, nil
}

func (r *run) evidence(ctx context.Context) (e evidence, err error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	e.orders, e.books = r.sim.Orders(sim1688.OrderFilter{}), r.sim.Keys()
	if e.results, err = r.stored(ctx); err != nil {
		return e, err
	}
	if e.unheard, err = r.unheard(ctx); err != nil {
		return e, err
	}
	for {
		if e.keys, err = bus.KeysList.Ask(ctx, r.bus, bus.ListKeys{}); err == nil || ctx.Err() != nil {
			return e, err
		}
		wait(ctx, restartAfter)
	}
}

// marker is a last result of our own that shows where the others end.
const marker = "end"

// stored reads every result.
func (r *run) stored(ctx context.Context) (map[string][]worker.Result, error) {
	err := r.bus.Outbox().Publish(ctx, worker.Result{Tenant: tenant, RequestID: marker, Outcome: worker.OutcomeRefused,
		Code: worker.CodeInvalid, Reason: "the end of a run", DecidedAt: time.Now()})
	if err != nil {
		return nil, err
	}
	results := map[string][]worker.Result{}
	for message, err := range r.bus.Watch(ctx, bus.WatchOptions{Subjects: []string{resultsOf}, Since: r.began.Add(-time.Minute)}) {
		if err != nil {
			return nil, err
		}
		result, err := schemas.DecodeResult(message.Data)
		if err != nil {
			return nil, fmt.Errorf("result on %s: %w", message.Subject, err)
		}
		if result.RequestID == marker {
			return results, nil
		}
		results[result.RequestID] = append(results[result.RequestID], result)
	}
	return nil, ctx.Err()
}

// court holds the evidence against the promises.
type court struct {
	evidence
	requests []worker.Request
	exact    bool            // counts must be, since Redis was never compared with the record
	open     map[string]bool // references that are parked as unknown
	report   Report
	say      func(string, ...any)
}

func (c *court) judge() {
	c.judgeResults()
	c.judgeOrders()
	c.judgeKeys()
	c.judgePayments()
	for _, status := range c.unheard {
		c.report.StatusLost++
		c.say("STATUS LOST %s", status)
	}
}

// lost counts something lost and says what.
func (c *court) lost(format string, args ...any) {
	c.report.Lost++
	c.say("LOST "+format, args...)
}

func (c *court) judgeResults() {
	for _, request := range c.requests {
		if results := c.results[request.ID]; !isOneOutcome(results) {
			c.lost("request %s has %d results", request.ID, len(results))
		}
	}
	if n := len(c.results) - len(c.requests); n > 0 {
		c.lost("%d results of nobody", n)
	}
}

// isOneOutcome says whether there is one result, or one behind unknown ones: then somebody knew after all.
func isOneOutcome(results []worker.Result) bool {
	for _, before := range results[:max(0, len(results)-1)] {
		if before.Outcome != worker.OutcomeUnknown {
			return false
		}
	}
	return len(results) > 0
}

func (c *court) judgeOrders() {
	told := map[string]bool{}
	counted := map[string]int64{}
	for _, results := range c.results {
		last := results[len(results)-1]
		for _, order := range last.Orders {
			told[order.OutOrderID+" "+order.OrderID] = true
			counted[order.OutOrderID] += order.Products
		}
		for _, open := range last.Unknown {
			c.open[open.OutOrderID] = true
		}
	}
	c.report.UnknownParked = len(c.open)
	existing := map[string]bool{}
	call := map[string]int64{}
	for _, order := range c.orders {
		if before, ordered := call[order.OutOrderID]; ordered && before != order.Call {
			c.report.Double++
			c.say("DOUBLE %s was ordered twice", order.OutOrderID)
		}
		call[order.OutOrderID] = order.Call
		counted[order.OutOrderID] -= order.Products
		if c.open[order.OutOrderID] {
			existing[order.OutOrderID] = true
		}
		if name := order.OutOrderID + " " + order.OrderID; !told[name] && !c.open[order.OutOrderID] {
			c.lost("order %s exists and no result accounts for it", name)
		} else {
			delete(told, name)
		}
	}
	c.say("%d orders are parked as unknown, %d of them exist", len(c.open), len(existing))
	for reference, n := range counted {
		if n != 0 && !c.open[reference] {
			c.say("COUNT %s: %d more in its result than ordered", reference, n)
		}
	}
	for name := range told {
		c.lost("order %s is in a result and does not exist", name)
	}
}

// judgePayments counts payments. An order that is parked, or whose request does not ask for it, must have none.
func (c *court) judgePayments() {
	due := map[string]bool{} // by order id at 1688
	for _, results := range c.results {
		for _, order := range results[len(results)-1].Orders {
			due[order.OrderID] = results[len(results)-1].Pay == worker.PayAuto
		}
	}
	for _, order := range c.orders {
		paid := len(order.Payments)
		switch {
		case paid > 1 || paid == 1 && !due[order.OrderID]:
			c.report.PaidTwice += paid
			if due[order.OrderID] {
				c.report.PaidTwice--
			}
			c.say("PAID TWICE order %s %s: %v", order.OutOrderID, order.OrderID, order.Payments)
		case paid == 0 && due[order.OrderID]:
			c.report.Unpaid++
		}
		if paid > 0 {
			c.report.Paid++
		}
	}
}

// judgeKeys compares key by key. An order that is parked as unknown stays held, whether it exists or not. One of which Redis
// forgot which key took it counts on each that may have: after such a loss a key may count too much, and never too little.
func (c *court) judgeKeys() {
	held, ordered, doubt := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, results := range c.results {
		for _, open := range results[len(results)-1].Unknown {
			for _, appKey := range append([]string{open.AppKey}, open.AlsoOn...) {
				held[appKey] += open.Products
			}
		}
		for _, order := range results[len(results)-1].Orders {
			for _, appKey := range order.AlsoOn {
				doubt[appKey] += order.Products
			}
		}
	}
	for _, order := range c.orders {
		if !c.open[order.OutOrderID] {
			ordered[order.AppKey] += order.Products
		}
	}
	for _, book := range c.books {
		c.report.OverDrawn += book.OverDrawn
	}
	for _, key := range c.keys {
		leaked, miscounted := abs(key.Held-held[key.AppKey]), ordered[key.AppKey]-key.Used
		if leaked > 0 || key.Used != ordered[key.AppKey] {
			c.say("COUNT key %s: %d held, %d parked; %d used, %d ordered, %d in doubt",
				key.AppKey, key.Held, held[key.AppKey], key.Used, ordered[key.AppKey], doubt[key.AppKey])
		}
		c.report.LeakedHolds += leaked
		if c.exact {
			miscounted = abs(miscounted)
		}
		c.report.Miscounted += max(0, miscounted)
	}
}

func abs(n int64) int64 { return max(n, -n) }
