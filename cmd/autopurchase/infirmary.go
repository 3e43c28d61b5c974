package main

import (
	"context"

	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// infirmary lists and restores the benched keys of all pools.
type infirmary struct{ *stores }

var _ worker.Infirmary = infirmary{}

func (i infirmary) Benched(ctx context.Context) ([]worker.BenchedKey, error) {
	pools, err := i.pool.Pools(ctx)
	if err != nil {
		return nil, err
	}
	var benched []worker.BenchedKey
	for _, pool := range pools {
		keys, err := i.pool.Keys(ctx, pool)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if key.State == keypool.StateBenched {
				benched = append(benched, worker.BenchedKey{Pool: pool, AppKey: key.AppKey})
			}
		}
	}
	return benched, nil
}

func (i infirmary) Restore(ctx context.Context, key worker.BenchedKey, why string) error {
	return i.onRecord(ctx, key.Pool, func() error {
		_, err := i.pool.Alter(ctx, key.Pool, key.AppKey, keypool.Revive, keypool.Change{By: "probe", Why: why})
		return err
	})
}
