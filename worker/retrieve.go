package worker

import (
	"context"
	"errors"
)

// errDecided ends the handling of a request whose result is already stored.
var errDecided = errors.New("its result is stored already")

// retrieve handles an order whose claim the ledger has lost: it may have been sent with any key of the pool. It is looked
// up on all of them; only an order that was found becomes a claim again.
func (b *buyer) retrieve(ctx context.Context, order Order) (Claim, error) {
	if err := b.undecided(ctx); err != nil {
		return Claim{}, err
	}
	return b.searchKeys(ctx, order)
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
func (b *buyer) settleLost(ctx context.Context, lost Claim, part Part, size Size) (settled Claim, err error) {
	if err := b.undecided(ctx); err != nil {
		return lost, err
	}
	err = b.persist(ctx, func() error {
		claim, err := b.Ledger.Draw(ctx, Draw{
			Pool: lost.Pool, Payer: b.request.Payer, Reference: lost.Reference, Fingerprint: b.fingerprint,
			Size:  lost.size(),
			Owner: b.owner, Attempt: b.delivery.Attempt, Published: b.delivery.Published, OnKeys: lost.Keys(),
		})
		if err == nil {
			settled, err = b.Ledger.Settle(ctx, claim, part, size)
		}
		return err
	})
	return settled, err
}

// searchKeys looks for a lost order on every key. The platform shows it to all keys of a buyer's account, and does not say which
// one took it: it counts on each that may have. If there are several, that waits for the end of the window, since an owner who
// is alive knows the key and settles on it meanwhile; a key that does not answer is waited for twice as long, and then may have
// taken it too.
func (b *buyer) searchKeys(ctx context.Context, order Order) (Claim, error) {
	keys, err := b.Stock.AppKeys(ctx, b.request.Pool)
	if err != nil {
		return Claim{}, err
	}
	since, s := b.lost.read(order.Reference), searched(ctx, b.Market, keys, order)
	late := since >= b.config.LookFor
	switch {
	case len(s.on) == 1 && len(s.mute) == 0 && (late || len(s.answer.Failed) == 0),
		len(s.on) > 1 && len(s.mute) == 0 && late,
		len(s.on) > 0 && since >= 2*b.config.LookFor:
		return b.adopt(ctx, append(s.on, s.mute...), order, s.answer)
	case len(keys) > 0 && len(s.on)+len(s.mute) == 0 && late:
		return b.adopt(ctx, keys, order, Answer{Verdict: Unknown})
	}
	return Claim{}, &Trouble{Code: CodeLost, Reason: "its claim is lost: looking for it on every key", After: max(since/2, soon)}
}

// adopt makes a claim on the keys again and settles it with what is known.
func (b *buyer) adopt(ctx context.Context, keys []string, order Order, answer Answer) (Claim, error) {
	draw := b.drawing(order)
	draw.OnKeys = keys
	claim, err := b.draw(ctx, draw)
	if err != nil {
		return Claim{}, err
	}
	b.lost.stop(order.Reference)
	if answer.Verdict != Placed {
		return b.settle(ctx, claim, absent(), Size{})
	}
	order.AppKey = claim.AppKey
	return b.decide(ctx, claim, order, answer)
}
