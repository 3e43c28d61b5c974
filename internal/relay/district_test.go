package relay

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"autopurchase/internal/sim1688"
	"autopurchase/worker"
)

// locating is a relay that orders with districts' codes, and counts what it asks for them.
func locating(t *testing.T, sim *sim1688.Sim, on bool) (*Relay, *atomic.Int64) {
	t.Helper()
	asked := &atomic.Int64{}
	return relayTo(t, sim.GatewayURL(), func(c *Config) {
		c.DistrictCodes = on
		c.Calls = func(ctx context.Context, api string) (context.Context, func(string)) {
			if strings.Contains(api, "addresscode") {
				asked.Add(1)
			}
			return ctx, func(string) {}
		}
	}), asked
}

// to is an order that goes to a district.
func to(reference, city, area string) worker.Order {
	o := order(reference)
	o.DeliverTo.Province, o.DeliverTo.City, o.DeliverTo.Area = "", city, area
	return o
}

// goesTo places an order and gives the code of the district that 1688 has for it.
func goesTo(t *testing.T, r *Relay, sim *sim1688.Sim, o worker.Order) string {
	t.Helper()
	if got := r.Place(t.Context(), o); got.Verdict != worker.Placed {
		t.Fatalf("%s: %+v", o.Reference, got)
	}
	orders := sim.Orders(sim1688.OrderFilter{OutOrderID: o.Reference})
	if len(orders) != 1 {
		t.Fatalf("%s: %d orders", o.Reference, len(orders))
	}
	return orders[0].District
}

// TestOrdersGoWithTheCodesOfTheirDistricts, if that is wanted: preview and order ask once for an address, and so does any other order
// that goes there. An address that has a code, or is one of the account's, is not asked about, and what 1688 does not know goes without.
func TestOrdersGoWithTheCodesOfTheirDistricts(t *testing.T) {
	sim := simulator(t)
	r, asked := locating(t, sim, true)
	first := to("acme.1-1", "上海市", "黄浦区")
	if got := r.Preview(t.Context(), first); got.Verdict != worker.Placed {
		t.Errorf("%+v", got)
	}
	for n, want := range []string{"310101", "310101"} {
		first.Reference = fmt.Sprintf("acme.%d-1", n)
		if got := goesTo(t, r, sim, first); got != want || asked.Load() != 1 {
			t.Errorf("it goes to %q after %d questions", got, asked.Load())
		}
	}
	for n := range 2 {
		if got := goesTo(t, r, sim, to(fmt.Sprintf("acme.unknown%d-1", n), "某市", "")); got != "" || asked.Load() != 2 {
			t.Errorf("it goes to %q after %d questions", got, asked.Load())
		}
	}
	own := to("acme.own-1", "东莞市", "")
	own.DeliverTo.DistrictCode = "330108"
	if got := goesTo(t, r, sim, own); got != "330108" || asked.Load() != 2 {
		t.Errorf("it goes to %q after %d questions", got, asked.Load())
	}
	own = order("acme.by-id-1")
	own.DeliverTo = worker.Address{AddressID: "7"}
	if got := goesTo(t, r, sim, own); got != "" || asked.Load() != 2 {
		t.Errorf("it goes to %q after %d questions", got, asked.Load())
	}
	r, asked = locating(t, sim, false)
	if got := goesTo(t, r, sim, to("acme.off-1", "上海市", "黄浦区")); got != "" || asked.Load() != 0 {
		t.Errorf("it goes to %q after %d questions, though nobody wants that", got, asked.Load())
	}
}

// TestAQuestionForADistrictHoldsUpNoOrder: whatever comes of it, the order goes as it was given, once; and the next ones do not ask.
func TestAQuestionForADistrictHoldsUpNoOrder(t *testing.T) {
	for _, kind := range []string{"cut_before", "cut_after", "http_502_html", "throttled", "latency"} {
		sim := simulator(t)
		r, asked := locating(t, sim, true)
		fault := sim1688.Fault{Operation: "alibaba.trade.addresscode.parse", Kind: kind, Count: 1}
		if kind == "latency" {
			fault.DelayMS = 60_000
		}
		if err := sim.Inject(fault); err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			began := time.Now()
			if got := goesTo(t, r, sim, to(fmt.Sprintf("acme.%d-1", n), "上海市", "黄浦区")); got != "" || asked.Load() != 1 {
				t.Errorf("%s: it goes to %q after %d questions", kind, got, asked.Load())
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("%s: it took %v", kind, took)
			}
		}
	}
}

func TestDistrictsAreForgotten(t *testing.T) {
	var d districts
	now := time.Now()
	d.keep("a", "310101", now)
	if code, ask := d.find("a", "1", now.Add(districtsFor-1)); code != "310101" || ask {
		t.Errorf("%q %t", code, ask)
	}
	if code, ask := d.find("a", "1", now.Add(districtsFor)); code != "" || !ask {
		t.Errorf("%q %t", code, ask)
	}
	d.rest("1", now)
	if _, ask := d.find("b", "1", now.Add(districtRest-1)); ask {
		t.Error("it asks though it is to rest")
	}
	if _, ask := d.find("b", "2", now); !ask {
		t.Error("another key rests")
	}
	if _, ask := d.find("b", "1", now.Add(districtRest)); !ask {
		t.Error("it rests for ever")
	}
	for n := range maxDistricts + 10 {
		d.keep(fmt.Sprint(n), "310101", now.Add(time.Second))
	}
	if len(d.known) != maxDistricts {
		t.Errorf("%d are remembered", len(d.known))
	}
	d.keep("later", "1", now.Add(2*districtsFor))
	if len(d.known) != 1 {
		t.Errorf("%d are remembered, though all are out of date", len(d.known))
	}
}
