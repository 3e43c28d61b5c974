package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// archive is a chronicle, claims and a pool that say what a test has them say.
type archive struct {
	entries []Entry
	claims  map[string]Claim
	room    Size
	left    error
	redis   error
	pauses  []Pause
}

func (a *archive) Chronicle(context.Context, string, string) ([]Entry, error) { return a.entries, nil }

func (a *archive) Claim(_ context.Context, _, reference string) (Claim, bool, error) {
	claim, found := a.claims[reference]
	return claim, found && a.redis == nil, a.redis
}

func (a *archive) Left(context.Context, string) (int64, error)            { return 0, a.left }
func (a *archive) Pools(context.Context) ([]string, error)                { return nil, nil }
func (a *archive) Room(context.Context, string, Payer) (Size, error)      { return a.room, nil }
func (a *archive) Shares(context.Context, string) (map[string]int, error) { return nil, nil }
func (a *archive) AppKeys(context.Context, string) ([]string, error)      { return nil, nil }
func (a *archive) vitals() Vitals                                         { return Vitals{Pauses: a.pauses} }
func (a *archive) life(t *testing.T, callTimeout time.Duration) (l Life) {
	t.Helper()
	b := &Biographer{Chronicle: a, Claims: a, Stock: a, Vitals: a.vitals, CallTimeout: callTimeout}
	l, err := b.Life(t.Context(), "acme", "PR.1")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var asked = time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)

// twoSellers is a request on record, for two orders.
func twoSellers() *archive {
	request := &Request{ID: "PR.1", Tenant: "acme", Pool: "default", Note: "13900001688", DeliverTo: Address{Mobile: "13900001688"},
		Lines: []Line{{OfferID: "701", Quantity: 1, Seller: "hill"}, {OfferID: "702", Quantity: 1, Seller: "lake"}}}
	return &archive{
		entries: []Entry{{Stream: "REQUESTS", Sequence: 7, At: asked, Tenant: "acme", RequestID: "PR.1", Request: request}},
		claims:  map[string]Claim{}, room: Size{Lines: 100, Units: 100},
	}
}

const first, second = "acme.PR=2E1-1", "acme.PR=2E1-2"

// sent has an order be sent, and ended puts how it ended.
func (a *archive) sent(reference string) *archive {
	a.claims[reference] = Claim{Reference: reference, AppKey: "1000001", State: ClaimSent, Products: 1, Attempt: 1, SentAt: asked.Add(time.Second)}
	return a
}

func (a *archive) ended(reference string, state ClaimState, code Code, reason string, orders ...PlacedOrder) *archive {
	claim := a.sent(reference).claims[reference]
	claim.State, claim.Part = state, Part{State: state, Code: code, Reason: reason, Orders: orders, At: asked.Add(2 * time.Second)}
	a.claims[reference] = claim
	return a
}

// pay takes the order 11 through steps of its payment.
func (a *archive) pay(steps ...PaymentStep) *archive {
	for _, step := range steps {
		p := Payment{OrderID: "11", Step: step, Reason: "why"}
		if step == PaymentWaits {
			p.Code = WaitPrice
		}
		a.entries = append(a.entries, Entry{Stream: "PAYMENT", At: asked, Payment: &p})
	}
	return a
}

func (a *archive) result(r Result) *archive {
	r.Tenant, r.RequestID, r.DecidedAt = "acme", "PR.1", asked.Add(2*time.Second)
	a.entries = append(a.entries, Entry{Stream: "RESULTS", Sequence: 1, At: asked.Add(3 * time.Second), Tenant: "acme", RequestID: "PR.1", Result: &r})
	return a
}

