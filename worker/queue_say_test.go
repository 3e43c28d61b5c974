package worker

import (
	"strings"
	"testing"
	"time"
)

// TestSay has a line for everything that a queue may be about: what is said, and what to do.
func TestSay(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	working := Instance{Instance: "w1", Relay: "r1"}
	paused := func(name, relay string, pauses ...Pause) Instance {
		return Instance{Instance: name, Relay: relay, Pauses: pauses}
	}
	noKey := Pause{Code: CodeNoKey, Pool: "default", Reason: "pool default: no key has room for 5 products", Since: now}
	full := PoolStatus{Pool: "default", Keys: KeyCounts{Active: 1}, ProductsLeft: 900}
	with := func(left int64, keys KeyCounts) PoolStatus {
		return PoolStatus{Pool: "default", Keys: keys, ProductsLeft: left}
	}
	for _, c := range []struct {
		name       string
		status     QueueStatus
		pool       PoolStatus
		instances  []Instance
		what, todo string
	}{
		{"nothing to do", QueueStatus{}, full, []Instance{working}, "nothing to do: no request waits", ""},
		{"busy", QueueStatus{Depth: 30, InFlight: 16, RateOut: 12.4}, full, []Instance{working}, "working: 30 unfinished requests, 16 of them in work, 12 finished a second", ""},
		{"slow", QueueStatus{Depth: 1, InFlight: 1, RateOut: 0.25}, full, []Instance{working}, "working: 1 unfinished request, 1 of them in work, 0.25 finished a second", ""},
		{"parked ones", QueueStatus{Unknown: 2}, full, []Instance{working}, "nothing to do: no request waits", "`autopurchase orders parked` (2 requests)"},
		{"payments stopped", QueueStatus{PayStopped: &Switch{Stopped: true, By: "li", Why: "wrong prices"}, Unpaid: 1}, full, []Instance{working}, "nothing to do: no request waits",
			"payments are stopped by li (wrong prices): `autopurchase orders pay-start` lets them go on"},
		{"unpaid ones", QueueStatus{Unpaid: 2}, full, []Instance{working}, "nothing to do: no request waits", "`autopurchase orders unpaid` (2 payments)"},
		{"soon used up", QueueStatus{At: now}, PoolStatus{Pool: "default", Keys: KeyCounts{Active: 1}, UsedUpAt: now.Add(24 * time.Hour)}, []Instance{working}, "nothing to do", "`autopurchase keys forecast`"},
		{"no key left", QueueStatus{Depth: 3}, with(0, KeyCounts{Spent: 2}), []Instance{paused("w1", "r1", noKey)},
			"paused: no key has room in pool default", "add a key with `autopurchase keys add APPKEY`"},
		{"rest too small", QueueStatus{Depth: 3}, with(2, KeyCounts{Active: 1}), []Instance{paused("w1", "r1", noKey)},
			"paused: no key has room in pool default for what waits (2 products are left on all keys together)", "keys add"},
		{"held by parked ones", QueueStatus{Depth: 3, Unknown: 1}, PoolStatus{Pool: "default", Keys: KeyCounts{Active: 1}, Held: 9}, []Instance{paused("w1", "r1", noKey)},
			"no key has room", "`autopurchase orders parked`, which holds room"},
		{"another pool", QueueStatus{Depth: 3}, PoolStatus{Pool: "b2b", Keys: KeyCounts{Spent: 1}}, []Instance{paused("w1", "r1", Pause{Code: CodeNoKey, Pool: "b2b"})},
			"in pool b2b", "`autopurchase keys add APPKEY --pool b2b`"},
		{"benched", QueueStatus{Depth: 3}, with(0, KeyCounts{Benched: 2}), []Instance{paused("w1", "r1", noKey)},
			"paused: no key of pool default can be used: 2 are benched", "`autopurchase keys probe APPKEY`"},
		{"onboarding", QueueStatus{Depth: 3}, with(0, KeyCounts{Onboarding: 1}), []Instance{paused("w1", "r1", noKey)},
			"no key of pool default can be used: 1 is being onboarded", "`autopurchase keys onboard APPKEY`"},
		{"disabled", QueueStatus{Depth: 3}, with(0, KeyCounts{Disabled: 1}), []Instance{paused("w1", "r1", noKey)},
			"no key of pool default can be used: 1 is disabled", "`autopurchase keys enable APPKEY`"},
		{"no pool", QueueStatus{Depth: 3}, full, []Instance{paused("w1", "r1", Pause{Code: CodeNoPool, Pool: "b2b"})}, "paused: pool b2b has no keys", "--pool b2b"},
		{"no relay", QueueStatus{Depth: 3}, full, []Instance{paused("w1", "", Pause{Code: CodeChannelDown, Reason: "refused"})},
			"paused: no relay is in reach (refused)", "`autopurchase relay`"},
		{"no gateway", QueueStatus{Depth: 3}, full, []Instance{paused("w1", "r1", Pause{Code: CodeChannelDown, Reason: "no route"})},
			"paused: the relay cannot do its work (no route)", "relay's log"},
		{"no Redis", QueueStatus{Depth: 3, Unasked: []string{UnaskedRedis}}, PoolStatus{}, []Instance{paused("w1", "r1", Pause{Code: CodeRedisDown, Reason: "refused"})},
			"paused: Redis cannot be used (refused)", "start Redis"},
		{"no NATS", QueueStatus{Unasked: []string{UnaskedNATS}}, full, []Instance{paused("w1", "r1", Pause{Code: CodeNATSDown, Reason: "no leader"})},
			"paused: NATS gives out no requests (no leader)", "see to NATS"},
		{"streams that are silent", QueueStatus{Unasked: []string{UnaskedNATS}}, full, []Instance{working}, "the queue cannot be asked", "see to NATS"},
		{"two causes", QueueStatus{Depth: 3}, with(0, KeyCounts{Spent: 1}), []Instance{paused("w1", "r1", noKey, Pause{Code: CodeRedisDown, Reason: "refused"})},
			"paused: Redis cannot be used (refused); no key has room in pool default", "start Redis, or see in its log why it does not answer; the workers go on by themselves; add a key"},
		{"two of three", QueueStatus{Depth: 3}, full, []Instance{paused("w1", "", Pause{Code: CodeChannelDown, Reason: "refused"}), working, paused("w3", "", Pause{Code: CodeChannelDown, Reason: "reset"})},
			"2 of 3 workers stand still: the relay cannot do its work (refused); the others go on", "relay's log"},
		{"nobody", QueueStatus{Depth: 1, OldestSeconds: 125}, full, nil, "1 request waits, the oldest for 2m5s, and no worker is alive", "`autopurchase worker`"},
		{"nobody and nothing", QueueStatus{}, full, nil, "no request waits, and no worker is alive", "`autopurchase up`"},
		{"silence", QueueStatus{Depth: 2, Unasked: []string{UnaskedOthers}}, full, nil, "2 requests wait, the oldest for 0s, and no worker answers", "frozen"},
		{"nobody, unseen", QueueStatus{Unasked: []string{UnaskedNATS}}, full, nil, "no worker is alive, and it cannot be seen what waits", "worker"},
		{"idle without Redis", QueueStatus{Unasked: []string{UnaskedRedis}}, full, []Instance{working}, "the next one will, since Redis cannot be reached", "start Redis"},
		{"idle without relay", QueueStatus{}, full, []Instance{paused("w1", "")}, "the next one will, since no worker is connected to a relay", "`autopurchase relay`"},
		{"idle without keys", QueueStatus{}, with(0, KeyCounts{Spent: 1}), []Instance{working}, "the next one will: no key has room in pool default", "keys add"},
		{"waiting in hand", QueueStatus{Depth: 9}, full, []Instance{{Relay: "r1", Crowds: []Crowd{{Pool: "default", Orders: 2, Least: Size{5, 7}}}}, {Relay: "r1", Crowds: []Crowd{{Pool: "default", Orders: 1, Least: Size{6, 1}}}}},
			"working, while 3 orders wait for a key with room in pool default, the smallest of 5 lines and 1 piece", "keys add"},
		{"stuck", QueueStatus{Depth: 9, OldestSeconds: 61}, full, []Instance{working}, "9 requests wait, the oldest for 1m1s, and none was finished within the last minute", "logs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.pool.Pool != "" {
				c.status.AddPool(c.pool)
			}
			c.status.Merge(c.instances)
			what, todo := c.status.Say()
			if !strings.Contains(what, c.what) || strings.HasPrefix(c.what, "nothing to do: no") && what != c.what {
				t.Errorf("it says %q, want %q", what, c.what)
			}
			if !strings.Contains(todo, c.todo) || c.todo == "" && todo != "" {
				t.Errorf("to do %q, want %q", todo, c.todo)
			}
		})
	}
}

