package worker

import (
	"context"
	"slices"
	"time"
)

// preview asks 1688 what it would make of orders for which nothing was drawn, before anything is drawn for any of them, since
// max_total is over all, and gives those that may be bought, with what was chosen of their alternatives. The others end here, and
// their claims say so without a key. Orders of the request that have been drawn for already are not previewed again; what they cost
// counts towards max_total, and so the rest waits until it is known.
func (b *buyer) preview(ctx context.Context, children []Child, open error) ([]Child, error) {
	if err := b.undecided(ctx); err != nil {
		return nil, err // it was refused before, and that result stands
	}
	if open != nil && b.request.MaxTotal > 0 {
		return nil, open
	}
	var pass []Child
	sum := spent(b.request, b.ended)
	for _, child := range children {
		child, quotes, refused, err := b.chosen(ctx, child)
		switch {
		case err != nil:
			return nil, err
		case refused.State != "":
			err = b.refuse(ctx, child, refused)
		default:
			sum += costs(quotes)
			child.Order.TradeType = tradeType(quotes)
			if len(quotes) == 1 {
				child.Order.quoted = quotes[0]
			}
			pass = append(pass, child)
		}
		if err != nil {
			return nil, err
		}
	}
	if most := b.request.MaxTotal; most > 0 && sum > most {
		return nil, b.refuseAll(ctx, pass, overBudget(sum, most))
	}
	return pass, b.record(ctx, pass)
}

// quoted previews one order, and says why it is not to be bought if it is not.
func (b *buyer) quoted(ctx context.Context, order *Order) ([]Quote, Part, error) {
	if b.expired(time.Now()) {
		return nil, tooLate(), nil
	}
	answer := b.Previewer.Preview(ctx, order)
	b.understood(ctx, order, answer)
	switch {
	case answer.Verdict == Placed:
		refused, _ := guard(*order, b.request.PriceTolerance, answer.Quotes)
		return answer.Quotes, refused, nil
	case answer.next() == RouteNever:
		refused, _ := Decide(order, answer)
		return nil, refused, nil
	}
	return nil, Part{}, b.unpreviewed(ctx, order, answer)
}

// unpreviewed says how it goes on after a preview that gave no answer: it changed nothing at 1688, and is asked for again later. A
// key that turns the order down gets it no more.
func (b *buyer) unpreviewed(ctx context.Context, order *Order, answer *Answer) error {
	if answer.Verdict != NotAttempted && answer.Verdict != Refused {
		answer.Code = CodeChannelDown
	}
	if answer.next().Moves() {
		err := b.persist(ctx, func() error { return b.Undrawn.Leave(ctx, b.drawing(order), order.AppKey, answer.Code) })
		if err != nil {
			return err
		}
	}
	return b.notAttempted(answer)
}

// refuse ends an order for which nothing was drawn. What another delivery has settled meanwhile stands.
func (b *buyer) refuse(ctx context.Context, child Child, part Part) error {
	return b.persist(ctx, func() error {
		claim, err := b.Undrawn.Refuse(ctx, b.drawing(&child.Order), part)
		if err == nil {
			b.ended = append(b.ended, &Ended{Child: &child, Claim: claim})
		}
		return err
	})
}

func (b *buyer) refuseAll(ctx context.Context, children []Child, part Part) error {
	for _, child := range children {
		if err := b.refuse(ctx, child, part); err != nil {
			return err
		}
	}
	return nil
}

// inOrder puts what has ended in the order of the request's lines, by which a result is gathered.
func (b *buyer) inOrder() {
	slices.SortFunc(b.ended, func(x, y *Ended) int { return x.Child.Lines[0] - y.Child.Lines[0] })
}
