package main

import (
	"context"

	"autopurchase/internal/bus"
	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// keyAdmin answers the administrators' messages from the pool.
type keyAdmin struct {
	*stores
	market platform
}

// endpoints has a line for each verb.
func (a keyAdmin) endpoints() []bus.Endpoint {
	return []bus.Endpoint{
		bus.KeysAdd.Answer(a.add),
		bus.KeysList.Answer(a.list),
		bus.KeysShow.Answer(a.show),
		bus.KeysLimit.Answer(a.limit),
		bus.KeysSeal.Answer(a.seal),
		a.alter(bus.KeysEnable, keypool.Enable),
		a.alter(bus.KeysDisable, keypool.Disable),
		a.alter(bus.KeysBench, keypool.Bench),
		a.alter(bus.KeysRestore, keypool.Restore),
		a.alter(bus.KeysRetire, keypool.Retire),
		a.alter(bus.KeysRemove, keypool.Remove),
		a.alter(bus.KeysReset, keypool.Reset),
		a.alter(bus.KeysRotate, keypool.Rotate),
		bus.KeysProbe.Answer(a.probe),
		bus.KeysOnboard.Answer(a.onboard),
		bus.KeysAuthorize.Answer(a.authorize),
		bus.KeysPool.Answer(a.settings),
	}
}

func (a keyAdmin) add(ctx context.Context, q bus.AddKey) (bus.KeyInfo, error) {
	key := keypool.Key{Pool: q.Pool, AppKey: q.AppKey, Limit: q.Limit, Account: q.Account, Alipay: q.Alipay, Source: q.Source,
		Onboard: q.Onboard, Change: keypool.Change(q.Change)}
	if err := key.Validate(); err != nil {
		return bus.KeyInfo{}, &worker.Trouble{Code: worker.CodeInvalid, Reason: err.Error()}
	}
	return a.changed(ctx, q.Pool, q.AppKey, func() error {
		_, err := a.pool.Add(ctx, key)
		return err
	})
}

func (a keyAdmin) limit(ctx context.Context, q bus.LimitKey) (bus.KeyInfo, error) {
	return a.changed(ctx, q.Pool, q.AppKey, func() error {
		_, err := a.pool.Limit(ctx, q.Pool, q.AppKey, q.Limit, keypool.Change(q.Change))
		return err
	})
}

func (a keyAdmin) alter(verb bus.Verb[bus.ChangeKey, bus.KeyInfo], how keypool.Verb) bus.Endpoint {
	return verb.Answer(func(ctx context.Context, q bus.ChangeKey) (bus.KeyInfo, error) { return a.altered(ctx, q, how) })
}

func (a keyAdmin) altered(ctx context.Context, q bus.ChangeKey, how keypool.Verb) (bus.KeyInfo, error) {
	return a.changed(ctx, q.Pool, q.AppKey, func() error {
		_, err := a.pool.Alter(ctx, q.Pool, q.AppKey, how, keypool.Change(q.Change))
		return err
	})
}

// changed changes a key and gives it as it stands once the change is on record.
func (a keyAdmin) changed(ctx context.Context, pool, appKey string, change func() error) (bus.KeyInfo, error) {
	if err := a.onRecord(ctx, pool, change); err != nil {
		return bus.KeyInfo{}, err
	}
	return a.show(ctx, bus.ShowKey{Pool: pool, AppKey: appKey})
}

func (a keyAdmin) show(ctx context.Context, q bus.ShowKey) (bus.KeyInfo, error) {
	if err := a.verify(ctx, q.Pool); err != nil {
		return bus.KeyInfo{}, err
	}
	info, err := a.pool.Show(ctx, q.Pool, q.AppKey)
	return keyInfo(info), err
}

func (a keyAdmin) list(ctx context.Context, q bus.ListKeys) ([]bus.KeyInfo, error) {
	if err := a.verify(ctx, q.Pool); err != nil {
		return nil, err
	}
	infos, err := a.pool.Keys(ctx, q.Pool)
	list := make([]bus.KeyInfo, 0, len(infos)) // none is an empty list, not null
	for _, info := range infos {
		list = append(list, keyInfo(info))
	}
	return list, err
}

func keyInfo(i keypool.Info) bus.KeyInfo {
	return bus.KeyInfo{
		AppKey: i.AppKey, Pool: i.Pool, State: string(i.State), Limit: i.Limit, Used: i.Used, Held: i.Held, Left: i.Left,
		Account: i.Account, Alipay: i.Alipay, Source: i.Source, Version: i.Version, Fingerprint: i.Fingerprint,
	}
}
