package worker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// book is what is on record, and what 1688 shows.
type book struct {
	results []Entry
	courses map[string]*Course // by request id
	shown   map[string]OrderDetail
	asked   []string
	down    bool
}

func (b *book) ResultsAfter(_ context.Context, sequence uint64, since time.Time) (some []Entry, _ error) {
	for _, e := range b.results {
		if e.Sequence > sequence && !e.At.Before(since) && len(some) < 2 {
			some = append(some, e)
		}
	}
	return some, nil
}

func (b *book) Course(_ context.Context, _, id string) (Course, error) {
	if b.down {
		return Course{}, &Trouble{Code: CodeNATSDown}
	}
	if b.courses[id] == nil {
		return Course{}, nil
	}
	return *b.courses[id], nil
}

func (b *book) PublishStatus(_ context.Context, s Status) error {
	if b.courses[s.RequestID] == nil {
		b.courses[s.RequestID] = &Course{}
	}
	if next, news := b.courses[s.RequestID].Next(s); news {
		b.courses[s.RequestID].Take(next)
	}
	return nil
}

func (b *book) Detail(_ context.Context, _, orderID string) Answer {
	b.asked = append(b.asked, orderID)
	d, found := b.shown[orderID]
	if !found {
		return Answer{Verdict: NotAttempted, Code: CodeChannelDown}
	}
	return Answer{Verdict: Placed, Detail: &d}
}

var roundsBegan = time.UnixMilli(1e12).UTC()

// rounds has orders 1, 2, … placed, by one request each.
func rounds(n int) (*Rounds, *book) {
	b := &book{courses: map[string]*Course{}, shown: map[string]OrderDetail{}}
	for i := 1; i <= n; i++ {
		id := fmt.Sprint("PR-", i)
		b.results = append(b.results, Entry{Sequence: uint64(i), At: roundsBegan, Tenant: "acme", RequestID: id, //nolint:gosec // it is small
			Result: &Result{Orders: []ResultOrder{{OrderID: fmt.Sprint(i), OutOrderID: "acme." + id + "-1", AppKey: "k"}}}})
	}
	return &Rounds{Results: b, Record: b, Tracker: &Tracker{Orders: b, Record: b, CallTimeout: time.Second}, Window: 1000 * time.Hour, Looks: 100}, b
}

func (b *book) told(t *testing.T, order int, topic string, at time.Time) {
	t.Helper()
	push := Push{ID: fmt.Sprint(topic, at), AppKey: "k", Topic: topic, OrderID: fmt.Sprint(order), Reference: fmt.Sprintf("acme.PR-%d-1", order), At: at.UnixMilli()}
	status, _ := push.Sort()
	if err := b.PublishStatus(t.Context(), *status); err != nil {
		t.Fatal(err)
	}
}

