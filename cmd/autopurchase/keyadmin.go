package main

import (
	"cmp"
	"context"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// keyAdmin answers the administrators' messages from the pool.
type keyAdmin struct{ *stores }

// endpoints has a line for each verb.
func (a keyAdmin) endpoints() []bus.Endpoint {
	return []bus.Endpoint{
		bus.KeysAdd.Answer(a.addKey),
		bus.KeysList.Answer(a.list),
		bus.KeysRestore.Answer(a.restore),
		bus.KeysPool.Answer(a.settings),
	}
}

func (a keyAdmin) addKey(ctx context.Context, k bus.AddKey) (bus.KeyInfo, error) {
	key := keypool.Key{Pool: k.Pool, AppKey: k.AppKey, Limit: k.Limit, Account: k.Account, Alipay: k.Alipay, Change: keypool.Change{By: k.By}}
	if err := key.Validate(); err != nil {
		return bus.KeyInfo{}, &worker.Trouble{Code: worker.CodeInvalid, Reason: err.Error()}
	}
	info, err := a.add(ctx, key)
	return keyInfo(k.Pool, info), err
}

func (a keyAdmin) list(ctx context.Context, ask bus.ListKeys) ([]bus.KeyInfo, error) {
	infos, err := a.pool.Keys(ctx, ask.Pool)
	list := make([]bus.KeyInfo, 0, len(infos)) // none is an empty list, not null
	for _, info := range infos {
		list = append(list, keyInfo(ask.Pool, info))
	}
	return list, err
}

func (a keyAdmin) restore(ctx context.Context, k bus.ChangeKey) (bus.KeyInfo, error) {
	info, err := a.pool.Alter(ctx, k.Pool, k.AppKey, keypool.Restore, keypool.Change{By: k.By})
	return keyInfo(k.Pool, info), err
}

func (a keyAdmin) settings(ctx context.Context, want bus.ChangePool) (bus.PoolSettings, error) {
	have, err := a.pool.Settings(ctx, want.Pool)
	if err != nil {
		return bus.PoolSettings{}, err
	}
	settings := have
	settings.Count, settings.Width = cmp.Or(want.Count, have.Count), cmp.Or(want.Width, have.Width)
	if want.Low != nil {
		settings.Low = *want.Low
	}
	if !want.Asks() {
		err = a.configure(ctx, want.Pool, settings, keypool.Change{By: want.By})
	}
	return bus.PoolSettings{Pool: want.Pool, Count: settings.Count, Width: settings.Width, Low: settings.Low}, err
}

func keyInfo(pool string, info keypool.Info) bus.KeyInfo {
	return bus.KeyInfo{
		AppKey: info.AppKey, Pool: pool, State: string(info.State), Limit: info.Limit, Used: info.Used, Held: info.Held, Left: info.Left,
		Account: info.Account, Alipay: info.Alipay, Source: info.Source, Version: info.Version,
	}
}
