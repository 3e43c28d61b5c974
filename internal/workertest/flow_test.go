package workertest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"autopurchase/internal/bus"
	"autopurchase/internal/sim1688"
	"autopurchase/internal/workertest"
	"autopurchase/schemas"
	"autopurchase/worker"
)

// TestWholeFlow sees requests become orders and results on real servers, as processes and as containers.
func TestWholeFlow(t *testing.T) {
	workertest.ForEachStack(t, func(t *testing.T, s workertest.Stack) {
		r := newRig(t, s)
		r.addKey("1000001", 60)
		r.addKey("1000002", 1000)
		stop := r.work()
		const requests = 50
		products := 0
		for i := range requests {
			q := r.request(fmt.Sprintf("PR.%d", i), i%len(r.offers), (i+1+i%5)%len(r.offers))
			products += len(q.Lines)
			r.ask(q)
		}
		for i := range requests {
			id := fmt.Sprintf("PR.%d", i)
			result := r.result(id)
			if result.Outcome != worker.OutcomePlaced || result.RequestID != id {
				t.Fatalf("%s: %+v", id, result)
			}
			if got := r.orders(id); len(got) != len(result.Orders) || got[0].OrderID != result.Orders[0].OrderID {
				t.Fatalf("%s: 1688 has %+v, the result says %+v", id, got, result.Orders)
			}
		}
		stop()
		first, second := r.key("1000001"), r.key("1000002")
		if first.Used+second.Used != int64(products) || first.Held+second.Held != 0 || first.Used > 60 {
			t.Errorf("books: %+v %+v, want %d products", first, second, products)
		}
		for _, book := range r.sim.Keys() {
			if book.Products > 0 && book.Products != r.key(book.AppKey).Used {
				t.Errorf("key %s: 1688 counts %d, the pool %d", book.AppKey, book.Products, r.key(book.AppKey).Used)
			}
		}
	})
}

func TestRefusalsCostNothing(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	for code, want := range map[string]worker.Code{
		"500_001": worker.CodeNotSold, "500_003": worker.CodeUnknownSpec, "500_004": worker.CodeOutOfStock, "500_005": worker.CodeBelowMinimum,
		"FAIL_BIZ_FAIL_BIZ_UNSUPPORT_MIX": worker.CodeMixRule, "PROXY_RELATED_NOT_FUND": worker.CodeNoConsignment,
	} {
		r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "refuse", Code: code}))
		r.ask(r.request(code, 0))
		result := r.result(code)
		if result.Outcome != worker.OutcomeRefused || result.Code != want || len(r.orders(code)) != 0 || len(result.Failed) != 1 {
			t.Errorf("%s: %+v", code, result)
		}
	}
	if key := r.key("1000001"); key.Used != 0 || key.Held != 0 {
		t.Errorf("refused orders left %+v", key)
	}
}

// TestEveryAnswerShape walks the shapes in which the platform says yes: the quota counts what was really ordered.
func TestEveryAnswerShape(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	used := int64(0)
	for _, kind := range []string{"order_list", "text_success", "id_beside_failure", "un_nested", "success_without_id", "empty_object", "partial"} {
		r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: kind, Count: 1}))
		r.ask(r.sameSeller(kind, 2))
		result := r.result(kind)
		want, products := worker.OutcomePlaced, int64(2)
		if kind == "partial" {
			want, products = worker.OutcomePartial, 1
		}
		used += products
		if result.Outcome != want || len(result.Orders) != len(r.orders(kind)) || result.Products != products {
			t.Errorf("%s: %+v, 1688 has %+v", kind, result, r.orders(kind))
		}
	}
	if key := r.key("1000001"); key.Used != used || key.Held != 0 {
		t.Errorf("%+v, want %d used", key, used)
	}
}

// sameSeller makes a request of n offers of one seller.
func (r *rig) sameSeller(id string, n int) worker.Request {
	bySeller := map[string][]int{}
	for i, offer := range r.offers {
		bySeller[offer.Seller] = append(bySeller[offer.Seller], i)
		if mine := bySeller[offer.Seller]; len(mine) == n {
			return r.request(id, mine...)
		}
	}
	r.t.Fatalf("no seller has %d offers", n)
	return worker.Request{}
}

