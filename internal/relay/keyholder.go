package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

// keyholder holds one key with its current token, and paces what is called with it.
type keyholder struct {
	Key
	client *alibaba.Client
	pacer  *rate.Limiter
	log    zerolog.Logger
	flight singleflight.Group
	heard  heard

	mu    sync.Mutex
	token alibaba.Token
	renew time.Time // when the token is to be refreshed ahead of its end; zero when its end is not known
}

func newKeyholder(key Key, client *alibaba.Client, config Config) *keyholder {
	pace, burst := rate.Inf, 0
	if config.PerKey > 0 {
		pace, burst = rate.Limit(config.PerKey), max(2, int(math.Ceil(config.PerKey)))
	}
	return &keyholder{
		Key:    key,
		client: client,
		pacer:  rate.NewLimiter(pace, burst),
		log:    config.Log.With().Str("app_key", key.AppKey).Logger(),
		token:  alibaba.Token{AccessToken: key.AccessToken, RefreshToken: key.RefreshToken},
	}
}

// do makes a call with a good token, in its turn. If the gateway turns the token down, which it does before it executes
// anything, the call is made once more with a new one. The error, a *worker.Trouble, says why no call was executed.
func (k *keyholder) do(ctx context.Context, cost int, call func(alibaba.Credentials) (rejected bool)) error {
	if err := k.ready(ctx); err != nil {
		return err
	}
	if err := k.pace(ctx, cost); err != nil {
		return err
	}
	cred := k.credentials()
	if !call(cred) {
		return nil
	}
	if err := k.refresh(ctx, cred.AccessToken); err != nil {
		return err
	}
	if err := k.pace(ctx, cost); err != nil {
		return err
	}
	call(k.credentials())
	return nil
}

func (k *keyholder) credentials() alibaba.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	return alibaba.Credentials{AppKey: k.AppKey, Secret: k.Secret, AccessToken: k.token.AccessToken, API: k.API}
}

// ready sees to it that there is a token. One that is only near its end will do if it cannot be refreshed now.
func (k *keyholder) ready(ctx context.Context) error {
	k.mu.Lock()
	token, due := k.token, !k.renew.IsZero() && time.Now().After(k.renew)
	k.mu.Unlock()
	if token.AccessToken != "" && !due {
		return nil
	}
	err := k.refresh(ctx, token.AccessToken)
	if err != nil && token.AccessToken != "" && time.Now().Before(token.Expires) {
		return nil
	}
	return err
}

// refresh fetches a token in place of the stale one, once for all who ask at the same time; whoever asks about a token that
// was replaced meanwhile is served already. The fetch goes on when its first caller gives up: others wait for it too.
func (k *keyholder) refresh(ctx context.Context, stale string) error {
	done := k.flight.DoChan("refresh", func() (any, error) {
		return nil, k.fetch(context.WithoutCancel(ctx), stale)
	})
	select {
	case result := <-done:
		return result.Err
	case <-ctx.Done():
		return &worker.Trouble{Code: worker.CodeChannelDown, Reason: "the deadline passed while the token was being refreshed"}
	}
}

func (k *keyholder) fetch(ctx context.Context, stale string) error {
	k.mu.Lock()
	current := k.token
	k.mu.Unlock()
	if current.AccessToken != stale {
		return nil
	}
	if current.RefreshToken == "" {
		return &worker.Trouble{Code: worker.CodeUnauthorized, Reason: "the access token is missing or at its end, and there is no refresh token"}
	}
	token, err := k.client.Refresh(ctx, k.credentials(), current.RefreshToken)
	if err != nil {
		k.postpone()
		k.log.Warn().Err(err).Msg("access token cannot be refreshed")
		return k.trouble(err)
	}
	k.keep(token)
	k.log.Debug().Time("expires", token.Expires).Bool("new_refresh_token", token.RefreshToken != current.RefreshToken).Msg("access token refreshed")
	return nil
}

// early is how long before its end a token is refreshed: a tenth of its life, at most five minutes.
func early(life time.Duration) time.Duration { return min(life/10, 5*time.Minute) }

func (k *keyholder) keep(token alibaba.Token) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.token.RefreshToken == token.RefreshToken && token.RefreshEnds.IsZero() {
		token.RefreshEnds = k.token.RefreshEnds // a refresh that brings no refresh token does not say
	}
	token.Owner = cmp.Or(token.Owner, k.token.Owner)
	k.token, k.renew = token, time.Time{}
	if !token.Expires.IsZero() {
		ahead := max(0, early(time.Until(token.Expires)))
		k.renew = token.Expires.Add(-ahead - rand.N(ahead/2+1)) // relays that share a key do not all come at once
	}
}

const refreshPause = 10 * time.Second // between two attempts to refresh a token that is still good

// postpone keeps every call from trying again, while the token is still good, what just failed.
func (k *keyholder) postpone() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if next := time.Now().Add(refreshPause); !k.renew.IsZero() && next.Before(k.token.Expires) {
		k.renew = next
	}
}

// pace waits for the key's turn. If that comes after ctx's deadline, it returns at once and says how long to wait.
func (k *keyholder) pace(ctx context.Context, cost int) error {
	turn := k.pacer.ReserveN(time.Now(), cost)
	delay := turn.Delay()
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
		turn.Cancel()
		return throttled(delay)
	}
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return throttled(delay)
	}
}

func throttled(delay time.Duration) error {
	return &worker.Trouble{Code: worker.CodeThrottled, Reason: "the key's pace leaves no turn before the deadline", After: delay}
}

// trouble puts an error of the platform into the vocabulary. It is for calls that change nothing in the order book, so that
// none of them leaves anything unknown.
func (k *keyholder) trouble(err error) error {
	code := worker.CodeChannelDown
	if gateway, ok := errors.AsType[*alibaba.GatewayError](err); ok {
		code = gateway.Cause()
	}
	return &worker.Trouble{Code: code, Reason: fmt.Sprint(err)}
}
