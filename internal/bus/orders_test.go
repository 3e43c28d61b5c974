package bus

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"autopurchase/worker"
)

// judge decides about parked orders.
type judge struct {
	parked []worker.Result
	words  chan worker.Resolution
	err    error
}

func (j *judge) Parked(context.Context) ([]worker.Result, error) { return j.parked, j.err }

func (j *judge) Resolve(_ context.Context, r worker.Resolution) (worker.Result, error) {
	j.words <- r
	return placed(r.RequestID, r.Placed[0]), j.err
}

func judged(t *testing.T, j *judge) *Bus {
	t.Helper()
	b := connect(t, Config{URL: newServer(t)})
	j.words = make(chan worker.Resolution, 10)
	stop, err := b.AdminOrders(t.Context(), j)
	must(t, err)
	t.Cleanup(stop)
	return b
}

func TestAdminOrders(t *testing.T) {
	t.Parallel()
	givenUp := worker.Result{Tenant: "acme", RequestID: "PR.2", Outcome: worker.OutcomeUnknown, Code: worker.CodeInternal, DecidedAt: decidedAt}
	j := &judge{parked: []worker.Result{unknown("PR-1"), givenUp}}
	b := judged(t, j)
	orders, err := b.ParkedOrders(bounded(t))
	must(t, err)
	if len(orders) != 2 || orders[0].OutOrderID != "acme.PR-1-1" || orders[0].Products != 1 || orders[1].OutOrderID != "acme.PR=2E2-1" || orders[1].Code != "internal" {
		t.Errorf("%+v", orders)
	}
	result, err := b.ResolveOrder(bounded(t), ResolveOrder{OutOrderID: "acme.PR=2E2-1", Placed: []string{"11"}, Force: true, By: "li", Why: "seen"})
	if err != nil || result.RequestID != "PR.2" || result.Orders[0].OrderID != "11" {
		t.Errorf("%+v, %v", result, err)
	}
	if w := receive(t, j.words); w.Tenant != "acme" || w.RequestID != "PR.2" || w.Reference != "acme.PR=2E2-1" || !slices.Equal(w.Placed, []string{"11"}) ||
		!w.Force || w.By != "li" || w.Why != "seen" {
		t.Errorf("%+v", w)
	}
	j.parked = nil
	if reply, err := b.ask(bounded(t), SubjectOrdersParked, nil); err != nil || string(reply) != "[]" {
		t.Errorf("%s, %v", reply, err)
	}
}

// TestAdminOrdersNamesTheField sends what breaks a rule, as any NATS client may.
func TestAdminOrdersNamesTheField(t *testing.T) {
	t.Parallel()
	j := &judge{}
	b := judged(t, j)
	for body, reason := range map[string]string{
		`{}`:                      "out_order_id: must be given",
		`{"out_order_id":"PR-1"}`: "out_order_id: must be one of",
		`{"out_order_id":"acme.PR-1","tenant":"other","absent":true,"by":"li"}`:                         "out_order_id: must be one of",
		`{"tenant":"a.b","request_id":"PR","absent":true,"by":"li"}`:                                    "tenant: must be",
		`{"tenant":"acme","request_id":"a b","absent":true,"by":"li"}`:                                  "request_id: must be",
		`{"out_order_id":"acme.PR-1","by":"li"}`:                                                        "placed: must be the order ids",
		`{"out_order_id":"acme.PR-1","by":"li","absent":true,"placed":["1"]}`:                           "placed: must be the order ids",
		`{"out_order_id":"acme.PR-1","by":"li","placed":["1","1"]}`:                                     "placed: must be up to 50 different",
		`{"out_order_id":"acme.PR-1","by":"li","placed":[""]}`:                                          "placed: must be up to 50 different",
		`{"out_order_id":"acme.PR-1","by":"li","placed":[2257000000000000973]}`:                         "placed",
		`{"out_order_id":"acme.PR-1","absent":true}`:                                                    "by: must say who",
		`{"out_order_id":"acme.PR-1","absent":true,"by":"a\u200bb"}`:                                    "by: must say who",
		`{"out_order_id":"acme.PR-1","absent":true,"by":"li","why":"` + strings.Repeat("x", 201) + `"}`: "why: must have at most 200",
		`{"out_order_id":"acme.PR-1","absent":true,"by":"li","sure":true}`:                              "sure: is not a field",
	} {
		_, err := b.ask(bounded(t), SubjectOrdersResolve, []byte(body))
		if refusal, ok := errors.AsType[*AdminError](err); !ok || refusal.Code != "invalid" || !strings.HasPrefix(refusal.Reason, reason) {
			t.Errorf("%s: %v, want %s", body, err, reason)
		}
	}
	if len(j.words) != 0 {
		t.Errorf("%d words were taken", len(j.words))
	}
}

// TestParkedList: a request is on the list while its result on record is unknown, whatever happened in between.
func TestParkedList(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	outbox := b.Outbox()
	listed := func() (ids []string) {
		t.Helper()
		parked, err := b.Parked(bounded(t))
		must(t, err)
		for _, r := range parked {
			ids = append(ids, r.Tenant+"/"+r.RequestID)
		}
		return ids
	}
	if got := listed(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	for _, id := range []string{"PR-1", "PR-2", "PR-1", "PR-3"} {
		must(t, outbox.Publish(bounded(t), unknown(id)))
	}
	must(t, outbox.Publish(bounded(t), resolving(placed("PR-2", "11"))))
	must(t, outbox.Publish(bounded(t), unknown("PR-2"))) // a late one puts nothing back
	if got, want := listed(), []string{"acme/PR-1", "acme/PR-3"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// Somebody died between the entry and the result, or between the decision and the entry's end.
	must(t, outbox.park(bounded(t), unknown("PR-4")))
	must(t, outbox.park(bounded(t), unknown("PR-2")))
	if got, want := listed(), []string{"acme/PR-1", "acme/PR-3", "acme/PR-4"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if n := stored(t, b, StreamParked); n != 3 {
		t.Errorf("%d entries are stored", n)
	}
}

// TestFewerOpenOrdersStandBehindMore: one of two unknown orders was decided; going back is not possible.
func TestFewerOpenOrdersStandBehindMore(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	both := unknown("PR-1")
	both.Unknown = append(both.Unknown, worker.OpenOrder{OutOrderID: "acme.PR-1-2", AppKey: "1000001", Products: 1, Lines: []int{1}})
	for _, result := range []worker.Result{both, unknown("PR-1"), both} {
		must(t, b.Outbox().Publish(bounded(t), resolving(result)))
	}
	if result, _, err := b.Result(bounded(t), "acme", "PR-1"); err != nil || len(result.Unknown) != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestAsked(t *testing.T) {
	t.Parallel()
	b, _ := provisioned(t, Config{})
	if _, found, err := b.Asked(bounded(t), "acme", "PR.1"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	submit(t, b, "PR.1")
	asked, found, err := b.Asked(bounded(t), "acme", "PR.1")
	if err != nil || !found || asked.ID != "PR.1" || asked.Tenant != "acme" || asked.Subject != "purchase.request.acme.PR=2E1" || asked.Sequence != 1 {
		t.Errorf("%+v, %v, %v", asked, found, err)
	}
}
