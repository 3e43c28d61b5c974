package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"autopurchase/internal/keypool"
	"autopurchase/internal/relay"
	"autopurchase/internal/seal"
)

// vault is where a relay finds sealed secrets and tokens: in the key pools, all of them.
type vault struct {
	pool   *keypool.Pool
	holder string // of the turns that this relay has
	log    zerolog.Logger
}

func newVault(pool *keypool.Pool, log zerolog.Logger) vault {
	return vault{pool: pool, holder: rand.Text(), log: log}
}

// Keys gives the keys of all pools.
func (v vault) Keys(ctx context.Context) ([]relay.Kept, error) {
	pools, err := v.pool.Pools(ctx)
	if err != nil {
		return nil, err
	}
	var all []relay.Kept
	for _, pool := range pools {
		some, err := v.pool.Kept(ctx, pool)
		if err != nil {
			return nil, err
		}
		settings, err := v.pool.Settings(ctx, pool)
		if err != nil {
			return nil, err
		}
		for _, kept := range some {
			all = append(all, keptFor(kept, settings))
		}
	}
	return all, nil
}

// Lease is the pool's.
func (v vault) Lease(ctx context.Context, pool, appKey string, longest time.Duration) (relay.Kept, func(), error) {
	settings, err := v.pool.Settings(ctx, pool)
	if err != nil {
		return relay.Kept{}, nil, err
	}
	kept, mine, err := v.pool.Lease(ctx, pool, appKey, v.holder, longest)
	if err != nil || !mine {
		return keptFor(kept, settings), nil, err
	}
	return keptFor(kept, settings), func() { v.release(ctx, pool, appKey) }, nil
}

// release ends a turn; one that cannot be ended runs out by itself.
func (v vault) release(ctx context.Context, pool, appKey string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := v.pool.Release(ctx, pool, appKey, v.holder); err != nil {
		v.log.Debug().Err(err).Str("app_key", appKey).Msg("turn to refresh tokens was not given back: it runs out")
	}
}

// Store is the pool's SealTokens.
func (v vault) Store(ctx context.Context, pool, appKey string, tokens relay.Sealed) (int64, error) {
	return v.pool.SealTokens(ctx, pool, appKey, keypool.Sealed(tokens), keypool.Change{By: "relay"})
}

// ending puts into the journal that a person must authorize a key again.
func (v vault) ending(ctx context.Context, e relay.Ending) error {
	return v.pool.Ending(ctx, e.Pool, e.AppKey, e.At, fmt.Sprintf("within %d days, on %s", e.Days, e.At.UTC().Format(time.DateOnly)))
}

func keptFor(k keypool.Kept, settings keypool.Settings) relay.Kept {
	return relay.Kept{
		Pool: k.Pool, AppKey: k.AppKey, Managed: k.Source == "managed", Recipients: settings.Recipients,
		Secret: relay.Sealed(k.Secret), Tokens: relay.Sealed(k.Tokens),
	}
}

// sealedWith lets a relay use what is sealed in a pool.
func sealedWith(config relay.Config, ring seal.Keyring, pool *keypool.Pool) relay.Config {
	v := newVault(pool, config.Log)
	config.Vault, config.Identities, config.OnEnding = v, ring, v.ending
	return config
}

// sealSettings are where a relay finds what is sealed, and what opens it.
type sealSettings struct {
	redis redisSettings
	files string
	ring  seal.Keyring
}

func (s *sealSettings) bind(set *settings) {
	s.redis.bind(set, "", "where the key pools are, with the secrets and tokens that were sealed for this relay; empty to use --keys-file alone; ", orEmpty(checkRedisURL))
	set.text(&s.files, "identity", "", "file with the relay's identity, which opens what was sealed for it, mode 0600; several with commas between them: see autopurchase keys identity")
	set.check(s.load)
}

func (s *sealSettings) load(terminal) (err error) {
	switch {
	case s.files == "" && s.redis.url == "":
		return nil
	case s.files == "":
		return errors.New("--identity: is required with --redis: it opens the secrets that are there")
	case s.redis.url == "":
		return errors.New("--redis: is required with --identity: the secrets that it opens are there")
	}
	if s.ring, err = seal.LoadIdentities(strings.Split(s.files, ",")...); err != nil {
		return fmt.Errorf("--identity: %w", err)
	}
	return nil
}

// open adds what is sealed to a relay's settings, if there is any.
func (s *sealSettings) open(ctx context.Context, config relay.Config, see witness, undo *cleanup) (relay.Config, error) {
	if s.redis.url == "" {
		return config, nil
	}
	redis := see.redis(s.redis.config(s.redis.url))
	redis.Log, redis.Guest = config.Log, true
	pool, err := keypool.Open(ctx, redis)
	if err != nil {
		return config, err
	}
	undo.add("Redis connection", func(context.Context) error { return pool.Close() })
	return sealedWith(config, s.ring, pool), nil
}