func TestWhatARequestWaitsFor(t *testing.T) {
	full, none, dark := twoSellers(), twoSellers(), twoSellers()
	full.room, none.left, dark.redis = Size{}, &Trouble{Code: CodeNoPool}, &Trouble{Code: CodeRedisDown}
	still := twoSellers()
	still.pauses = []Pause{{Code: CodeNoKey, Pool: "other", Reason: "not its pool"}, {Code: CodeChannelDown, Reason: "no relay in reach"}}
	unreadable := twoSellers()
	unreadable.entries[0].Request, unreadable.entries[0].Fault = &Request{Tenant: "acme", ID: "PR.1"}, &Invalid{Field: "lines", Reason: "is required"}
	forgotten := (&archive{}).result(Result{Outcome: OutcomePlaced, Code: CodePlaced})
	for name, c := range map[string]struct {
		archive *archive
		timeout time.Duration
		state   LifeState
		waits   string
	}{
		"not taken":      {twoSellers(), 0, LifeWaiting, "a worker to take it"},
		"no key":         {full, 0, LifeWaiting, "room: no key has room in pool default for 1 line"},
		"no pool":        {none, 0, LifeWaiting, "a key: pool default has none"},
		"paused":         {still, 0, LifeWaiting, "the workers, which stand still: no relay in reach"},
		"no redis":       {dark, 0, LifeWaiting, "Redis, "},
		"under way":      {twoSellers().ended(first, ClaimPlaced, CodePlaced, "", PlacedOrder{ID: "11"}).sent(second), 1e6 * time.Hour, LifeWaiting, "the answer to order " + second},
		"unanswered":     {twoSellers().sent(first), time.Minute, LifeWaiting, "the look-up of an unanswered order: " + first},
		"being gathered": {twoSellers().ended(first, ClaimPlaced, CodePlaced, "").ended(second, ClaimPlaced, CodePlaced, ""), 0, LifeWaiting, "its result"},
		"unreadable":     {unreadable, 0, LifeWaiting, "a worker, which will refuse it: lines: is required"},
		"placed":         {twoSellers().result(Result{Outcome: OutcomePlaced, Code: CodePlaced}), 0, LifePlaced, "nobody: it ended"},
		"partial":        {twoSellers().result(Result{Outcome: OutcomePartial, Code: CodePartial}), 0, LifePartial, "nobody: it ended"},
		"refused":        {twoSellers().result(Result{Outcome: OutcomeRefused, Code: CodeOutOfStock}), 0, LifeRefused, "nobody: it ended"},
		"cancelled":      {twoSellers().result(Result{Outcome: OutcomeCancelled, Code: CodeDeadline}), 0, LifeCancelled, "nobody: it ended"},
		"unknown":        {twoSellers().result(Result{Outcome: OutcomeUnknown, Code: CodeAbsent}), 0, LifeUnknown, "a person: it is parked"},
		"unpaid":         {twoSellers().result(Result{Outcome: OutcomePlaced, Code: CodePlaced}).pay(PaymentAgreed, PaymentWaits), 0, LifePlaced, "a person: the payment of 11 waits: why"},
		"paid":           {twoSellers().result(Result{Outcome: OutcomePlaced, Code: CodePlaced}).pay(PaymentWaits, PaymentPaid), 0, LifePlaced, "nobody: it ended"},
		"forgotten":      {forgotten, 0, LifePlaced, "nobody: it ended"},
	} {
		if l := c.archive.life(t, c.timeout); l.State != c.state || !strings.HasPrefix(l.WaitingFor, c.waits) {
			t.Errorf("%s: %s waits for %q, want %q", name, l.State, l.WaitingFor, c.waits)
		}
	}
}

