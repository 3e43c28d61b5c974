package main

import (
	"fmt"
	"time"

	"autopurchase/worker"
)

// workerSettings are what a worker is told from outside.
type workerSettings struct {
	worker.Config
	channel     channelSettings
	alarms      alarmSettings
	patrol      patrolSettings
	pay         paySettings
	callTimeout time.Duration
	ackWait     time.Duration
	reviveAfter time.Duration
	replicas    int
	lanes       worker.LaneShares
}

func (s *workerSettings) bind(set *settings) {
	s.alarms.bind(set)
	s.patrol.bind(set)
	s.pay.bind(set)
	set.number(&s.Concurrent, "workers", 16, 1, 16384, "requests handled at the same time")
	set.duration(&s.LookFor, "look-for", 2*time.Minute, time.Second, "how long an order without an answer is looked up before it is parked as unknown")
	set.text((*string)(&s.OnAbsent), "on-absent", string(worker.Park), "park | resend: what becomes of an order without an answer that is not found until look-for ends; resend sends it once more, and buys twice if 1688 lists orders later than that", oneOf(string(worker.Park), string(worker.Resend)))
	set.duration(&s.MergeWindow, "merge-window", 0, 0, "how long a request with merge: true waits for others to the same seller that are alike, to be bought as one order; 0 buys each alone; at most 10m")
	set.check(func(terminal) error {
		if s.MergeWindow > worker.MaxMergeWindow {
			return fmt.Errorf("--merge-window %v: must be at most %v", s.MergeWindow, worker.MaxMergeWindow)
		}
		return nil
	})
	set.list(&s.RiskRefusals, "risk-refusals", "texts in 1688's refusals, with commas between them, by which it says that the buyer account is under risk control: all its keys are stopped until a person restores them, and the order goes to another account; which texts these are is not known, so there is no default")
	set.list(&s.BusinessRefusals, "business-refusals", "texts in 1688's refusals, with commas between them, by which a seller turns away accounts that are no business: the order, and the seller's next ones, go to business keys; which texts these are is not known, so there is no default")
	set.duration(&s.Grace, "grace", 20*time.Second, 0, "how long running requests may take to finish on SIGTERM; a second SIGTERM ends the process at once")
	set.duration(&s.callTimeout, "call-timeout", 60*time.Second, time.Second, "how long one order may take at the relay before its outcome counts as unknown")
	set.duration(&s.reviveAfter, "revive-after", time.Minute, 100*time.Millisecond, "how long after a key was benched 1688 is asked whether it takes it again; then after twice as long each time, up to 1h")
	set.lanes(&s.lanes)
	bindQueue(set, &s.replicas, &s.ackWait)
}

// lanes takes how requests of different priority share workers.
func (s *settings) lanes(target *worker.LaneShares) {
	*target = worker.DefaultLaneShares()
	bind(s, &value[worker.LaneShares]{name: "lanes", target: target, parse: worker.ParseLaneShares, show: worker.LaneShares.String, kind: "shares"},
		"how many requests of each priority are taken, in proportion, while all of them wait; what a lane does not need goes to the others")
}
