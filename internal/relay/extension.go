package relay

import (
	"context"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

const day = 24 * time.Hour

// alarms are how many days before the end of a refresh token a person is told; without one the app has to be authorized again.
var alarms = []int{1, 7, 14, 30}

// alarmDays is the alarm that is due: the least of alarms that is not less than what is left; 0 if none is, or the end is not known.
func alarmDays(ends, now time.Time) int {
	if ends.IsZero() {
		return 0
	}
	for _, days := range alarms {
		if ends.Sub(now) <= time.Duration(days)*day {
			return days
		}
	}
	return 0
}

const (
	tendEvery   = time.Minute
	extendEvery = 6 * time.Hour // between two attempts to extend a refresh token
	// extendAhead is when a refresh token is extended: inside the platform's window of 30 days, at a moment of each relay's own.
	extendAhead = 29 * day
)

// upkeep is what a relay remembers of the care for one key's tokens. It belongs to the goroutine that tends.
type upkeep struct {
	ends  time.Time     // of the refresh token that the alarm was about
	alarm int           // that was told last
	next  time.Time     // not before then is it extended
	ahead time.Duration // of its end it is extended
}

// tendAll refreshes tokens before they end, extends refresh tokens inside the platform's window, and tells when one comes near
// its end, until ctx ends.
func (r *Relay) tendAll(ctx context.Context) error {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	cared := map[string]*upkeep{}
	for {
		r.tendOnce(ctx, cared, time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// tendOnce looks after every key, a few at a time.
func (r *Relay) tendOnce(ctx context.Context, cared map[string]*upkeep, now time.Time) {
	var some errgroup.Group
	some.SetLimit(8)
	for _, key := range r.all() {
		care := cared[key.AppKey]
		if care == nil {
			care = &upkeep{ahead: extendAhead - rand.N(day)}
			cared[key.AppKey] = care
		}
		some.Go(func() error {
			key.tend(ctx, care, now, r.config.OnEnding)
			return nil
		})
	}
	_ = some.Wait()
}

func (k *keyholder) tend(ctx context.Context, care *upkeep, now time.Time, onEnding func(context.Context, Ending) error) {
	token := k.current()
	if token.AccessToken == "" || token.RefreshToken == "" {
		return
	}
	_ = k.ready(ctx) // it is logged, and tried again by whoever needs the token
	ends := k.current().RefreshEnds
	if !ends.IsZero() && ends.Sub(now) <= care.ahead && !now.Before(care.next) {
		care.next = now.Add(extendEvery)
		k.extend(ctx)
		ends = k.current().RefreshEnds
	}
	if !ends.Equal(care.ends) {
		care.ends, care.alarm = ends, 0
	}
	if due := alarmDays(ends, now); due != 0 && due != care.alarm {
		if pool, shared := k.where(); shared && onEnding != nil && onEnding(ctx, Ending{pool, k.AppKey, ends, due}) != nil {
			return // it is tried again
		}
		care.alarm = due
		k.log.Warn().Int("days", due).Time("ends", ends).
			Msg("refresh token comes near its end: authorize the app key again (autopurchase keys authorize)")
	}
}

// extend trades the refresh token for a new one, unless another relay did so meanwhile.
func (k *keyholder) extend(ctx context.Context) {
	before := k.current().RefreshToken
	extended := func() bool { return k.current().RefreshToken != before }
	err := k.inTurn(ctx, extended, func(ctx context.Context) error {
		if !extended() {
			k.extendNow(ctx)
		}
		return nil
	})
	if err != nil {
		k.log.Warn().Err(err).Msg("refresh token is not extended now")
	}
}

func (k *keyholder) extendNow(ctx context.Context) {
	old := k.current()
	token, err := k.client.Postpone(ctx, k.credentials(), old.RefreshToken)
	if err != nil {
		k.log.Warn().Err(err).Time("ends", old.RefreshEnds).Msg("refresh token cannot be extended")
		return
	}
	k.keep(token)
	k.store(ctx)
	k.log.Info().Time("ends", token.RefreshEnds).Msg("refresh token extended")
}