// TestStepsAreInOrderAndReal: each has the time that somebody wrote down, and there is no other.
func TestStepsAreInOrderAndReal(t *testing.T) {
	a := twoSellers().ended(first, ClaimPlaced, CodePlaced, "", PlacedOrder{ID: "11"}).ended(second, ClaimRefused, CodeOutOfStock, "out of stock")
	a.result(Result{Outcome: OutcomePartial, Code: CodePartial, Reason: "some lines were not bought", Attempt: 1, Products: 1,
		Orders: []ResultOrder{{OrderID: "11", OutOrderID: first, AppKey: "1000001", Products: 1}}})
	at := func(seconds int) time.Time { return asked.Add(time.Duration(seconds) * time.Second) }
	status := func(s Status, sent, stored int) Entry {
		s.OrderID, s.OutOrderID, s.Topic, s.EventID, s.State, s.At = "11", first, "T", fmt.Sprint(stored), StateShipped, at(sent)
		return Entry{Stream: "STATUS", At: at(stored), Status: &s}
	}
	a.entries = append(a.entries, status(Status{Event: OrderEvent(StateShipped), Status: "waitbuyerreceive"}, 20, 21), status(Status{Event: OrderEvent(StatePaid), Late: true, Status: "waitsellersend"}, 10, 22),
		status(Status{Event: EventTracking, Parcels: []Parcel{{Number: "SF1", Carrier: "SF Express"}}}, 20, 23), status(Status{Event: EventOther, Status: "NEW"}, 20, 24),
		Entry{Stream: "RESULTS", At: at(4), Result: &Result{Outcome: OutcomeRefused, Code: CodeConflict, Reason: "same id", Aside: true}},
		Entry{Stream: "PAYMENT", At: at(25), Payment: &Payment{Reference: first, OrderID: "11", Step: PaymentWaits, Code: WaitPrice, Reason: "21.00 is payable"}},
		Entry{Stream: "PAYMENT", At: at(27), Payment: &Payment{Reference: first, OrderID: "11", Step: PaymentPaid, Try: 1}},
		Entry{Stream: "JOURNAL", At: at(26), Deed: &Deed{What: DeedAgreed, OutOrderID: first, Text: "up to 21.00 may be paid", By: "li", Why: "still cheap"}},
		Entry{Stream: "DEAD", At: at(30), Dead: &DeadLetter{Code: CodeNoAnswer, Reason: "a late answer names 12"}})
	l := a.life(t, 0)
	var got []string
	for _, s := range l.Steps {
		got = append(got, strings.TrimSpace(s.At.Sub(asked).String()+" "+s.What+" "+s.Text+" "+s.By))
	}
	want := []string{
		"0s asked asked for: 2 lines of 2 sellers, with keys of pool default", "1s sent order sent with app key 1000001", "1s sent order sent with app key 1000001",
		"2s settled the order is placed as order 11", "2s settled the order ended as refused; out of stock", "3s result partial; some lines were not bought",
		"4s aside another message under this id was refused; same id", "21s status order 11: shipped", "22s status order 11: paid, told when it was shipped already",
		"23s status order 11: tracking; parcel SF1 with SF Express", "24s status order 11: T; NEW",
		"25s payment payment of 11 waits: 21.00 is payable", "26s payment_agreed up to 21.00 may be paid; still cheap li", "27s payment payment of 11 paid", "30s dead a late answer names 12",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if l.Latest != "shipped" || l.Parts[0].Status != "waitbuyerreceive" || l.Parts[0].State != StateShipped || len(l.Parts[0].Parcels) != 1 || l.Parts[0].Seller != "hill" || l.Parts[1].Claim != ClaimRefused || l.Parts[1].Reason != "out of stock" ||
		!l.Parts[0].SentAt.Equal(at(1)) || !l.Parts[0].EndedAt.Equal(at(2)) || l.Sequence != 7 || !slices.Equal(l.Offers, []string{"701", "702"}) {
		t.Errorf("%+v", l)
	}
}

// TestALifeWithoutRedis is told from the result: the orders are there, their steps are not.
func TestALifeWithoutRedis(t *testing.T) {
	a := twoSellers().result(Result{Outcome: OutcomePartial, Code: CodePartial, Orders: []ResultOrder{{OrderID: "11", OutOrderID: first, AppKey: "1000001", Products: 1}},
		Failed: []FailedLine{{Line: 1, OfferID: "702", Code: CodeOutOfStock, Reason: "out of stock"}}})
	a.redis = &Trouble{Code: CodeRedisDown}
	l := a.life(t, 0)
	if len(l.Parts) != 2 || l.Parts[0].Claim != ClaimPlaced || l.Parts[0].OrderIDs[0] != "11" || l.Parts[1].Claim != ClaimRefused || len(l.Steps) != 2 || l.WaitingFor != "nobody: it ended" {
		t.Errorf("%+v", l)
	}
}

func TestNobodysLife(t *testing.T) {
	b := &Biographer{Chronicle: &archive{}}
	_, err := b.Life(t.Context(), "acme", "PR-9")
	if denied, ok := errors.AsType[*Denied](err); !ok || denied.Code != DenyUnknownRequest || denied.Field != "request_id" {
		t.Errorf("%v", err)
	}
}
