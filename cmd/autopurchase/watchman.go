package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// watchman looks again and again whether there is something that a person must know, and whether it is over. Every worker has
// one; what was told is on record in NATS, so that all of them together tell it once.
type watchman struct {
	*stores
	channel interface{ Ready(context.Context) error }
	set     alarmSettings
	log     zerolog.Logger

	began   time.Time
	listed  uint64       // sequence of the newest entry of the list of parked requests when it was last read
	peers   sync.Map     // of the workers that were heard: when, by instance
	related atomic.Int64 // when some worker was last known to have a relay, in nanoseconds since 1970; 0: never
}

// run looks until ctx ends.
func (w *watchman) run(ctx context.Context) {
	w.began = time.Now()
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() { w.listen(ctx) })
	tick := time.NewTicker(w.set.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := w.look(ctx); err != nil && ctx.Err() == nil {
				w.log.Warn().Err(err).Msg("whether a person must know of something cannot be found out now")
			}
		case <-ctx.Done():
			return
		}
	}
}

// listen hears from other workers that they have a relay.
func (w *watchman) listen(ctx context.Context) {
	for ctx.Err() == nil {
		for said := range w.bus.Beats(ctx, nil) {
			w.peers.Store(said.Instance, time.Now())
			if said.Relay != "" {
				w.related.Store(time.Now().UnixNano())
			}
		}
		select {
		case <-time.After(w.set.every):
		case <-ctx.Done():
		}
	}
}

// first says whether a worker is the first, by name, of those that were heard a moment ago: what is to be done by one of all is its
// turn. Two may think so for a moment.
func (w *watchman) first(name string) bool {
	is := true
	w.peers.Range(func(peer, heard any) bool {
		if time.Since(heard.(time.Time)) > 3*beatEvery { //nolint:forcetypeassert // see listen
			w.peers.Delete(peer)
			return true
		}
		is = is && peer.(string) >= name //nolint:forcetypeassert // see listen
		return is
	})
	return is
}

// look reports how it is. What cannot be found out now is left as it was told.
func (w *watchman) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	findings, err := w.pools(ctx)
	errs := []error{err}
	take := func(finding worker.Finding, err error) {
		if err == nil {
			findings = append(findings, finding)
		}
		errs = append(errs, err)
	}
	take(w.parked(ctx))
	take(w.kept(ctx, worker.AlarmDead, bus.StreamDead))
	take(w.queue(ctx))
	take(w.relay(ctx), nil)
	payments, err := w.payments(ctx)
	findings, errs = append(findings, payments...), append(errs, err)
	return errors.Join(append(errs, w.bus.Report(ctx, findings...))...)
}

// fewParked is how many parked requests are looked at one by one.
const fewParked = 20

// parked is wrong as long as a request is parked. What was decided may be on the list still: see bus.Parked, which leaves it out.
// Where that cannot be found out, what is on the list counts: better once too often than never.
func (w *watchman) parked(ctx context.Context) (worker.Finding, error) {
	finding, err := w.kept(ctx, worker.AlarmUnknown, bus.StreamParked)
	if err != nil || finding.Count == 0 || finding.Count > fewParked || finding.Mark == w.listed {
		return finding, err
	}
	if list, err := w.bus.Parked(ctx); err == nil {
		finding.State, finding.Count = wrongIf(len(list) > 0), int64(len(list))
		w.listed = finding.Mark // until there is a new one, the list is taken at its word
	}
	return finding, nil
}

// payments are wrong as long as some want a person: those whose price changed, and others.
func (w *watchman) payments(ctx context.Context) ([]worker.Finding, error) {
	all, err := w.kept(ctx, worker.AlarmPayment, bus.StreamUnpaid)
	if err != nil {
		return nil, err
	}
	price := all
	price.Kind, price.Count, all.Count = worker.AlarmPrice, 0, 0
	if all.State == worker.AlarmRaised {
		list, err := w.bus.Unpaid(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if p.Code == worker.WaitPrice {
				price.Count++
			} else {
				all.Count++
			}
		}
	}
	price.State, all.State = wrongIf(price.Count > 0), wrongIf(all.Count > 0)
	return []worker.Finding{price, all}, nil
}

// kept is wrong as long as a stream holds something.
func (w *watchman) kept(ctx context.Context, kind worker.AlarmKind, stream string) (worker.Finding, error) {
	count, newest, err := w.bus.Kept(ctx, stream)
	return worker.Finding{Kind: kind, What: worker.Everything, State: wrongIf(count > 0), Count: int64(count), Mark: newest}, err
}

// queue is wrong while the oldest request waits for too long.
func (w *watchman) queue(ctx context.Context) (worker.Finding, error) {
	depth, err := w.bus.Depth(ctx)
	finding := worker.Finding{Kind: worker.AlarmQueue, What: worker.Everything, Count: int64(depth.Waiting) + int64(depth.InFlight)}
	if !depth.Oldest.IsZero() {
		finding.Waiting = time.Since(depth.Oldest)
	}
	finding.State = wrongIf(finding.Waiting > w.set.queueAfter)
	return finding, err
}

// relay is wrong while no worker has had one for too long, and right again once one is known to have one.
func (w *watchman) relay(ctx context.Context) worker.Finding {
	if w.channel.Ready(ctx) == nil {
		w.related.Store(time.Now().UnixNano())
	}
	finding := worker.Finding{Kind: worker.AlarmRelay, What: worker.Everything, Waiting: time.Since(w.began)}
	if last := w.related.Load(); last > 0 {
		finding.Waiting = time.Since(time.Unix(0, last))
		if finding.Waiting < 2*beatEvery {
			finding.State = worker.AlarmOver
		}
	}
	if finding.Waiting > w.set.relayAfter {
		finding.State = worker.AlarmRaised
	}
	return finding
}

// pools are wrong while they have nothing left.
func (w *watchman) pools(ctx context.Context) (findings []worker.Finding, err error) {
	names, err := w.pool.Pools(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		left, err := w.pool.Left(ctx, name)
		if err != nil {
			return findings, err
		}
		findings = append(findings, worker.Finding{Kind: worker.AlarmPool, What: name, State: wrongIf(left <= 0)})
	}
	return findings, nil
}

func wrongIf(is bool) worker.AlarmState {
	if is {
		return worker.AlarmRaised
	}
	return worker.AlarmOver
}
