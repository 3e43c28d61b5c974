package workertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/relay"
	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// TestAnOrdersLaterLife: pushes become states, and the parcels that they do not name are found out.
func TestAnOrdersLaterLife(t *testing.T) {
	l := newLife(t)
	l.follow(l.open(nil))
	order := l.buy("PR-1")
	l.reaches("PR-1", order, worker.StateOrdered)
	l.step(order, "pay")
	l.reaches("PR-1", order, worker.StatePaid)
	l.step(order, "ship_part", sim1688.Parcel{Number: "SF1", Carrier: "顺丰速运"})
	l.reaches("PR-1", order, worker.StateShippedInPart)
	l.hears("PR-1", worker.EventTracking, 1)
	l.step(order, "ship", sim1688.Parcel{Number: "ZTO2", Carrier: "中通"})
	l.reaches("PR-1", order, worker.StateShipped)
	l.hears("PR-1", worker.EventTracking, 2)
	l.step(order, "receive")
	l.step(order, "finish")
	l.reaches("PR-1", order, worker.StateFinished)
	o := l.course("PR-1", order)
	if len(o.Parcels) != 2 || o.Parcels[0] != (worker.Parcel{Number: "SF1", Carrier: "顺丰速运"}) || o.Parcels[1].Number != "ZTO2" {
		t.Errorf("%+v", o.Parcels)
	}
	l.allConfirmed()
	l.once("PR-1")
}

// TestParcelsThatShowLate: the detail has no parcel at first; the push is confirmed all the same.
func TestParcelsThatShowLate(t *testing.T) {
	l := newLife(t)
	l.follow(l.open(nil))
	order := l.buy("PR-1")
	l.step(order, "pay")
	l.push("ORDER_BUYER_VIEW_ANNOUNCE_SENDGOODS", order.OrderID, "waitbuyerreceive")
	l.reaches("PR-1", order, worker.StateShipped)
	l.allConfirmed()
	if n := l.count("PR-1", worker.EventTracking); n != 0 {
		t.Errorf("%d parcels are known", n)
	}
	l.must(l.sim.Progress(sim1688.Progress{OrderID: order.OrderID, Step: "ship", Silent: true, Parcels: []sim1688.Parcel{{Number: "SF1"}}}))
	l.hears("PR-1", worker.EventTracking, 1)
}

// TestPushesInAnyOrder: delayed, repeated, of parcels, of a kind that nobody knows.
func TestPushesInAnyOrder(t *testing.T) {
	l := newLife(t)
	l.open(nil)
	order := l.buy("PR-1")
	for range 3 {
		l.push("ORDER_BUYER_VIEW_ANNOUNCE_SENDGOODS", order.OrderID, "waitbuyerreceive")
	}
	l.reaches("PR-1", order, worker.StateShipped)
	l.push("ORDER_BUYER_VIEW_ORDER_PAY", order.OrderID, "waitsellersend")
	l.push("ORDER_BUYER_VIEW_BRAND_NEW", order.OrderID, "newstatus")
	l.sim.Push("1000001", "ORDER_BATCH_PAY", map[string]any{"batchPay": []any{map[string]any{"orderId": json.Number(order.OrderID), "status": "ACCOUNT_FROZEN"}}})
	l.sim.Push("1000001", "LOGISTICS_BUYER_VIEW_TRACE", map[string]any{"OrderLogisticsTracingModel": map[string]any{
		"mailNo": "SF1", "cpCode": "SF", "statusChanged": "TRANSPORT", "orderLogsItems": []any{map[string]any{"orderId": order.OrderID}}}})
	l.sim.Push("1000001", "LOGISTICS_MAIL_NO_CHANGE", `{"MailNoChangeModel":{"oldMailNo":"SF1","newMailNo":"SF2","orderLogsItems":[{"orderId":`+order.OrderID+`}]}}`)
	l.hears("PR-1", worker.EventTracking, 1)
	l.allConfirmed()
	l.once("PR-1")
	o := l.course("PR-1", order)
	if o.State != worker.StateShipped || len(o.Parcels) != 1 || o.Parcels[0].Number != "SF2" {
		t.Errorf("%+v", o)
	}
	for _, s := range l.told("PR-1") {
		switch s.Event {
		case worker.OrderEvent(worker.StatePaid):
			if !s.Late {
				t.Errorf("%+v", s)
			}
		case worker.EventOther:
			if s.Raw == "" || s.Topic != "ORDER_BUYER_VIEW_BRAND_NEW" {
				t.Errorf("%+v", s)
			}
		}
	}
	if failed, other := l.count("PR-1", worker.EventPaymentFailed), l.count("PR-1", worker.EventOther); failed != 1 || other != 1 {
		t.Errorf("%d payments failed, %d events are not known", failed, other)
	}
}

