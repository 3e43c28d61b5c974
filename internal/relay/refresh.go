package relay

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/worker"
)

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

// fetch replaces the stale token, unless this relay did so meanwhile or, where tokens are shared, another one.
func (k *keyholder) fetch(ctx context.Context, stale string) error {
	if k.replaced(stale) {
		return nil
	}
	return k.inTurn(ctx, func() bool { return k.replaced(stale) }, func(ctx context.Context) error { return k.exchange(ctx, stale) })
}

// replaced says whether a better token than the stale one is held.
func (k *keyholder) replaced(stale string) bool {
	token := k.current()
	return token.AccessToken != "" && token.AccessToken != stale && (token.Expires.IsZero() || time.Now().Before(token.Expires))
}

// exchange trades the refresh token for a new access token, and stores it.
func (k *keyholder) exchange(ctx context.Context, stale string) error {
	if k.replaced(stale) {
		return nil
	}
	current := k.current()
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
	k.store(ctx)
	return nil
}

// early is how long before its end a token is refreshed at the latest: a tenth of its life, at most five minutes. Up to twice
// that, by chance, so that many tokens of the same age are not refreshed at the same moment.
func early(life time.Duration) time.Duration { return min(life/10, 5*time.Minute) }

func (k *keyholder) keep(token alibaba.Token) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if token.RefreshEnds.IsZero() && token.RefreshToken == k.token.RefreshToken {
		token.RefreshEnds = k.token.RefreshEnds // an answer without a new refresh token says nothing about the one that stays
	}
	token.Owner = cmp.Or(token.Owner, k.token.Owner)
	k.put(token)
}

// put holds a token. The caller has the lock.
func (k *keyholder) put(token alibaba.Token) {
	k.token, k.renew = token, time.Time{}
	if token.Expires.IsZero() {
		return
	}
	ahead := max(early(time.Until(token.Expires)), time.Millisecond)
	k.renew = token.Expires.Add(-ahead - rand.N(ahead))
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
