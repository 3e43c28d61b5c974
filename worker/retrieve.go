package worker

import (
	"context"
	"errors"
)

// errDecided ends the handling of a request whose result is already stored.
var errDecided = errors.New("its result is stored already")

// retrieve handles an order whose claim the ledger has lost: it may have been sent with any key of the pool. It is looked
// up on all of them; only an order that was found becomes a claim again.
func (o *deal) retrieve(ctx context.Context) error {
	if err := o.undecided(ctx); err != nil {
		return err
	}
	return o.searchKeys(ctx)
}

// undecided returns errDecided if the request's result is stored already.
func (b *buyer) undecided(ctx context.Context) error {
	var decided bool
	err := b.persist(ctx, func() (err error) {
		decided, err = b.Outbox.Decided(ctx, b.delivery.Tenant, b.delivery.Ref)
		return err
	})
	if err == nil && decided {
		return errDecided
	}
	return err
}

// settleLost ends a claim that the ledger lost under its owner's hands. The owner knows how the order ended, and so makes the
// claim again on the same key instead of having it looked for.
func (o *deal) settleLost(ctx context.Context, part *Part, size Size) error {
	if err := o.undecided(ctx); err != nil {
		return err
	}
	lost := &o.Claim
	again := Draw{
		Pool: lost.Pool, Payer: o.request.Payer, Reference: lost.Reference, Fingerprint: o.fingerprint,
		Size:  lost.size(),
		Owner: o.owner, Attempt: o.delivery.Attempt, Published: o.delivery.Published, OnKeys: lost.Keys(),
	}
	return o.persist(ctx, func() error {
		claim, err := o.Ledger.Draw(ctx, &again)
		if err == nil {
			err = o.Ledger.Settle(ctx, claim, part, size)
		}
		if err == nil {
			o.Claim = *claim
		}
		return err
	})
}

// searchKeys looks for a lost order on every key. The platform shows it to all keys of a buyer's account, and does not say which
// one took it: it counts on each that may have. If there are several, that waits for the end of the window, since an owner who
// is alive knows the key and settles on it meanwhile; a key that does not answer is waited for twice as long, and then may have
// taken it too.
func (o *deal) searchKeys(ctx context.Context) error {
	keys, err := o.Stock.AppKeys(ctx, o.request.Pool)
	if err != nil {
		return err
	}
	since, s := o.lost.read(o.order().Reference), searched(ctx, o.Market, keys, o.order())
	late := since >= o.config.LookFor
	switch {
	case len(s.on) == 1 && len(s.mute) == 0 && (late || len(s.answer.Failed) == 0),
		len(s.on) > 1 && len(s.mute) == 0 && late,
		len(s.on) > 0 && since >= 2*o.config.LookFor:
		return o.adopt(ctx, append(s.on, s.mute...), &s.answer)
	case len(keys) > 0 && len(s.on)+len(s.mute) == 0 && late:
		return o.adopt(ctx, keys, &Answer{Verdict: Unknown})
	}
	return &Trouble{Code: CodeLost, Reason: "its claim is lost: looking for it on every key", After: max(since/2, soon)}
}

// adopt makes a claim on the keys again and settles it with what is known.
func (o *deal) adopt(ctx context.Context, keys []string, answer *Answer) error {
	draw := o.drawing(o.order())
	draw.OnKeys = keys
	if err := o.draw(ctx, &draw); err != nil {
		return err
	}
	o.lost.stop(o.order().Reference)
	if answer.Verdict != Placed {
		return o.settle(ctx, new(absent()), Size{})
	}
	o.order().AppKey = o.Claim.AppKey
	return o.decide(ctx, answer)
}
