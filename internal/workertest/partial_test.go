package workertest_test

import (
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestPartialOrderWhoseAnswerIsLost: 1688 leaves a line out and its answer is lost. The look-up finds the order without the line:
// the request ends as partial with that line failed, and only what was ordered counts. It is settled when the window has ended,
// since a split order's other lines may be listed late.
func TestPartialOrderWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	const lookFor = 1500 * time.Millisecond
	r.work(func(c *worker.Config, _ *worker.Ports) { c.LookFor = lookFor })
	r.must(r.sim.Inject(
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "partial", Count: 1},
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1},
	))
	start := time.Now()
	q := r.sameSeller("half", 3)
	r.ask(q)
	result := r.result("half")
	if time.Since(start) < lookFor {
		t.Errorf("it took the order for partial after %v", time.Since(start))
	}
	orders := r.orders("half")
	if result.Outcome != worker.OutcomePartial || len(orders) != 1 || len(result.Orders) != 1 || result.Orders[0].OrderID != orders[0].OrderID {
		t.Fatalf("%+v, exists: %+v", result, orders)
	}
	if len(result.Failed) != 1 || result.Failed[0].Line != 2 || result.Failed[0].OfferID != q.Lines[2].OfferID ||
		result.Failed[0].Code != worker.CodeRefused || result.Products != 2 || orders[0].Products != 2 {
		t.Errorf("%+v", result)
	}
	if key := r.key("1000001"); key.Used != 2 || key.Held != 0 {
		t.Errorf("%+v, want the two lines that were ordered", key)
	}
}

// TestSplitOrderWhoseAnswerIsLost: all lines are there, over two orders, so that it is settled at once and in full.
func TestSplitOrderWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work(func(c *worker.Config, _ *worker.Ports) { c.LookFor = 10 * patience })
	r.must(r.sim.Inject(
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "order_list", Count: 1},
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1},
	))
	r.ask(r.sameSeller("split", 2))
	if result := r.result("split"); result.Outcome != worker.OutcomePlaced || len(result.Orders) != 2 || len(r.orders("split")) != 2 || len(result.Failed) != 0 {
		t.Errorf("%+v", result)
	}
	if key := r.key("1000001"); key.Used != 2 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}
