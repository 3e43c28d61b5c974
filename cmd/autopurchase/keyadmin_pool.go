package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// mergeTries is how often a change of some settings is made again because others were changed meanwhile.
const mergeTries = 5

// settings gives a pool's settings, and changes those that are given. Two who change different ones at once both have their way.
func (a keyAdmin) settings(ctx context.Context, want bus.ChangePool) (bus.PoolSettings, error) {
	if err := a.verify(ctx, want.Pool); err != nil {
		return bus.PoolSettings{}, err
	}
	if err := a.restrict(ctx, want); err != nil {
		return bus.PoolSettings{}, err
	}
	have, err := a.set(ctx, want)
	if err != nil {
		return bus.PoolSettings{}, err
	}
	sellers, err := a.pool.Sellers(ctx, want.Pool)
	return poolSettings(want.Pool, have, sellers), err
}

// restrict remembers what is said of sellers.
func (a keyAdmin) restrict(ctx context.Context, want bus.ChangePool) error {
	if len(want.Sellers) == 0 {
		return nil
	}
	return a.onRecord(ctx, want.Pool, func() error {
		for _, seller := range slices.Sorted(maps.Keys(want.Sellers)) {
			change, alipay := keypool.Change(want.Change), want.Sellers[seller]
			if change.ID != "" {
				change.ID += "/" + seller // one message says it of many
			}
			if alipay == "any" {
				alipay = ""
			}
			if err := a.pool.Restrict(ctx, want.Pool, seller, alipay, change); err != nil {
				return err
			}
		}
		return nil
	})
}

// set changes the settings that are given, and gives all of them.
func (a keyAdmin) set(ctx context.Context, want bus.ChangePool) (keypool.Settings, error) {
	question, err := json.Marshal(unsigned(want))
	if err != nil {
		return keypool.Settings{}, err
	}
	for try := 1; ; try++ {
		have, err := a.pool.Settings(ctx, want.Pool)
		if err != nil || !want.Sets() {
			return have, err
		}
		change := keypool.Change(want.Change)
		change.Version = cmp.Or(want.Version, have.Version)
		wish := merged(have, want)
		wish.Asked = string(question)
		err = a.configure(ctx, want.Pool, wish, change)
		if denied, ok := errors.AsType[*worker.Denied](err); ok && denied.Code == worker.DenyStale && want.Version == 0 && try < mergeTries {
			continue
		}
		if err != nil {
			return have, err
		}
		return a.pool.Settings(ctx, want.Pool)
	}
}

// unsigned is what is asked for, whoever asks.
func unsigned(want bus.ChangePool) bus.ChangePool {
	want.Change = bus.Change{}
	return want
}

func (a keyAdmin) configure(ctx context.Context, pool string, settings keypool.Settings, change keypool.Change) error {
	if err := settings.Validate(); err != nil {
		return &worker.Trouble{Code: worker.CodeInvalid, Reason: err.Error()}
	}
	return a.onRecord(ctx, pool, func() error { return a.pool.Configure(ctx, pool, settings, change) })
}

// merged are the settings as they are wanted, and as they are where nothing is wanted.
func merged(have keypool.Settings, want bus.ChangePool) keypool.Settings {
	have.Count, have.Strategy = cmp.Or(want.Count, have.Count), cmp.Or(want.Strategy, have.Strategy)
	if want.Width != nil {
		have.Width = *want.Width
	}
	if want.Low != nil {
		have.Low = *want.Low
	}
	if want.Recipients != nil {
		have.Recipients = *want.Recipients
	}
	if want.Tenants != nil {
		have.Tenants = *want.Tenants
	}
	if want.Preview != "" {
		have.Preview = worker.Previewing(want.Preview)
		have.PreviewAbove, _ = worker.ParseYuan(want.PreviewAbove) // checked; "" is 0
	}
	return have
}

func poolSettings(pool string, s keypool.Settings, sellers map[string]string) bus.PoolSettings {
	if s.Tenants == nil {
		s.Tenants = map[string]int{} // none is an empty object, not null
	}
	above := ""
	if s.PreviewAbove > 0 {
		above = s.PreviewAbove.Yuan()
	}
	return bus.PoolSettings{Preview: string(s.Preview), PreviewAbove: above, Pool: pool, Count: s.Count, Width: s.Width, Low: s.Low, Strategy: s.Strategy,
		Recipients: append([]string{}, s.Recipients...), Tenants: s.Tenants, Sellers: sellers, Version: s.Version}
}
