package bus

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"autopurchase/worker"
)

// rateWindow is over what rates are measured.
const rateWindow = time.Minute

// Measure puts what the broker alone knows into the status: how much waits, how fast it comes and goes, what is parked and dead.
// The rates are counted in the streams, so that everybody who measures finds the same and nobody has to have watched. What it
// cannot find out before ctx ends, or this user may not ask, is left out; the error says what and why. A monitor's user may ask
// for all but the depth: consumers are out of the reach of its account. ErrNoQueue, wrapped, says that there are no streams.
func (b *Bus) Measure(ctx context.Context, s *worker.QueueStatus) error {
	var errs [9]error
	now := time.Now()
	depth, err := b.depthSoon(ctx)
	if errs[5] = err; !depth.at.IsZero() {
		now = depth.at
		s.Depth, s.InFlight = depth.Waiting+uint64(depth.InFlight), depth.InFlight
		for _, l := range depth.lanes {
			s.Lanes = append(s.Lanes, worker.LaneStatus{Lane: l.lane, Waiting: l.waiting})
		}
	}
	if !depth.Oldest.IsZero() {
		s.OldestSeconds = max(0, int64(now.Sub(depth.Oldest).Seconds()))
	}
	var asking sync.WaitGroup
	asking.Go(func() { s.RateIn, errs[0] = b.rate(ctx, StreamRequests, now) })
	asking.Go(func() { s.RateOut, errs[1] = b.rate(ctx, StreamResults, now) })
	asking.Go(func() { errs[2] = b.counted(ctx, StreamParked, &s.Unknown) })
	asking.Go(func() { errs[3] = b.counted(ctx, StreamDead, &s.Dead) })
	asking.Go(func() { errs[6] = b.counted(ctx, StreamUnpaid, &s.Unpaid) })
	asking.Go(func() { s.PayStopped, errs[7] = b.payStopped(ctx) })
	asking.Go(func() { s.Held, s.HeldUntil, errs[8] = b.Held(ctx) })
	asking.Go(func() { s.Tenants, errs[4] = b.tenants.waiting(ctx, b, depth) })
	asking.Wait()
	return errors.Join(errs[:]...)
}

// depthSoon leaves half of the time for what else is asked: one stream may be without a leader while others answer.
func (b *Bus) depthSoon(ctx context.Context) (Depth, error) {
	end, bounded := ctx.Deadline()
	if !bounded {
		return b.Depth(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Until(end)/2)
	defer cancel()
	return b.Depth(ctx)
}

// rate is how many messages a second were stored in a stream within the window before a time.
func (b *Bus) rate(ctx context.Context, stream string, at time.Time) (float64, error) {
	since := at.Add(-rateWindow).UTC()
	first, err := b.first(ctx, stream, directGet{Since: &since})
	if first == nil || err != nil {
		return 0, err
	}
	return float64(first.more()+1) / rateWindow.Seconds(), nil
}

// Stored is how many messages a stream holds. It returns an error when the stream is missing or the broker out of reach.
func (b *Bus) Stored(ctx context.Context, stream string) (uint64, error) {
	first, err := b.first(ctx, stream, directGet{Sequence: 1})
	if first == nil || err != nil {
		return 0, err
	}
	return first.more() + 1, nil
}

func (b *Bus) counted(ctx context.Context, stream string, into *int64) error {
	n, err := b.Stored(ctx, stream)
	*into = int64(n)
	return err
}

// payStopped says by whom payments are stopped; nil if they are not.
func (b *Bus) payStopped(ctx context.Context) (*worker.Switch, error) {
	now, err := b.turned(ctx)
	if err != nil || !now.Stopped {
		return nil, err
	}
	return &now, nil
}

// more is how many of the messages that were asked for are behind this one.
func (m *Message) more() uint64 {
	n, _ := strconv.ParseUint(appended(&nats.Msg{Header: m.Header}, "Nats-Num-Pending"), 10, 64)
	return n
}