// at goes a round so many hours after the orders were placed, and gives what it found of a rule.
func (r *Rounds) at(t *testing.T, hours int, kind AlarmKind) Finding {
	t.Helper()
	findings, err := r.Go(t.Context(), roundsBegan.Add(time.Duration(hours)*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Kind == kind {
			return f
		}
	}
	return Finding{}
}

func TestOrdersThatStandStill(t *testing.T) {
	hour := func(n int) time.Time { return roundsBegan.Add(time.Duration(n) * time.Hour) }
	r, b := rounds(3)
	r.Rules = WatchRules{Unshipped: 10 * time.Hour, Untraced: 5 * time.Hour, Unmoved: 100 * time.Hour}
	if f := r.at(t, 1, AlarmUnshipped); f.State != AlarmOver {
		t.Errorf("nothing is paid: %+v", f)
	}
	b.told(t, 1, orderTopic+"ORDER_PAY", hour(1))
	b.told(t, 2, orderTopic+"ORDER_PAY", hour(2))
	r.at(t, 9, AlarmUnshipped)
	if f := r.at(t, 11, AlarmUnshipped); f.State != AlarmRaised || f.Count != 1 || f.Named[0] != "acme.PR-1-1" {
		t.Errorf("one is late: %+v", f)
	}
	if f := r.at(t, 12, AlarmUnshipped); f.Count != 2 || f.Mark != uint64(hour(2).UnixMilli()) { //nolint:gosec // it is positive
		t.Errorf("two are late: %+v", f)
	}
	b.told(t, 1, orderTopic+"ANNOUNCE_SENDGOODS", hour(12))
	b.told(t, 2, orderTopic+"PART_PART_SENDGOODS", hour(12))
	if f := r.at(t, 13, AlarmUnshipped); f.State != AlarmOver {
		t.Errorf("they move: %+v", f)
	}
	if f := r.at(t, 18, AlarmUntraced); f.Count != 2 {
		t.Errorf("no parcel is seen: %+v", f)
	}
	b.told(t, 1, "LOGISTICS_BUYER_VIEW_TRACE", hour(18))
	if f := r.at(t, 19, AlarmUntraced); f.Count != 1 || f.Named[0] != "acme.PR-2-1" {
		t.Errorf("one parcel is seen: %+v", f)
	}
	b.told(t, 2, orderTopic+"ORDER_SUCCESS", hour(20))
	if f := r.at(t, 101, AlarmUnmoved); f.Count != 1 || f.Named[0] != "acme.PR-3-1" || len(r.open) != 2 {
		t.Errorf("one was never heard of: %+v, %d are open", f, len(r.open))
	}
	if len(b.asked) != 0 {
		t.Errorf("1688 was asked for %v", b.asked)
	}
}

// TestARoundThatIsIncomplete raises what it sees and takes nothing back.
func TestARoundThatIsIncomplete(t *testing.T) {
	r, b := rounds(1)
	r.Rules.Unmoved = time.Hour
	if f := r.at(t, 2, AlarmUnmoved); f.State != AlarmRaised {
		t.Fatalf("%+v", f)
	}
	b.down = true
	findings, err := r.Go(t.Context(), roundsBegan.Add(3*time.Hour))
	if err == nil || len(findings) != 1 || findings[0].State != "" {
		t.Errorf("%+v, %v", findings, err)
	}
}

func TestSilentOrdersAreAskedFor(t *testing.T) {
	r, b := rounds(5)
	r.Silent, r.Looks = 6*time.Hour, 3
	for i := 1; i <= 4; i++ {
		b.shown[fmt.Sprint(i)] = OrderDetail{OrderID: fmt.Sprint(i), Status: "waitbuyerreceive", Parcels: []Parcel{{Number: "SF1"}}}
	}
	b.shown["4"] = OrderDetail{OrderID: "4", Status: "success"}
	b.told(t, 1, orderTopic+"ANNOUNCE_SENDGOODS", roundsBegan.Add(5*time.Hour))
	r.at(t, 1, "")
	if len(b.asked) != 0 {
		t.Errorf("asked too soon for %v", b.asked)
	}
	r.at(t, 7, "")
	if len(b.asked) != 3 || strings.Contains(fmt.Sprint(b.asked), "1") {
		t.Errorf("asked for %v, and the bound is 3 in a round", b.asked)
	}
	r.at(t, 8, "")
	first := len(b.asked)
	r.at(t, 9, "")
	for order, want := range map[string]OrderState{"2": StateShipped, "3": StateShipped, "4": StateFinished} {
		course, _ := b.Course(t.Context(), "acme", "PR-"+order)
		if o, _ := course.Order(order); o.State != want || want == StateShipped && (len(o.Parcels) != 1 || o.OutOrderID == "") {
			t.Errorf("%s: %+v", order, o)
		}
	}
	if again := b.asked[first:]; strings.Trim(strings.Join(again, ""), "5") != "" || len(again) == 0 {
		t.Errorf("asked again for %v; only 5 could not be had", again)
	}
	if r.open["4"] != nil || len(r.open) != 4 {
		t.Errorf("%d are open", len(r.open))
	}
	before := len(b.courses["PR-2"].known)
	r.at(t, 20, "")
	if after := len(b.courses["PR-2"].known); after != before {
		t.Errorf("what is known already is stored again: %d events, then %d", before, after)
	}
}

func TestOldOrdersAreLeftAlone(t *testing.T) {
	r, _ := rounds(2)
	r.Window, r.Rules.Unmoved = 10*time.Hour, time.Hour
	if f := r.at(t, 2, AlarmUnmoved); f.Count != 2 {
		t.Errorf("%+v", f)
	}
	if f := r.at(t, 11, AlarmUnmoved); f.State != AlarmOver || len(r.open) != 0 {
		t.Errorf("%+v, %d are open", f, len(r.open))
	}
}
