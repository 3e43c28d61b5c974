package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nuid"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"autopurchase/internal/keypool"
	"autopurchase/internal/seal"
)

// newKeysReseal seals all of a pool anew. It needs an identity, so it runs where a relay runs and not by a message: nobody else
// can read what is to be sealed.
func newKeysReseal(term terminal) *cobra.Command {
	var sealed sealSettings
	var sign signature
	var pool string
	var asJSON bool
	return command(term, &cobra.Command{
		Use:   "reseal",
		Short: "Seal all secrets and tokens of a pool anew, for its recipients of now",
		Long: "Opens with --identity what is sealed in the pool and seals it for the recipients that the pool has now. It is run on the relay's\n" +
			"machine, where the identities are, while relays and workers run; the workers put it into the journal. See keys identity.",
		Example: "  autopurchase keys reseal --redis redis://127.0.0.1:6379 --identity old.identity,new.identity",
	}, func(s *settings) {
		sealed.bind(s)
		sign.bind(s)
		s.text(&pool, "pool", defaultPool, "pool of keys")
		s.flag(&asJSON, "json", "print JSON")
	}, func(cmd *cobra.Command, _ []string) (err error) {
		if sealed.files == "" {
			return usage(errors.New("--redis and --identity: are required: where the secrets are, and what opens them"))
		}
		redis := sealed.redis.config(sealed.redis.url)
		redis.Log, redis.Guest = zerolog.Nop(), true
		p, err := keypool.Open(cmd.Context(), redis)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.Close()) }()
		signed := sign.change()
		r := resealer{pool: p, name: pool, ring: sealed.ring, change: keypool.Change{By: signed.By, Why: signed.Why}, holder: nuid.Next()}
		secrets, tokens, err := r.all(cmd.Context())
		if asJSON {
			return errors.Join(err, json.NewEncoder(term.out).Encode(map[string]any{"pool": pool, "secrets": secrets, "tokens": tokens}))
		}
		fmt.Fprintf(term.out, "pool %s: %d secrets and the tokens of %d keys are sealed anew\n", pool, secrets, tokens)
		return err
	})
}

// resealer seals one pool anew.
type resealer struct {
	pool       *keypool.Pool
	name       string
	ring       seal.Keyring
	recipients []string
	change     keypool.Change
	holder     string // of the turns, as if this were a relay
}

// all seals every key anew and counts what was sealed. A key that fails leaves the others to be sealed all the same.
func (r *resealer) all(ctx context.Context) (secrets, tokens int, err error) {
	settings, err := r.pool.Settings(ctx, r.name)
	if err != nil {
		return 0, 0, err
	}
	if r.recipients = settings.Recipients; len(r.recipients) == 0 {
		return 0, 0, fmt.Errorf("pool %s has no recipients to seal for: autopurchase keys pool --recipients age1…", r.name)
	}
	keys, err := r.pool.Keys(ctx, r.name)
	if err != nil {
		return 0, 0, err
	}
	var failed []error
	for _, key := range keys {
		secret, token, err := r.one(ctx, key.AppKey)
		if err != nil {
			failed = append(failed, fmt.Errorf("key %s: %w", key.AppKey, err))
		}
		secrets, tokens = secrets+secret, tokens+token
	}
	return secrets, tokens, errors.Join(failed...)
}

// one seals one key anew, in a turn of its own, so that no relay stores tokens meanwhile. The secret is the one of the version that
// was read, or it is left to whoever changed it.
func (r *resealer) one(ctx context.Context, appKey string) (secrets, tokens int, err error) {
	before, err := r.pool.Show(ctx, r.name, appKey)
	if err != nil {
		return 0, 0, err
	}
	now, err := r.turn(ctx, appKey)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, r.pool.Release(context.WithoutCancel(ctx), r.name, appKey, r.holder)) }()
	change := r.change
	change.Version = before.Version
	if secrets, err = r.again(ctx, appKey, now.Secret, change, r.pool.SealSecret); err != nil {
		return 0, 0, fmt.Errorf("secret: %w", err)
	}
	if tokens, err = r.again(ctx, appKey, now.Tokens, r.change, r.pool.SealTokens); err != nil {
		return secrets, 0, fmt.Errorf("tokens: %w", err)
	}
	return secrets, tokens, nil
}

const (
	resealTurn = 30 * time.Second
	resealWait = time.Minute // longer than a relay's turn
)

// turn waits for the turn to change a key's tokens.
func (r *resealer) turn(ctx context.Context, appKey string) (keypool.Kept, error) {
	ctx, cancel := context.WithTimeout(ctx, resealWait)
	defer cancel()
	for {
		now, mine, err := r.pool.Lease(ctx, r.name, appKey, r.holder, resealTurn)
		if err != nil || mine {
			return now, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return now, errors.New("a relay is changing its tokens all the time: try again")
		}
	}
}

func (r *resealer) again(ctx context.Context, appKey string, s keypool.Sealed, change keypool.Change,
	keep func(context.Context, string, string, keypool.Sealed, keypool.Change) (int64, error),
) (int, error) {
	if s.Text == "" {
		return 0, nil
	}
	value, err := r.ring.Open(s.Text)
	if err != nil {
		return 0, err
	}
	if s.Text, err = seal.Seal(value, r.recipients); err != nil {
		return 0, err
	}
	change.ID = nuid.Next() // so that it is on record, although the values are the same
	_, err = keep(ctx, r.name, appKey, s, change)
	return 1, err
}
