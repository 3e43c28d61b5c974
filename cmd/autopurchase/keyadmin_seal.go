package main

import (
	"context"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/internal/seal"
	"autopurchase/worker"
)

// seal keeps what an administrator has sealed. Each part is one change of its own.
func (a keyAdmin) seal(ctx context.Context, q bus.SealKey) (bus.KeyInfo, error) {
	parts := []sealedPart{
		{"secret", keypool.Sealed{Text: q.Secret, Fingerprint: q.Fingerprint}, a.pool.SealSecret},
		{"tokens", keypool.Sealed{Text: q.Tokens, Fingerprint: q.TokensFingerprint}, a.pool.SealTokens},
	}
	for _, part := range parts {
		if err := seal.CheckSealed(part.Text); part.Text != "" && err != nil {
			return bus.KeyInfo{}, &worker.Invalid{Field: part.name, Reason: err.Error()}
		}
	}
	return a.changed(ctx, q.Pool, q.AppKey, func() error {
		change := keypool.Change(q.Change)
		for _, part := range parts {
			if part.Text == "" {
				continue
			}
			if _, err := part.keep(ctx, q.Pool, q.AppKey, part.Sealed, change); err != nil {
				return err
			}
			change.Version = 0 // the key has a new one
			if change.ID != "" {
				change.ID += "/tokens"
			}
		}
		return nil
	})
}

type sealedPart struct {
	name string
	keypool.Sealed
	keep func(ctx context.Context, pool, appKey string, s keypool.Sealed, c keypool.Change) (int64, error)
}
