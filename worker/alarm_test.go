package worker

import (
	"testing"
	"time"
)

// TestAfter walks what was told and how it is now.
func TestAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	raised := Alarm{Kind: AlarmUnknown, What: Everything, State: AlarmRaised, Count: 2, Mark: 7, Since: now.Add(-4 * time.Minute), At: now.Add(-4 * time.Minute)}
	old := raised
	old.At = now.Add(-time.Hour)
	for name, c := range map[string]struct {
		last    Alarm
		finding Finding
		tell    bool
		text    string
	}{
		"nothing was and is wrong":   {Alarm{}, Finding{State: AlarmOver}, false, ""},
		"it begins":                  {Alarm{}, Finding{State: AlarmRaised, Count: 1, Mark: 3}, true, "1 requests are parked as unknown: look at 1688 and say what became of their orders, autopurchase orders parked"},
		"it was over":                {Alarm{State: AlarmOver, Count: 9, Mark: 9}, Finding{State: AlarmRaised, Count: 1, Mark: 10}, true, "1 requests are parked as unknown: look at 1688 and say what became of their orders, autopurchase orders parked"},
		"it is known":                {raised, Finding{State: AlarmRaised, Count: 2, Mark: 7}, false, ""},
		"a few more":                 {raised, Finding{State: AlarmRaised, Count: 19, Mark: 24}, false, ""},
		"ten times as many":          {raised, Finding{State: AlarmRaised, Count: 20, Mark: 25}, true, "20 requests are parked as unknown: look at 1688 and say what became of their orders, autopurchase orders parked"},
		"one more, an hour later":    {old, Finding{State: AlarmRaised, Count: 3, Mark: 8}, true, "3 requests are parked as unknown: look at 1688 and say what became of their orders, autopurchase orders parked"},
		"one fewer, an hour later":   {old, Finding{State: AlarmRaised, Count: 1, Mark: 7}, false, ""},
		"it is over":                 {raised, Finding{State: AlarmOver}, true, "no unknown order is left after 4 min"},
		"it has been over for a day": {Alarm{State: AlarmOver}, Finding{State: AlarmOver}, false, ""},
	} {
		c.finding.Kind, c.finding.What = AlarmUnknown, Everything
		next, tell := c.finding.After(c.last, now)
		if tell != c.tell || tell && next.Text != c.text {
			t.Errorf("%s: %v, %+v", name, tell, next)
		}
		if tell && (next.State != c.finding.State || next.At != now || c.last.State == AlarmRaised && next.Since != c.last.Since) {
			t.Errorf("%s: %+v", name, next)
		}
	}
}

func TestWhatAlarmsSay(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for kind, want := range map[AlarmKind][2]string{
		AlarmDead:      {"3 dead letters: requests that could not be read or were given up are on purchase.dead.>", "no dead letter is left after 4 h"},
		AlarmRelay:     {"no worker has had a relay for 4 h: nothing is bought", "relay is back after 4 h"},
		AlarmQueue:     {"3 requests wait, the oldest for 4 h", "the queue is on time again after 4 h"},
		AlarmPrice:     {"price change waits for a person: 3 orders are not paid for, autopurchase orders unpaid", "no price change waits for a person after 4 h"},
		AlarmPayment:   {"3 payments want a person: autopurchase orders unpaid", "no payment wants a person after 4 h"},
		AlarmPool:      {"app key pool p: no key has room: add a key", "app key pool p has room again after 4 h"},
		AlarmUnshipped: {"3 orders were paid for more than 4 h ago and are not shipped: a.1-1, a.2-1 and 1 more: autopurchase orders show", "no order waits to be shipped for too long any more after 4 h"},
		AlarmUntraced:  {"3 orders were shipped more than 4 h ago and no parcel was seen: a.1-1, a.2-1 and 1 more: autopurchase orders show", "no shipped order lacks a trace for too long any more after 4 h"},
		AlarmUnmoved:   {"nothing has happened to 3 orders for more than 4 h: a.1-1, a.2-1 and 1 more: autopurchase orders show", "no order stands still for too long any more after 4 h"},
	} {
		finding := Finding{Kind: kind, What: "p", State: AlarmRaised, Count: 3, Waiting: 4 * time.Hour, Named: []string{"a.1-1", "a.2-1"}}
		raised, tell := finding.After(Alarm{}, now)
		finding.State = AlarmOver
		raised.Since = now.Add(-4 * time.Hour)
		over, tellOver := finding.After(raised, now)
		if !tell || !tellOver || raised.Text != want[0] || over.Text != want[1] {
			t.Errorf("%s: %q, %q", kind, raised.Text, over.Text)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 s", 59 * time.Second: "59 s", 90 * time.Minute: "1 h", 49 * time.Hour: "2 days"} {
		if got := about(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}
