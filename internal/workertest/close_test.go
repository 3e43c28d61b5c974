package workertest_test

import (
	"strings"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// buysOld buys requests whose orders are old enough by now to be closed at 1688.
func (r *rig) buysOld(requests ...worker.Request) {
	r.t.Helper()
	r.behind.Store(-int64(worker.YoungestToClose))
	for _, q := range requests {
		r.ask(q)
	}
	for _, q := range requests {
		if result := r.result(q.ID); result.Outcome != worker.OutcomePlaced {
			r.t.Fatalf("%+v", result)
		}
	}
	r.behind.Store(0)
}

// close takes a request back, at 1688 too.
func (r *rig) close(id string) worker.Cancelled {
	r.t.Helper()
	answer, err := r.canceller().Cancel(r.ctx, worker.Cancellation{Tenant: "acme", RequestID: id, AtMarket: true, By: "li"})
	r.must(err)
	return answer
}

// status is how the only order of a request stands in the platform's books.
func (r *rig) status(id string) string {
	r.t.Helper()
	orders := r.orders(id)
	if len(orders) != 1 {
		r.t.Fatalf("%s: %d orders", id, len(orders))
	}
	return orders[0].Status
}

// TestCloseAt1688: what is placed and unpaid is closed there, once; its result stands and its key counts on.
func TestCloseAt1688(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	r.buysOld(r.request("old", 0))
	before, placed := r.key("1000001"), r.result("old")
	dry := worker.Cancellation{Tenant: "acme", RequestID: "old", AtMarket: true, DryRun: true, By: "li"}
	if answer, err := r.canceller().Cancel(r.ctx, dry); err != nil || !answer.All() || r.status("old") != worker.StatusUnpaid {
		t.Errorf("%+v, %v, %s", answer, err, r.status("old"))
	}
	if answer := r.cancel("old", ""); answer.All() || r.status("old") != worker.StatusUnpaid {
		t.Errorf("not asked to close it: %+v, %s", answer, r.status("old"))
	}
	for _, says := range []string{"closed at 1688", "is closed at 1688: cancel"} {
		answer := r.close("old")
		if closed := answer.Orders[0].Closed; !answer.All() || answer.Orders[0].Cancelled || len(closed) != 1 || closed[0].Reason != says || closed[0].OrderID != placed.Orders[0].OrderID {
			t.Errorf("%+v", answer)
		}
	}
	if r.status("old") != "cancel" {
		t.Error(r.status("old"))
	}
	if after := r.key("1000001"); after.Used != before.Used || after.Held != 0 {
		t.Errorf("counted %+v, before %+v", after, before)
	}
	if again := r.result("old"); again.Outcome != worker.OutcomePlaced || len(again.Orders) != 1 {
		t.Errorf("%+v", again)
	}
}

// TestWhatIsNotClosed: an order that is too young or paid for, and what waits in the queue is cancelled there.
func TestWhatIsNotClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	stop := r.work()
	r.ask(r.request("young", 0))
	r.result("young")
	if answer := r.close("young"); answer.All() || answer.Orders[0].Closed[0].Again <= 0 || answer.Orders[0].Closed[0].Again > worker.YoungestToClose {
		t.Errorf("%+v", answer)
	}
	r.behind.Store(-int64(time.Hour)) // 1688's own clock: it says itself that the order is too young
	r.ask(r.request("by-its-clock", 0))
	r.result("by-its-clock")
	if answer := r.close("by-its-clock"); answer.All() || answer.Orders[0].Closed[0].Again != worker.YoungestToClose {
		t.Errorf("%+v", answer)
	}
	r.buysOld(r.request("paid", 0))
	order := r.orders("paid")[0]
	r.sim.SetAgreement("buyer", true)
	charge := worker.Charge{AppKey: order.AppKey, OrderID: order.OrderID, Amount: worker.Fen(order.TotalFen), OpRequestID: "once"}
	if paid := r.client.Pay(r.ctx, charge); paid.Verdict != worker.Placed {
		t.Fatalf("%+v", paid)
	}
	if answer := r.close("paid"); answer.All() || !strings.HasPrefix(answer.Orders[0].Closed[0].Reason, "too late: it is paid for") {
		t.Errorf("%+v", answer)
	}
	stop()
	r.ask(r.request("waits", 0))
	if answer := r.close("waits"); !answer.All() || !answer.Orders[0].Cancelled || len(answer.Orders[0].Closed) != 0 {
		t.Errorf("%+v", answer)
	}
	for _, id := range []string{"young", "by-its-clock"} {
		if r.status(id) != worker.StatusUnpaid {
			t.Errorf("%s: %s", id, r.status(id))
		}
	}
	if orders := r.orders("waits"); len(orders) != 0 {
		t.Errorf("%+v", orders)
	}
}

// TestAnAnswerIsLostWhenClosing: the order itself says what became of it.
func TestAnAnswerIsLostWhenClosing(t *testing.T) {
	t.Parallel()
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	r.buysOld(r.request("cut-after", 0), r.request("cut-before", 0), r.request("hidden", 0))
	lose := func(operation, kind string) {
		r.must(r.sim.Inject(sim1688.Fault{Operation: operation, Kind: kind, Count: 1}))
	}
	lose("trade.cancel", "cut_after")
	if answer := r.close("cut-after"); !answer.All() || r.status("cut-after") != "cancel" {
		t.Errorf("%+v", answer)
	}
	lose("trade.cancel", "cut_before")
	if answer := r.close("cut-before"); answer.All() || !strings.HasPrefix(answer.Orders[0].Closed[0].Reason, "whether 1688 closes it is not known yet") {
		t.Errorf("%+v", answer)
	}
	lose("buyerView", "http_500")
	if answer := r.close("hidden"); answer.All() || r.status("hidden") != worker.StatusUnpaid {
		t.Errorf("%+v", answer)
	}
	for _, id := range []string{"cut-before", "hidden"} {
		if answer := r.close(id); !answer.All() || r.status(id) != "cancel" {
			t.Errorf("%s: %+v", id, answer)
		}
	}
}
