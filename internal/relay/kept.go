package relay

import (
	"context"
	"errors"
	"time"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// take takes over what the vault keeps of the key, as far as it is newer than what is held.
func (k *keyholder) take(now Kept) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.takeSecret(now)
	have := k.kept.Tokens.Number
	k.takeTokens(now.Tokens, have)
	now.Tokens.Number = max(now.Tokens.Number, have)
	k.kept, k.shared = now, true
}

// takeSecret: the secret of a managed key is in the keys file, and so is one that nobody has sealed yet.
func (k *keyholder) takeSecret(now Kept) {
	if now.Managed || now.Secret.Text == "" {
		k.secret, k.opened, k.sealedOff = k.Secret, 0, nil
		return
	}
	if now.Secret.Number == k.opened {
		return
	}
	value, err := k.ring.Open(now.Secret.Text)
	if err == nil {
		value, err = seal.Clean(value)
	}
	if k.secret, k.opened, k.sealedOff = value, now.Secret.Number, err; err != nil {
		k.log.Error().Err(err).Msg("the secret of the app key cannot be used")
	}
}

func (k *keyholder) takeTokens(now Sealed, have int64) {
	k.forgotten = now.Number < have
	if now.Number <= have {
		return
	}
	text, err := k.ring.Open(now.Text)
	tokens, ok := readTokens(text)
	if err == nil && !ok {
		err = errors.New("they are not written as tokens are")
	}
	if err != nil {
		k.log.Error().Err(err).Msg("the tokens of the app key cannot be used")
		return
	}
	k.unstored = false
	if tokens.Origin != "" && k.RefreshToken != "" && tokens.Origin != k.RefreshToken {
		return // the keys file has a newer one
	}
	k.origin = tokens.Origin
	k.put(alibaba.Token{
		AccessToken: tokens.AccessToken, RefreshToken: tokens.RefreshToken, Expires: tokens.Expires, RefreshEnds: tokens.RefreshEnds, Owner: tokens.Owner,
	})
}

// leaseMargin is what a turn lasts longer than the call of the gateway in it.
const leaseMargin = 15 * time.Second

// inTurn does something with the key's tokens when no other relay does, after taking over what others have stored. It is
// done at once where there is no vault, or none that knows the key. done ends the wait: another relay has done it.
func (k *keyholder) inTurn(ctx context.Context, done func() bool, do func(context.Context) error) error {
	pool, shared := k.where()
	if !shared {
		return do(ctx)
	}
	const shortest, longest = 20 * time.Millisecond, 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, 2*(k.timeout+leaseMargin))
	defer cancel()
	for pause := shortest; ; pause = min(2*pause, longest) {
		now, release, err := k.vault.Lease(ctx, pool, k.AppKey, k.timeout+leaseMargin)
		if err != nil {
			return &worker.Trouble{Code: worker.CodeChannelDown, Reason: "the relay's store of tokens cannot be reached", Err: err}
		}
		k.take(now)
		switch {
		case release != nil:
			defer k.leave(release)
			return do(ctx)
		case done():
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return &worker.Trouble{Code: worker.CodeChannelDown, Reason: "another relay has been changing the key's tokens for too long"}
		}
	}
}

// leave ends a turn. One whose tokens are not stored runs out by itself, so that others do not refresh with older ones while
// there is hope.
func (k *keyholder) leave(release func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.unstored {
		release()
	}
}

// where is the key's pool, and whether the vault knows the key.
func (k *keyholder) where() (pool string, shared bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept.Pool, k.shared
}

// store brings the held tokens into the vault. What cannot be stored now is good all the same, and is tried again.
func (k *keyholder) store(ctx context.Context) {
	k.mu.Lock()
	token, kept, origin := k.token, k.kept, k.origin
	missing := k.shared
	k.unstored = missing
	k.mu.Unlock()
	if !missing {
		return
	}
	to := kept.Recipients
	if len(to) == 0 {
		to = k.ring.Recipients()
	}
	tokens := Tokens{
		AccessToken: token.AccessToken, RefreshToken: token.RefreshToken, Expires: token.Expires, RefreshEnds: token.RefreshEnds, Owner: token.Owner, Origin: origin,
	}
	var number int64
	text, err := seal.Seal(tokens.Text(), to)
	if err == nil {
		number, err = k.vault.Store(ctx, kept.Pool, k.AppKey, Sealed{Text: text, Fingerprint: seal.Fingerprint(token.RefreshToken), Ends: token.RefreshEnds})
	}
	if err != nil {
		k.log.Warn().Err(err).Msg("new tokens are not stored yet: only this relay has them")
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept.Tokens.Number, k.unstored, k.forgotten = number, false, false
}

// restore stores the held tokens again if the vault does not have them, nor newer ones.
func (k *keyholder) restore(ctx context.Context) {
	if !k.missing() {
		return
	}
	_ = k.inTurn(ctx, func() bool { return !k.missing() }, func(ctx context.Context) error { // it is tried again
		if k.missing() {
			k.store(ctx)
		}
		return nil
	})
}

func (k *keyholder) missing() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shared && (k.unstored || k.forgotten)
}

// adopt takes over tokens that were not refreshed but granted, as after an authorization, and stores them.
func (k *keyholder) adopt(ctx context.Context, token alibaba.Token) error {
	return k.inTurn(ctx, func() bool { return false }, func(ctx context.Context) error {
		k.keep(token)
		k.mu.Lock()
		k.origin = ""
		k.mu.Unlock()
		k.store(ctx)
		return nil
	})
}
