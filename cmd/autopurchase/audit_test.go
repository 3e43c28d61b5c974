package main

import (
	"strings"
	"testing"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestTheAuditSeesWhatIsWrong gives the demo's judge books that break the promise, one way at a time.
func TestTheAuditSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	order := func(id, reference string, call int64) sim1688.Order {
		return sim1688.Order{OrderID: id, OutOrderID: reference, Call: call, Products: 2}
	}
	placed := func(id, reference string) worker.Result {
		return worker.Result{RequestID: "1", Outcome: worker.OutcomePlaced, Orders: []worker.ResultOrder{{OrderID: id, OutOrderID: reference}}}
	}
	unknown := worker.Result{RequestID: "1", Outcome: worker.OutcomeUnknown, Unknown: []worker.OpenOrder{{OutOrderID: "demo.1-1"}}}
	for name, c := range map[string]struct {
		got        results
		orders     []sim1688.Order
		duplicates int
		lost       int
	}{
		"right":                         {results{"1": placed("11", "demo.1-1")}, []sim1688.Order{order("11", "demo.1-1", 1)}, 0, 0},
		"one call, two orders":          {results{"1": placed("11", "demo.1-1")}, []sim1688.Order{order("11", "demo.1-1", 1), order("12", "demo.1-1", 1)}, 0, 0},
		"unknown that exists":           {results{"1": unknown}, []sim1688.Order{order("11", "demo.1-1", 1)}, 0, 0},
		"unknown that does not exist":   {results{"1": unknown}, nil, 0, 0},
		"two calls":                     {results{"1": placed("11", "demo.1-1")}, []sim1688.Order{order("11", "demo.1-1", 1), order("12", "demo.1-1", 2)}, 1, 0},
		"no result":                     {results{}, nil, 0, 1},
		"a result without its order":    {results{"1": placed("11", "demo.1-1")}, nil, 0, 1},
		"a result with another order":   {results{"1": placed("12", "demo.1-1")}, []sim1688.Order{order("11", "demo.1-1", 1)}, 0, 1},
		"an order without a result":     {results{}, []sim1688.Order{order("11", "demo.1-1", 1)}, 0, 2},
		"an order of another reference": {results{"1": placed("11", "demo.1-1")}, []sim1688.Order{order("11", "demo.1-1", 1), order("12", "demo.1-2", 2)}, 0, 1},
	} {
		sum := summary{Requests: 1, Results: len(c.got)}
		books := map[string][]sim1688.Order{}
		for _, o := range c.orders {
			books[o.OutOrderID] = append(books[o.OutOrderID], o)
		}
		sum.judge(c.got, books)
		if sum.Duplicates != c.duplicates || sum.Lost != c.lost || sum.right() != (c.duplicates+c.lost == 0) || sum.OrdersAt1688 != len(c.orders) {
			t.Errorf("%s: %+v", name, sum)
		}
	}
}

func TestTheAuditSeesAnOverDrawnKey(t *testing.T) {
	t.Parallel()
	var sum summary
	sum.judgeKeys([]sim1688.KeyBook{{Products: 1000}, {Products: 1003, OverDrawn: 3}, {Products: 5}})
	if sum.OverDrawn != 3 || sum.right() {
		t.Errorf("%+v", sum)
	}
	var text strings.Builder
	must(t, sum.write(&text, false))
	if !strings.Contains(text.String(), "THE BOOKS ARE WRONG") {
		t.Errorf("the summary says:\n%s", text.String())
	}
}