// TestOrdersOfOthers are kept apart, and what names no order too.
func TestOrdersOfOthers(t *testing.T) {
	l := newLife(t)
	offer := l.offers[0]
	lines := []sim1688.Line{{OfferID: offer.OfferID, SpecID: offer.SpecIDs[0], Quantity: 1}}
	theirs, err := l.sim.Visit(sim1688.Visit{Member: "buyer", OutOrderID: "erp-77", Lines: lines})
	l.must(err)
	site, err := l.sim.Visit(sim1688.Visit{Member: "buyer", Lines: lines})
	l.must(err)
	l.follow(l.open(nil))
	for _, id := range []string{theirs.OrderID, theirs.OrderID, site.OrderID, "404404404404"} {
		l.push("ORDER_BUYER_VIEW_ORDER_PAY", id, "waitsellersend")
	}
	l.sim.Push("1000001", "PRODUCT_CHANGE", map[string]any{"x": 1})
	l.eventually("all strays", func() bool { return len(l.strays()) == 5 })
	l.allConfirmed()
	why := map[string]worker.StrayReason{}
	for _, s := range l.strays() {
		if why[s.OrderID] = s.Why; s.Raw == "" || s.Topic == "" || s.OrderID == theirs.OrderID && s.Reference != "erp-77" {
			t.Errorf("%+v", s)
		}
	}
	if why[theirs.OrderID] != worker.StrayForeign || why[site.OrderID] != worker.StrayForeign || why["404404404404"] != worker.StrayUnseen || why[""] != worker.StrayNoOrder {
		t.Errorf("%v", why)
	}
}

// TestAnOrderThatShowsLater: 1688 pushes before it shows the order; the push finds its request as soon as it does.
func TestAnOrderThatShowsLater(t *testing.T) {
	l := newLife(t)
	order := l.buy("PR-1")
	stray := worker.Stray{EventID: "77", AppKey: "1000001", Why: worker.StrayUnseen, Topic: "ORDER_BUYER_VIEW_ORDER_PAY", OrderID: order.OrderID, Status: "waitsellersend", At: time.Now()}
	l.must(l.out.KeepApart(l.ctx, stray))
	l.must(l.sim.Inject(sim1688.Fault{Operation: "get.buyerView", Kind: "http_502_html", Count: 1}))
	l.follow(l.open(nil))
	l.reaches("PR-1", order, worker.StatePaid)
	l.eventually("an empty place apart", func() bool { return len(l.strays()) == 0 })
	l.must(l.out.KeepApart(l.ctx, stray)) // 1688 pushes it once more, and it shows nothing again
	l.eventually("an empty place apart", func() bool { return len(l.strays()) == 0 })
	l.once("PR-1")
}

// TestARelayThatDiesBetweenPushAndConfirm: nothing is confirmed that is not stored, and what is stored is not stored again.
func TestARelayThatDiesBetweenPushAndConfirm(t *testing.T) {
	for name, stores := range map[string]bool{"before it is stored": false, "after it is stored": true} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			order := l.buy("PR-1")
			taken := make(chan struct{}, 64)
			dying := l.open(func(ctx context.Context, push worker.Push) error {
				if stores {
					l.must(l.out.TakePush(ctx, push))
				}
				taken <- struct{}{}
				<-ctx.Done() // never confirmed
				return context.Cause(ctx)
			})
			l.step(order, "pay")
			<-taken
			dying.stop()
			if len(l.sim.Unconfirmed("1000001")) == 0 {
				t.Fatal("it was confirmed")
			}
			l.open(nil, func(c *relay.Config) { c.MissedEvery = 20 * time.Millisecond })
			l.reaches("PR-1", order, worker.StatePaid)
			l.allConfirmed()
			l.once("PR-1")
		})
	}
}

// TestWhatWasMissedIsAskedFor: pushes of a time without any relay, more than a page of them.
func TestWhatWasMissedIsAskedFor(t *testing.T) {
	l := newLife(t)
	order := l.buy("PR-1")
	l.step(order, "pay")
	for range 450 {
		l.push("ORDER_BUYER_VIEW_MODIFY_MEMO", order.OrderID, "waitsellersend")
	}
	var failures atomic.Int32
	l.open(func(ctx context.Context, push worker.Push) error {
		if push.Source == worker.SourceList && failures.Add(1) == 20 { // in the midst of a page
			return errors.New("not now")
		}
		return l.out.TakePush(ctx, push)
	}, func(c *relay.Config) { c.MissedEvery, c.Timeout = 20*time.Millisecond, 2*time.Second }) // nobody says no to a push: it times out
	l.allConfirmed()
	l.reaches("PR-1", order, worker.StatePaid)
	if n := l.count("PR-1", worker.EventMemo); n != 450 {
		t.Errorf("%d of 450 are on record", n)
	}
	l.once("PR-1")
}

// TestAWorkerThatDiesBetweenStoreAndConfirm: another one is handed the push, and it is stored once.
func TestAWorkerThatDiesBetweenStoreAndConfirm(t *testing.T) {
	l := newLife(t)
	order := l.buy("PR-1")
	stored := make(chan struct{}, 64)
	e := l.open(func(ctx context.Context, push worker.Push) error {
		l.must(l.out.TakePush(ctx, push))
		stored <- struct{}{}
		<-ctx.Done()
		return context.Cause(ctx)
	}, func(c *relay.Config) { c.MissedEvery = 20 * time.Millisecond })
	l.step(order, "pay")
	<-stored
	l.must(e.client.Close())
	if len(l.sim.Unconfirmed("1000001")) == 0 {
		t.Fatal("it was confirmed")
	}
	l.dial(e.url, l.out.TakePush)
	l.allConfirmed()
	l.reaches("PR-1", order, worker.StatePaid)
	l.once("PR-1")
}