// TestLostAnswers: the order exists and its answer is lost, in every way; it is found and never doubled.
func TestLostAnswers(t *testing.T) {
	for kind, outcome := range map[string]worker.Outcome{
		"cut_after": worker.OutcomePlaced, "cut_before": worker.OutcomeUnknown, "http_500": worker.OutcomeUnknown, "http_502_html": worker.OutcomeUnknown,
	} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t, processes(t))
			r.addKey("1000001", 1000)
			r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: kind, Count: 1}))
			r.work()
			r.ask(r.request("lost", 0))
			result := r.result("lost")
			if result.Outcome != outcome {
				t.Fatalf("%+v", result)
			}
			exist := 0
			if outcome == worker.OutcomePlaced {
				exist = 1
			}
			if orders := r.orders("lost"); len(orders) != exist {
				t.Errorf("%d orders exist: %+v", len(orders), orders)
			}
			key := r.key("1000001")
			if key.Used != int64(exist) || key.Held != int64(1-exist) {
				t.Errorf("%+v: an unknown stays held, a found one counts", key)
			}
		})
	}
}

// TestFoundLate: the platform's list shows the order only after a while.
func TestFoundLate(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.must(r.sim.Inject(
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "cut_after", Count: 1},
		sim1688.Fault{Operation: "fastCreateOrder", Kind: "late_list", DelayMS: 1000, Count: 1},
	))
	r.work(func(c *worker.Config, _ *worker.Ports) { c.LookFor = patience })
	r.ask(r.request("late", 0))
	if result := r.result("late"); result.Outcome != worker.OutcomePlaced || len(r.orders("late")) != 1 || result.Attempt < 2 {
		t.Errorf("%+v, 1688 has %+v", result, r.orders("late"))
	}
}

func TestThrottledWaitsOnTheSameKey(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.addKey("1000002", 1000)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "fastCreateOrder", Kind: "throttled", Count: 2}))
	r.work()
	r.ask(r.request("slow", 0))
	result := r.result("slow")
	if result.Outcome != worker.OutcomePlaced || result.AppKey != "1000001" || r.key("1000002").Used != 0 {
		t.Errorf("%+v", result)
	}
}

func TestUnauthorizedBenchesTheKeyAndGoesOnWithTheNext(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.addKey("1000002", 1000)
	r.must(r.sim.Inject(sim1688.Fault{Operation: "*", Kind: "auth_401", AppKey: "1000001"}))
	r.work()
	r.ask(r.request("auth", 0))
	result := r.result("auth")
	if result.Outcome != worker.OutcomePlaced || result.AppKey != "1000002" {
		t.Errorf("%+v", result)
	}
	if key := r.key("1000001"); key.State != "benched" || key.Used != 0 || key.Held != 0 {
		t.Errorf("%+v", key)
	}
}

func TestPoisonHoldsNothingUp(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	bodies := map[string]string{
		"not-json": `{not json`, "null": `null`, "two": `{"request_id":"two"}{"b":2}`, "zero": `{"request_id":"zero","lines":[{"offer_id":"700000000001","quantity":0}]}`,
		"gbk": "{\"note\":\"\xb1\xb8\xd7\xa2\"}", "other": string(schemas.AppendRequest(nil, r.request("another", 0))),
	}
	for id, body := range bodies {
		r.askRaw(id, []byte(body))
	}
	r.ask(r.request("good", 0))
	r.work()
	if result := r.result("good"); result.Outcome != worker.OutcomePlaced {
		t.Errorf("good: %+v", result)
	}
	for id := range bodies {
		result := r.result(id)
		if result.Outcome != worker.OutcomeRefused || result.Code != worker.CodeInvalid || result.Reason == "" || result.RequestID != id {
			t.Errorf("%s: %+v", id, result)
		}
	}
	if letters := r.deadLetters(len(bodies)); len(letters) != len(bodies) {
		t.Errorf("%d dead letters, want %d", len(letters), len(bodies))
	}
	if got := len(r.sim.Orders(sim1688.OrderFilter{})); got != 1 {
		t.Errorf("%d orders exist, want the good one only", got)
	}
}

