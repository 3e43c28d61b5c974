package relay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"autopurchase/internal/alibaba"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// keyholder holds one key with its current secret and token, and paces what is called with it.
type keyholder struct {
	Key     // as the keys file has it; of one that it does not have, the app key alone
	client  *alibaba.Client
	vault   Vault
	ring    seal.Keyring
	timeout time.Duration // of one call of the gateway
	pacer   *rate.Limiter
	log     zerolog.Logger
	flight  singleflight.Group
	heard   heard

	mu        sync.Mutex
	secret    string
	opened    int64 // number of the sealed secret that it is, 0 for that of the keys file
	sealedOff error // why the sealed secret cannot be used
	token     alibaba.Token
	origin    string    // see Tokens
	renew     time.Time // when the token is to be refreshed ahead of its end; zero when its end is not known

	kept      Kept // as the vault said last; with the number of the token that is held
	shared    bool // the vault knows the key
	unstored  bool // the vault was not told of the token
	forgotten bool // the vault does not seem to have it any more
}

func newKeyholder(key Key, client *alibaba.Client, config Config) *keyholder {
	pace, burst := rate.Inf, 0
	if config.PerKey > 0 {
		pace, burst = rate.Limit(config.PerKey), max(2, int(math.Ceil(config.PerKey)))
	}
	return &keyholder{
		Key:     key,
		client:  client,
		vault:   config.Vault,
		ring:    config.Identities,
		timeout: config.Timeout,
		pacer:   rate.NewLimiter(pace, burst),
		log:     config.Log.With().Str("app_key", key.AppKey).Logger(),
		secret:  key.Secret,
		token:   alibaba.Token{AccessToken: key.AccessToken, RefreshToken: key.RefreshToken},
		origin:  key.RefreshToken,
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

// usable returns nil if there is a secret to sign with.
func (k *keyholder) usable() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.secret != "":
		return nil
	case k.sealedOff != nil:
		return &worker.Trouble{Code: worker.CodeKeyUnknown, Reason: "the relay cannot use the secret of the app key: it " + k.sealedOff.Error()}
	}
	return &worker.Trouble{Code: worker.CodeKeyUnknown, Reason: "the relay has no secret for the app key"}
}

func (k *keyholder) credentials() alibaba.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	return alibaba.Credentials{AppKey: k.AppKey, Secret: k.secret, AccessToken: k.token.AccessToken, API: k.API}
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
