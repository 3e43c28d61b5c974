package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// patrolSettings say how it is gone round the orders that are open.
type patrolSettings struct {
	every, silent, window time.Duration
	looks                 int
	rules                 worker.WatchRules
}

func (p *patrolSettings) bind(s *settings) {
	s.duration(&p.every, "orders-every", time.Minute, 10*time.Millisecond, "how often one of the workers goes round the orders that have not come to their end")
	s.duration(&p.silent, "orders-silent", 6*time.Hour, 0, "how long nothing may be heard of such an order before 1688 is asked for it, in case a push was missed; 0 for never")
	s.number(&p.looks, "orders-looks", 30, 1, 10_000, "orders that 1688 is asked for in one round at most")
	s.duration(&p.window, "orders-window", 30*24*time.Hour, time.Minute, "how long ago an order may have been placed to be looked after")
	s.duration(&p.rules.Unshipped, "alarm-unshipped-after", 72*time.Hour, 0, "how long an order may be paid and not shipped before it is an alarm; 0 for never")
	s.duration(&p.rules.Untraced, "alarm-untraced-after", 48*time.Hour, 0, "how long an order may be shipped and no parcel seen before it is an alarm; 0 for never")
	s.duration(&p.rules.Unmoved, "alarm-unmoved-after", 240*time.Hour, 0, "how long nothing may happen to an order that is neither received nor ended before it is an alarm; 0 for never")
}

// idle says that there is nothing to go round for.
func (p *patrolSettings) idle() bool { return p.silent == 0 && p.rules == worker.WatchRules{} }

// patrol goes round the orders that are open: of all workers one, so that 1688 is asked once.
type patrol struct {
	rounds *worker.Rounds
	bus    *bus.Bus
	set    patrolSettings
	leads  func() bool // whether it is this worker's turn
	log    zerolog.Logger
}

func newPatrol(set patrolSettings, b *bus.Bus, tracker *worker.Tracker, guard *watchman, name string, log zerolog.Logger) *patrol {
	return &patrol{bus: b, set: set, log: log, leads: func() bool { return guard.first(name) }, rounds: &worker.Rounds{
		Results: b, Record: tracker.Record, Tracker: tracker, Rules: set.rules, Silent: set.silent, Window: set.window, Looks: set.looks,
	}}
}

// run goes round until ctx ends.
func (p *patrol) run(ctx context.Context) {
	if p.set.idle() {
		return
	}
	tick := time.NewTicker(p.set.every)
	defer tick.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !p.leads() {
			continue
		}
		err := p.round(ctx)
		if was := failing; err != nil && !was && ctx.Err() == nil {
			p.log.Warn().Err(err).Msg("not every open order can be looked after now")
		}
		failing = err != nil
	}
}

func (p *patrol) round(ctx context.Context) error {
	findings, err := p.rounds.Go(ctx, time.Now())
	if len(findings) > 0 {
		if failed := p.bus.Report(ctx, findings...); err == nil {
			err = failed
		}
	}
	return err
}
