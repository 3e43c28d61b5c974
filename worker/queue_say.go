package worker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Say tells in one sentence what is going on, or why the queue stands still, and what a person can do about it; "" if nothing.
func (s QueueStatus) Say() (what, todo string) {
	switch {
	case s.Workers == 0:
		return s.sayDeserted()
	case s.Paused:
		return "paused: " + s.PausedBecause, s.remedies()
	case len(s.Pauses) > 0:
		return s.PausedBecause + "; the others go on", s.remedies()
	case s.unasked(UnaskedNATS):
		return "the queue cannot be asked: the streams of NATS do not answer", remedyNATS
	case s.Depth == 0:
		return s.sayIdle()
	}
	return s.sayBusy()
}

const (
	remedyNATS    = "see to NATS: its log says whether JetStream runs and the streams have a leader; the workers go on by themselves"
	remedyRedis   = "start Redis, or see in its log why it does not answer; the workers go on by themselves"
	remedyRelay   = "start a relay with `autopurchase relay`, or see in the workers' log why they cannot connect; they go on by themselves"
	remedyGateway = "see in the relay's log why it cannot do its work; the workers go on by themselves"
	remedyWorker  = "start one with `autopurchase worker`, or everything with `autopurchase up`"
	remedyParked  = "decide about what is parked: `autopurchase orders parked`"
)

func (s QueueStatus) sayDeserted() (what, todo string) {
	nobody, todo := "no worker is alive", remedyWorker
	if s.unasked(UnaskedOthers) {
		nobody, todo = "no worker answers", "see whether the workers are frozen, or may not answer on NATS; if there is none, "+remedyWorker
	}
	switch {
	case s.unasked(UnaskedNATS):
		return nobody + ", and it cannot be seen what waits", todo
	case s.Depth == 0:
		return "no request waits, and " + nobody, todo
	}
	return s.waiting() + ", and " + nobody, todo
}

// sayIdle tells what would keep the next request from being handled, too: nobody has run into it yet.
func (s QueueStatus) sayIdle() (what, todo string) {
	switch {
	case s.unasked(UnaskedRedis):
		return "nothing to do: no request waits; the next one will, since Redis cannot be reached", remedyRedis
	case s.Workers > 0 && s.Relays == 0:
		return "nothing to do: no request waits; the next one will, since no worker is connected to a relay", remedyRelay
	case s.Keys.usable() == 0 && len(s.Pools) > 0:
		cause, remedy := s.noKey(s.Pools[0])
		return "nothing to do: no request waits; the next one will: " + cause, remedy
	}
	return "nothing to do: no request waits", s.notes()
}

func (s QueueStatus) sayBusy() (what, todo string) {
	const still = 60 // seconds
	switch {
	case len(s.Crowds) > 0:
		var remedies []string
		for _, c := range s.Crowds {
			_, remedy := s.noKey(s.pool(c.Pool))
			remedies = append(remedies, remedy)
		}
		return "working, while " + s.crowded(), strings.Join(remedies, "; ")
	case s.RateOut == 0 && s.OldestSeconds > still:
		return s.waiting() + ", and none was finished within the last minute", "see in the workers' and the relay's logs what holds them up"
	}
	return fmt.Sprintf("working: %s, %d of them in work, %s finished a second", count(s.Depth, "unfinished request"), s.InFlight, rate(s.RateOut)), s.notes()
}

// waiting says how much waits for how long.
func (s QueueStatus) waiting() string {
	verb := " wait"
	if s.Depth == 1 {
		verb = " waits"
	}
	return count(s.Depth, "request") + verb + ", the oldest for " + (time.Duration(s.OldestSeconds) * time.Second).String()
}

// notes is what wants a person's attention although the queue works.
func (s QueueStatus) notes() string {
	const ahead = DefaultLead // it takes so long to prepare a key
	switch {
	case s.Unknown > 0:
		return remedyParked + " (" + count(s.Unknown, "request") + ")"
	case s.PayStopped != nil:
		return s.PayStopped.told() + ": `autopurchase orders pay-start` lets them go on"
	case s.Unpaid > 0:
		return "decide about what is not paid for: `autopurchase orders unpaid` (" + count(s.Unpaid, "payment") + ")"
	case !s.UsedUpAt.IsZero() && s.UsedUpAt.Sub(s.At) < ahead:
		return "prepare keys: `autopurchase keys forecast` says how many"
	}
	return ""
}