// TestMerge has three workers with two causes between them.
func TestMerge(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	room := func(since time.Time) Pause { return Pause{Code: CodeNoKey, Pool: "default", Since: since} }
	var s QueueStatus
	s.AddPool(PoolStatus{Pool: "default", Keys: KeyCounts{Active: 1, Spent: 2}, ProductsLeft: 5, UsedUpAt: at.Add(2 * time.Hour)})
	s.AddPool(PoolStatus{Pool: "b2b", Keys: KeyCounts{Active: 1}, ProductsLeft: 7, UsedUpAt: at.Add(time.Hour)})
	s.AddPool(PoolStatus{Pool: "idle", ProductsLeft: 1})
	s.Merge([]Instance{
		{Instance: "c", Relay: "r1", Pauses: []Pause{room(at)}},
		{Instance: "a", Relay: "r2", Pauses: []Pause{room(at.Add(-time.Minute)), {Code: CodeRedisDown, Since: at}}},
		{Instance: "b", Relay: "r1", Pauses: []Pause{{Code: CodeRedisDown, Since: at}}},
	})
	if s.Workers != 3 || s.Relays != 2 || !s.Paused || s.Instances[0].Instance != "a" {
		t.Errorf("%+v", s)
	}
	if len(s.Pauses) != 2 || s.Pauses[0].Code != CodeRedisDown || s.Pauses[1].Workers != 2 || !s.Pauses[1].Since.Equal(at.Add(-time.Minute)) {
		t.Errorf("%+v", s.Pauses)
	}
	if s.ProductsLeft != 13 || s.Keys.Active != 2 || s.Keys.Spent != 2 || !s.UsedUpAt.Equal(at.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
}
