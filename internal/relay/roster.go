package relay

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"autopurchase/worker"
)

// holder gives a key that the relay holds, of the keys file or of the vault; nil if there is none.
func (r *Relay) holder(appKey string) *keyholder {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys[appKey]
}

func (r *Relay) all() []*keyholder {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.keys))
}

// key gives a key that can be used. One that is not known, or has no secret, is looked for in the vault first: it may be new.
func (r *Relay) key(ctx context.Context, appKey string) (*keyholder, error) {
	key := r.holder(appKey)
	if key != nil && key.usable() == nil {
		return key, nil
	}
	if r.config.Vault != nil {
		if err := r.look(ctx); err != nil {
			return nil, &worker.Trouble{Code: worker.CodeChannelDown, Reason: "the relay does not have the app key and cannot look for it now", Err: err}
		}
		key = r.holder(appKey)
	}
	if key == nil && r.emptied() {
		return nil, &worker.Trouble{Code: worker.CodeChannelDown, Reason: "the relay's store has no keys at all: it may have lost them for now"}
	}
	if key == nil {
		return nil, &worker.Trouble{Code: worker.CodeKeyUnknown, Reason: "the relay does not have the app key"}
	}
	return key, key.usable()
}

// followVault hears of new keys and brings into the vault what could not be stored, until ctx ends.
func (r *Relay) followVault(ctx context.Context) error {
	tick := time.NewTicker(r.config.Every)
	defer tick.Stop()
	for {
		if err := r.look(ctx); err == nil {
			for _, key := range r.all() {
				key.restore(ctx)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look takes over what the vault has now. Those who ask at the same time share the answer.
func (r *Relay) look(ctx context.Context) error {
	_, err, _ := r.looking.Do("look", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
		defer cancel()
		kept, err := r.config.Vault.Keys(ctx)
		if r.vault.tell(r.config.Log, err, vaults); err == nil {
			r.takeAll(kept)
		}
		return nil, err
	})
	return err
}

const lookTimeout = 10 * time.Second

// takeAll keeps a key that the vault does not have any more until this relay ends: 1688 still tells of its orders.
func (r *Relay) takeAll(kept []Kept) {
	known := map[string]Kept{}
	for _, now := range kept {
		if before, twice := known[now.AppKey]; !twice || before.Secret.Text == "" {
			known[now.AppKey] = now
		}
	}
	for _, now := range known {
		r.enter(now.AppKey).take(now)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listed = len(known)
	select {
	case r.changed <- struct{}{}:
	default: // it is being told already
	}
}

// emptied says whether the vault has nothing. An order was drawn on a key, so it has lost them, and gets them back.
func (r *Relay) emptied() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config.Vault != nil && r.listed == 0
}

func (r *Relay) enter(appKey string) *keyholder {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys[appKey] == nil {
		r.keys[appKey] = newKeyholder(Key{AppKey: appKey}, r.client, r.config)
	}
	return r.keys[appKey]
}

// listen keeps a message session open for every key with a secret until ctx ends.
func (r *Relay) listen(ctx context.Context, sessions *errgroup.Group) error {
	type running struct {
		secret string
		stop   context.CancelFunc
	}
	open := map[string]running{}
	for {
		wanted := map[string]*keyholder{}
		for _, key := range r.all() {
			if key.usable() == nil {
				wanted[key.AppKey] = key
			}
		}
		for appKey, session := range open {
			if key := wanted[appKey]; key == nil || key.credentials().Secret != session.secret {
				session.stop()
				delete(open, appKey)
			}
		}
		for appKey, key := range wanted {
			if _, is := open[appKey]; !is {
				session, stop := context.WithCancel(ctx)
				open[appKey] = running{key.credentials().Secret, stop}
				sessions.Go(func() error { return r.session(key).Run(session) })
			}
		}
		select {
		case <-ctx.Done():
			for _, session := range open {
				session.stop()
			}
			return nil
		case <-r.changed:
		}
	}
}