// remedies says what to do about everything that keeps workers from fetching.
func (s QueueStatus) remedies() string {
	var all []string
	for _, p := range s.Pauses {
		if _, remedy := s.cause(p); !slices.Contains(all, remedy) {
			all = append(all, remedy)
		}
	}
	return strings.Join(all, "; ")
}

// cause says what a pause comes from and what to do about it.
func (s QueueStatus) cause(p Pause) (what, todo string) {
	switch p.Code {
	case CodeNATSDown:
		return "NATS gives out no requests (" + p.Reason + ")", remedyNATS
	case CodeRedisDown:
		return "Redis cannot be used (" + p.Reason + ")", remedyRedis
	case CodeChannelDown:
		if s.Relays > 0 {
			return "the relay cannot do its work (" + p.Reason + ")", remedyGateway
		}
		return "no relay is in reach (" + p.Reason + ")", remedyRelay
	case CodeNoPool:
		return "pool " + p.Pool + " has no keys", addTo(p.Pool)
	case CodeNoKey:
		return s.noKey(s.pool(p.Pool))
	}
	return string(p.Code) + ": " + p.Reason, "see in the workers' log what happened"
}

// noKey says why no key of a pool takes an order.
func (s QueueStatus) noKey(p PoolStatus) (what, todo string) {
	k, of := p.Keys, option(p.Pool)
	none := "no key of pool " + p.Pool + " can be used: "
	switch {
	case k.usable() == 0 && k.Stopped > 0:
		return none + count(k.Stopped, "is stopped by risk control", "are stopped by risk control"),
			"have 1688 release the account, then put its keys back with `autopurchase keys restore APPKEY" + of + "`; or " + addTo(p.Pool)
	case k.usable() == 0 && k.Benched > 0:
		return none + count(k.Benched, "is benched", "are benched"),
			"see with `autopurchase keys probe APPKEY" + of + "` what 1688 says of a benched key; it goes on by itself once 1688 takes it; or " + addTo(p.Pool)
	case k.usable() == 0 && k.Onboarding > 0:
		return none + count(k.Onboarding, "is being onboarded", "are being onboarded"), "finish that with `autopurchase keys onboard APPKEY" + of + "`"
	case k.usable() == 0 && k.Disabled > 0:
		return none + count(k.Disabled, "is disabled", "are disabled"), "enable one with `autopurchase keys enable APPKEY" + of + "`, or " + addTo(p.Pool)
	case p.Held > 0 && s.Unknown > 0:
		return s.noRoom(p), addTo(p.Pool) + "; or " + remedyParked + ", which holds room"
	}
	return s.noRoom(p), addTo(p.Pool)
}

func (s QueueStatus) noRoom(p PoolStatus) string {
	text := "no key has room in pool " + p.Pool
	if p.ProductsLeft > 0 {
		text += " for what waits (" + count(p.ProductsLeft, "product is left", "products are left") + " on all keys together)"
	}
	return text
}

// crowded says what waits in workers' hands for room.
func (s QueueStatus) crowded() string {
	var texts []string
	for _, c := range s.Crowds {
		texts = append(texts, fmt.Sprintf("%s for a key with room in pool %s, the smallest of %s and %s",
			count(c.Orders, "order waits", "orders wait"), c.Pool, count(c.Least.Lines, "line"), count(c.Least.Units, "piece")))
	}
	return strings.Join(texts, "; ")
}

func addTo(pool string) string {
	return "add a key with `autopurchase keys add APPKEY" + option(pool) + "`"
}

// option names the pool on a command line if it must be named.
func option(pool string) string {
	if pool == "default" {
		return ""
	}
	return " --pool " + pool
}

// count writes a number of things; what more than one are called may be said, else it is with an s.
func count[N int | int64 | uint64](n N, one string, more ...string) string {
	text := strconv.FormatInt(int64(n), 10) + " "
	switch {
	case n == 1:
		return text + one
	case len(more) > 0:
		return text + more[0]
	}
	return text + one + "s"
}

func countOf(n, of int, one string) string { return strconv.Itoa(n) + " of " + count(of, one) }

// rate writes how many a second: slow ones with decimals.
func rate(perSecond float64) string {
	if perSecond >= 10 {
		return strconv.FormatFloat(perSecond, 'f', 0, 64)
	}
	return strconv.FormatFloat(perSecond, 'f', 2, 64)
}