// deadLetters waits for so many dead letters.
func (r *rig) deadLetters(n int) map[string]map[string]any {
	r.t.Helper()
	letters := map[string]map[string]any{}
	for message, err := range r.bus.Watch(r.ctx, bus.WatchOptions{Subjects: []string{"purchase.dead.>"}, Since: time.Unix(1, 0)}) {
		r.must(err)
		var letter map[string]any
		r.must(json.Unmarshal(message.Data, &letter))
		letters[fmt.Sprint(letter["subject"])] = letter
		if len(letters) == n {
			break
		}
	}
	return letters
}

// TestPausesWithoutKeysAndGoesOn: nothing is fetched, parked or dead-lettered while no key has room; adding one wakes the
// work at once.
func TestPausesWithoutKeysAndGoesOn(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 2)
	r.work()
	const requests = 20
	for i := range requests {
		r.ask(r.request(fmt.Sprint("PR-", i), 0))
	}
	r.until("the pause", func(e worker.Event) bool { return e.Stage == worker.StagePaused && e.Code == worker.CodeNoKey })
	r.addKey("1000002", 1000)
	r.until("the end of the pause", func(e worker.Event) bool { return e.Stage == worker.StageResumed && e.Code == worker.CodeNoKey })
	for i := range requests {
		if result := r.result(fmt.Sprint("PR-", i)); result.Outcome != worker.OutcomePlaced {
			t.Errorf("%+v", result)
		}
	}
	if first := r.key("1000001"); first.Used != 2 || first.State != "spent" {
		t.Errorf("%+v", first)
	}
}

// TestPausesWithoutChannelAndGoesOn: what never left is no unknown.
func TestPausesWithoutChannelAndGoesOn(t *testing.T) {
	shut := &door{}
	shut.shut.Store(true)
	r := newRigWithDoor(t, processes(t), shut)
	r.addKey("1000001", 1000)
	r.work()
	r.until("the pause", func(e worker.Event) bool { return e.Stage == worker.StagePaused && e.Code == worker.CodeChannelDown })
	r.ask(r.request("patient", 0))
	shut.shut.Store(false)
	if result := r.result("patient"); result.Outcome != worker.OutcomePlaced || len(r.orders("patient")) != 1 {
		t.Errorf("%+v", result)
	}
}

// TestSameIDOtherMeaning: the first stands; the second is told so and buys nothing.
func TestSameIDOtherMeaning(t *testing.T) {
	r := newRig(t, processes(t))
	r.addKey("1000001", 1000)
	r.work()
	first := r.request("twice", 0)
	r.ask(first)
	r.result("twice")
	again := first
	again.Lines = append([]worker.Line(nil), first.Lines...)
	again.Lines[0].Quantity = 200
	for want, q := range map[string]worker.Request{"replay": first, "conflict": again} {
		receipt, err := r.bus.Submit(r.ctx, "acme", q.ID, schemas.AppendRequest(nil, q))
		r.must(err)
		if string(receipt.Fate) != want {
			t.Errorf("%+v, want %s", receipt, want)
		}
	}
	if orders := r.orders("twice"); len(orders) != 1 || orders[0].Lines[0].Quantity != 1 {
		t.Errorf("%+v", orders)
	}
}

// TestAnOrderGoesWithTheCodeOfItsDistrict where that is wanted: 1688 is asked for it once, and the request stays what it was.
func TestAnOrderGoesWithTheCodeOfItsDistrict(t *testing.T) {
	t.Parallel()
	for code, wanted := range map[string]bool{"": false, "310101": true} {
		r := newRigWithDoor(t, processes(t), &door{codes: wanted})
		r.addKey("1000001", 1000)
		r.work()
		for _, id := range []string{"PR-1", "PR-2"} {
			r.ask(r.request(id, 0))
			if result := r.result(id); result.Outcome != worker.OutcomePlaced {
				t.Errorf("%+v", result)
			}
			if orders := r.orders(id); len(orders) != 1 || orders[0].District != code {
				t.Errorf("%s went to %+v, want %q", id, orders, code)
			}
		}
	}
}
