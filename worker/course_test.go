package worker

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// told makes the status of a topic, told so many minutes after the order was placed.
func told(id, topic string, minutes int) Status {
	push := Push{ID: id, AppKey: "k", Topic: topic, OrderID: "11", Reference: "acme.PR-1-1", At: time.UnixMilli(1e12).Add(time.Duration(minutes) * time.Minute).UnixMilli()}
	status, _ := push.Sort()
	return *status
}

// walk takes statuses in as they come, and gives the state after each.
func walk(statuses ...Status) (c *Course, states []OrderState) {
	c = &Course{}
	for _, s := range statuses {
		next, news := c.Next(s)
		if news {
			c.Take(next)
		}
		o, _ := c.Order("11")
		states = append(states, o.State)
	}
	return c, states
}

func TestAnOrderMovesAlongItsGraph(t *testing.T) {
	const v = orderTopic
	for name, c := range map[string]struct {
		told []Status
		want []OrderState
	}{
		"the whole way": {
			[]Status{told("1", v+"BUYER_MAKE", 0), told("2", v+"ORDER_PAY", 1), told("3", v+"PART_PART_SENDGOODS", 2), told("4", v+"ANNOUNCE_SENDGOODS", 3),
				told("5", v+"ORDER_COMFIRM_RECEIVEGOODS", 4), told("6", v+"ORDER_SUCCESS", 5)},
			[]OrderState{StateOrdered, StatePaid, StateShippedInPart, StateShipped, StateReceived, StateFinished}},
		"late ones change nothing": {
			[]Status{told("5", v+"ORDER_COMFIRM_RECEIVEGOODS", 4), told("2", v+"ORDER_PAY", 1), told("4", v+"ANNOUNCE_SENDGOODS", 3), told("1", v+"BUYER_MAKE", 0)},
			[]OrderState{StateReceived, StateReceived, StateReceived, StateReceived}},
		"repeats change nothing": {
			[]Status{told("2", v+"ORDER_PAY", 1), told("4", v+"ANNOUNCE_SENDGOODS", 3), told("2", v+"ORDER_PAY", 1)},
			[]OrderState{StatePaid, StateShipped, StateShipped}},
		"closed is closed": {
			[]Status{told("1", v+"BUYER_MAKE", 0), told("2", v+"ORDER_SELLER_CLOSE", 1), told("3", v+"ORDER_PAY", 2), told("4", v+"ORDER_BUYER_CLOSE", 3)},
			[]OrderState{StateOrdered, StateClosedBySeller, StateClosedBySeller, StateClosedBySeller}},
		"by the platform": {[]Status{told("2", v+"ORDER_BOPS_CLOSE", 1)}, []OrderState{StateClosedByPlatform}},
		"what was received is not closed": {
			[]Status{told("1", v+"ORDER_COMFIRM_RECEIVEGOODS", 0), told("2", v+"ORDER_BUYER_CLOSE", 1)}, []OrderState{StateReceived, StateReceived}},
		"refunded before it was shipped, and shipped all the same": {
			[]Status{told("2", v+"ORDER_PAY", 1), told("3", v+"ORDER_BUYER_REFUND_IN_SALES", 2), told("4", v+"ANNOUNCE_SENDGOODS", 3)},
			[]OrderState{StatePaid, StateRefunded, StateShipped}},
		"the shipment was before the refund, and is told of late": {
			[]Status{told("2", v+"ORDER_PAY", 1), told("3", v+"ORDER_BUYER_REFUND_IN_SALES", 3), told("4", v+"ANNOUNCE_SENDGOODS", 2)},
			[]OrderState{StatePaid, StateRefunded, StateRefunded}},
		"refunded after it was finished": {
			[]Status{told("2", v+"ORDER_SUCCESS", 1), told("3", v+"ORDER_REFUND_AFTER_SALES", 2)}, []OrderState{StateFinished, StateRefunded}},
		"beside the way": {
			[]Status{told("2", v+"ORDER_PAY", 1), told("3", v+"ORDER_PRICE_MODIFY", 2), told("4", v+"MODIFY_MEMO", 2), told("5", "LOGISTICS_BUYER_VIEW_TRACE", 3), told("6", "NOBODY_KNOWS", 4)},
			[]OrderState{StatePaid, StatePaid, StatePaid, StatePaid, StatePaid}},
		"nothing is known yet": {[]Status{told("3", v+"MODIFY_MEMO", 2)}, []OrderState{""}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := walk(c.told...); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestLateStatusesSaySo(t *testing.T) {
	c, _ := walk(told("4", orderTopic+"ANNOUNCE_SENDGOODS", 3))
	late, news := c.Next(told("2", orderTopic+"ORDER_PAY", 1))
	if !news || !late.Late || late.State != StateShipped || late.Event != OrderEvent(StatePaid) {
		t.Errorf("%+v, %v", late, news)
	}
	c.Take(late)
	if o, _ := c.Order("11"); o.PaidAt.IsZero() || o.State != StateShipped {
		t.Errorf("when it was paid is lost: %+v", o)
	}
}

// TestStatesNeverGoBack: whatever the order in which the events of an order that comes to its end arrive, each as often as one
// likes, it never goes back and ends in the same state.
func TestStatesNeverGoBack(t *testing.T) {
	var all []Status
	for i, topic := range []string{"BUYER_MAKE", "ORDER_PRICE_MODIFY", "ORDER_PAY", "PART_PART_SENDGOODS", "ANNOUNCE_SENDGOODS", "ORDER_COMFIRM_RECEIVEGOODS", "ORDER_SUCCESS", "MODIFY_MEMO"} {
		all = append(all, told(fmt.Sprint(i), orderTopic+topic, i))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var c Course
		before, stored := OrderState(""), 0
		for range 3 {
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, s := range all {
				next, news := c.Next(s)
				if !news {
					continue
				}
				stored++
				c.Take(next)
				if now, _ := c.Order("11"); now.State != before && !before.leads(now.State, true) {
					t.Fatalf("from %s back to %s", before, now.State)
				} else {
					before = now.State
				}
			}
		}
		if before != StateFinished || stored != len(all) {
			t.Fatalf("%s, %d stored", before, stored)
		}
	}
}

func TestPaidWithOthersAtOnce(t *testing.T) {
	good, bad := told("7", topicBatchPay, 1), told("7.2", topicBatchPay, 1)
	for _, c := range []struct {
		word  string
		event OrderEvent
		state OrderState
	}{{batchPaid, OrderEvent(StatePaid), StatePaid}, {"ACCOUNT_FROZEN", EventPaymentFailed, StateOrdered}} {
		s := good
		s.Event, s.Status = eventOf(topicBatchPay, c.word), c.word
		_, states := walk(told("1", orderTopic+"BUYER_MAKE", 0), s)
		if s.Event != c.event || states[1] != c.state {
			t.Errorf("%s: %s, %v", c.word, s.Event, states)
		}
	}
	if bad.Event != EventPaymentFailed {
		t.Errorf("without a word: %s", bad.Event)
	}
}

func TestParcels(t *testing.T) {
	seen := func(id string, minutes int, p Parcel) Status {
		s := told(id, "LOGISTICS_BUYER_VIEW_TRACE", minutes)
		s.Parcels = []Parcel{p}
		return s
	}
	c, _ := walk(
		seen("2", 3, Parcel{Number: "A", CarrierCode: "SF", Trace: "DELIVERING"}),
		seen("1", 1, Parcel{Number: "A", Trace: "CONSIGN"}), // late
		seen("3", 4, Parcel{Number: "B", Carrier: "ZTO"}),
		seen("4", 5, Parcel{Number: "C", Replaces: "A"}),
		seen("5", 2, Parcel{Number: "A", Trace: "ACCEPT"}), // late, and replaced meanwhile
	)
	o, _ := c.Order("11")
	if want := []Parcel{{Number: "B", Carrier: "ZTO"}, {Number: "C", Replaces: "A"}}; !reflect.DeepEqual(o.Parcels, want) {
		t.Errorf("got %+v", o.Parcels)
	}
	if o.TracedAt != told("", "", 5).At || o.Moved != o.TracedAt {
		t.Errorf("%+v", o)
	}
}

func TestPushesAreSorted(t *testing.T) {
	for name, c := range map[string]struct {
		push Push
		why  StrayReason // "": it is ours
	}{
		"ours":                        {Push{OrderID: "11", Reference: "acme.PR-1-1"}, ""},
		"of another system":           {Push{OrderID: "11", Reference: "erp-77"}, StrayForeign},
		"made on the website":         {Push{OrderID: "11"}, StrayForeign},
		"of an order nobody can see":  {Push{OrderID: "11", Unseen: true}, StrayUnseen},
		"about no order":              {Push{}, StrayNoOrder},
		"about no order, with a name": {Push{Reference: "acme.PR-1-1"}, StrayNoOrder},
	} {
		c.push.ID, c.push.AppKey, c.push.Topic, c.push.Raw = "7", "k", "T", "raw"
		status, stray := c.push.Sort()
		if (status == nil) == (stray == nil) || stray != nil && (stray.Why != c.why || stray.Raw != "raw") || status != nil && (c.why != "" || status.Raw != "raw") {
			t.Errorf("%s: %+v, %+v", name, status, stray)
		}
		if stray != nil {
			if again, _ := stray.Push("acme.PR-1-1").Sort(); c.push.OrderID != "" && (again == nil || again.EventID != "7" || again.RequestID != "PR-1") {
				t.Errorf("%s: found later: %+v", name, again)
			}
		}
	}
}
