package index

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"autopurchase/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit bounds every wait of a test.
const limit = 20 * time.Second

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func opened(t testing.TB, path string) *Index {
	t.Helper()
	x, err := Open(bounded(t), path)
	must(t, err)
	t.Cleanup(func() { _ = x.Close() })
	return x
}

func fresh(t testing.TB) *Index {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "index.db"))
}

// streams makes entries as the streams would have them, each with a sequence and a time of its own.
type streams struct {
	next map[string]uint64
	now  time.Time
}

// begun is when the first message of a test is stored.
var begun = time.Now().UTC().Truncate(time.Minute).Add(-10 * time.Minute)

func newStreams() *streams { return &streams{next: map[string]uint64{}, now: begun} }

func (s *streams) entry(stream, tenant, id string) worker.Entry {
	s.next[stream]++
	s.now = s.now.Add(time.Second)
	return worker.Entry{Stream: stream, Sequence: s.next[stream], At: s.now, Tenant: tenant, RequestID: id}
}

// request asks for one line of each offer at the seller.
func (s *streams) request(tenant, id, seller string, offers ...string) worker.Entry {
	e := s.entry("REQUESTS", tenant, id)
	e.Request = &worker.Request{ID: id, Tenant: tenant, Pool: "default", Note: marker, DeliverTo: worker.Address{Mobile: marker, FullName: marker, Address: marker}}
	for _, offer := range offers {
		e.Request.Lines = append(e.Request.Lines, worker.Line{OfferID: offer, Seller: seller, Quantity: 1})
	}
	return e
}

// marker stands for a buyer's data.
const marker = "13900001688"

func (s *streams) result(tenant, id string, outcome worker.Outcome, code worker.Code, reason string, orders ...string) worker.Entry {
	e := s.entry("RESULTS", tenant, id)
	e.Result = &worker.Result{Tenant: tenant, RequestID: id, Outcome: outcome, Code: code, Reason: reason, Attempt: 1, DecidedAt: e.At}
	for _, order := range orders {
		e.Result.Orders = append(e.Result.Orders, worker.ResultOrder{OrderID: order, AppKey: "k-" + order[:1], Products: 1})
		e.Result.Products++
	}
	return e
}

func (s *streams) status(tenant, id, status string, at time.Time) worker.Entry {
	e := s.entry("STATUS", tenant, id)
	e.Status = &worker.Status{Tenant: tenant, RequestID: id, State: worker.OrderState(status), At: at}
	return e
}

func (s *streams) sent(tenant, id string, at time.Time, parcels ...worker.Parcel) worker.Entry {
	e := s.status(tenant, id, "shipped", at)
	e.Status.Parcels = parcels
	return e
}

func (s *streams) dead(tenant, id, reason string) worker.Entry {
	e := s.entry("DEAD", tenant, id)
	e.Dead = &worker.DeadLetter{Tenant: tenant, RequestID: id, Code: worker.CodeInvalid, Reason: reason}
	return e
}

// ids lists what a filter picks.
func ids(t testing.TB, x *Index, filter worker.Filter) string {
	t.Helper()
	listing, err := x.List(bounded(t), filter, worker.Page{})
	must(t, err)
	if n, err := x.Count(bounded(t), filter); err != nil || n != listing.Total {
		t.Errorf("%+v: %d are counted, and %d listed: %v", filter, n, listing.Total, err)
	}
	return names(listing)
}

func names(listing worker.Listing) string {
	text := ""
	for _, r := range listing.Requests {
		text += fmt.Sprintf(" %s.%s", r.Tenant, r.RequestID)
	}
	return text
}
