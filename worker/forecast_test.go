package worker

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// noon is a whole hour.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// boughtAt is a result that counted so many products on a key at a time.
func boughtAt(c *Consumption, at time.Time, appKey string, products int64) {
	r := bought(fmt.Sprint(at.UnixNano(), appKey, products), 0, appKey, products)
	r.DecidedAt = at
	c.Take(r)
}

func TestRates(t *testing.T) {
	var c Consumption
	now := noon.Add(30*time.Minute + 15*time.Second)
	boughtAt(&c, now, "k", 1)
	boughtAt(&c, now.Add(-15*time.Second), "k", 2)
	boughtAt(&c, now.Add(-time.Hour-15*time.Second), "k", 4)                                        // the first moment of the hour's window
	boughtAt(&c, now.Add(-time.Hour-16*time.Second), "k", 8)                                        // before it
	boughtAt(&c, noon.Add(-24*time.Hour), "k", 16)                                                  // the first moment of the day's window
	boughtAt(&c, noon.Add(-24*time.Hour-time.Nanosecond), "k", 32)                                  // before it
	boughtAt(&c, noon.Add(-7*24*time.Hour), "second", 64)                                           // the first moment of the week's window
	boughtAt(&c, noon.Add(-7*24*time.Hour-time.Nanosecond), "second", 1<<20)                        // before it
	boughtAt(&c, now, "of another pool", 1<<21)                                                     // not asked for
	boughtAt(&c, now.Add(time.Second), "k", 128)                                                    // by a clock that is ahead
	c.Take(aside(func() Result { r := bought("x", 0, "k", 1<<22); r.DecidedAt = now; return r }())) // no result of the request
	want := []Rate{
		{Over: OverHour, Products: 135, Seconds: 3615, PerHour: "134.44"},
		{Over: OverDay, Products: 159, Seconds: 86400 + 1815, PerHour: "6.49"},
		{Over: OverWeek, Products: 255, Seconds: 7*86400 + 1815, PerHour: "1.51"},
	}
	if got := c.Rates(now, []string{"k", "second", "never heard of"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := c.Rates(now.Add(8*24*time.Hour), []string{"k", "second"}); got[0].Products != 0 || got[1].Products != 0 || got[2].Products != 0 || got[2].PerHour != "0.00" {
		t.Errorf("long after: %+v", got)
	}
}

// TestConsumptionCountsAnUnknownOnce: what was decided later counts when it was decided, and nothing twice.
func TestConsumptionCountsAnUnknownOnce(t *testing.T) {
	var c Consumption
	first, second := parked(bought("a", 0, "k", 2)), with(bought("a", 0, "k", 2), 2, "k", 5)
	first.DecidedAt, second.DecidedAt = noon.Add(-3*time.Hour), noon
	c.Take(first)
	c.Take(second)
	if got := c.Rates(noon, []string{"k"}); got[0].Products != 5 || got[1].Products != 7 {
		t.Errorf("%+v", got)
	}
}

// TestConsumptionIsBounded: many results take no more than many keys, and keys that rest take nothing.
func TestConsumptionIsBounded(t *testing.T) {
	var c Consumption
	for i := range 3000 {
		boughtAt(&c, noon.Add(time.Duration(i)*time.Hour), fmt.Sprint("k", i/1000), 1)
	}
	if len(c.keys) != 3 || len(c.keys["k0"].hours.counts) != 169 || len(c.keys["k0"].minutes.counts) != 61 {
		t.Errorf("%d keys", len(c.keys))
	}
	c.Forget(noon.Add(3000 * time.Hour))
	if _, rests := c.keys["k1"]; rests || len(c.keys) != 1 {
		t.Errorf("%d keys are kept", len(c.keys))
	}
	if c.Forget(noon.Add((2999 + 168) * time.Hour)); len(c.keys) != 1 {
		t.Error("forgotten a moment too early")
	}
	if c.Forget(noon.Add((2999 + 169) * time.Hour)); len(c.keys) != 0 {
		t.Error("never forgotten")
	}
}

func TestForecast(t *testing.T) {
	var c Consumption
	boughtAt(&c, noon.Add(-6*24*time.Hour), "old", 1680)
	boughtAt(&c, noon.Add(-2*time.Hour), "k1", 480)
	boughtAt(&c, noon.Add(-time.Minute), "k1", 60)
	keys := []KeyStock{
		{AppKey: "old", State: "spent", Limit: 1680}, {AppKey: "k1", State: "active", Limit: 1000, Left: 460},
		{AppKey: "k2", State: "ready", Limit: 500, Left: 500}, {AppKey: "k3", State: "benched", Limit: 500},
	}
	got := c.Forecast("default", noon.Add(500*time.Millisecond), keys, Outlook{Lead: 48 * time.Hour, Cover: 24 * time.Hour})
	want := Forecast{
		Pool: "default", At: noon,
		Rates: []Rate{
			{OverHour, 60, 3600, "60.00"}, {OverDay, 540, 86400, "22.50"}, {OverWeek, 2220, 7 * 86400, "13.21"},
		},
		Basis: OverHour, Left: 960, UsedUp: noon.Add(16 * time.Hour), Ready: 1,
		Active:  []KeyUsedUp{{"k1", 460, noon.Add(7*time.Hour + 40*time.Minute)}},
		Prepare: Preparation{Keys: 2, Limit: 500, Basis: OverDay, ReadyBy: noon.Add(16 * time.Hour), StartBy: noon.Add(-32 * time.Hour), LeadHours: 48, CoverHours: 24},
	}
	if !reflect.DeepEqual(got, want) { // 22.5 an hour for 72 hours are 1620, and 960 are left: 660 are missing
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestForecastOfTwoActiveKeys(t *testing.T) {
	var c Consumption
	boughtAt(&c, noon.Add(-time.Minute), "a", 100)
	got := c.Forecast("default", noon, []KeyStock{{AppKey: "a", State: "active", Limit: 1000, Left: 200}, {AppKey: "b", State: "active", Limit: 1000, Left: 300}}, Outlook{})
	if !got.UsedUp.Equal(noon.Add(5*time.Hour)) || !got.Active[0].UsedUp.Equal(noon.Add(4*time.Hour)) || !got.Active[1].UsedUp.Equal(noon.Add(6*time.Hour)) {
		t.Errorf("%+v", got)
	}
}

func TestForecastOfAPoolThatRests(t *testing.T) {
	var c Consumption
	got := c.Forecast("default", noon, []KeyStock{{AppKey: "a", State: "active", Limit: 1000, Left: 200}}, Outlook{Lead: DefaultLead, Cover: DefaultCover})
	if !got.UsedUp.IsZero() || !got.Active[0].UsedUp.IsZero() || got.Prepare.Keys != 0 || !got.Prepare.ReadyBy.IsZero() || got.Prepare.LeadHours != 72 || got.Prepare.CoverHours != 168 {
		t.Errorf("%+v", got)
	}
	boughtAt(&c, noon.Add(-6*24*time.Hour), "a", 1)
	if got = c.Forecast("default", noon, []KeyStock{{AppKey: "a", State: "active", Limit: 1000, Left: 1000}}, Outlook{}); !got.UsedUp.IsZero() || got.Basis != OverWeek {
		t.Errorf("in nineteen years: %+v", got)
	}
	if got = c.Forecast("empty", noon, nil, Outlook{}); !got.UsedUp.Equal(noon) || got.Left != 0 || got.Prepare.Limit != 1000 {
		t.Errorf("without a key: %+v", got)
	}
}
