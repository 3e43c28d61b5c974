package worker

import (
	"context"
	"time"
)

// deal is one order of a request on its way to its end. Its steps take what they need from here and leave here what has become of it: what
// they handed to one another by value would lie on the stack once for each, and there is a stack for every order that waits for 1688.
type deal struct {
	*buyer
	Ended
}

func (b *buyer) deal(child *Child) *deal { return &deal{buyer: b, Ended: Ended{Child: child}} }

func (o *deal) order() *Order { return &o.Child.Order }

// buy draws a claim for the order and does what its turn says. What the claim is then is how the order ended, unless it is still to be
// previewed.
func (o *deal) buy(ctx context.Context, preview Previewing) error {
	drawing, err := o.drawRoom(ctx, preview)
	if err == nil && o.Claim.Turn == TurnPreview && preview == PreviewAsPool && !o.request.dearer(o.Claim.Above) {
		drawing, err = o.drawRoom(ctx, PreviewNever)
	}
	if err != nil {
		return o.undrawn(ctx, AsTrouble(err))
	}
	o.order().AppKey = o.Claim.AppKey
	switch {
	case o.Claim.Turn == TurnSend && o.open():
		return o.settle(ctx, new(unchosen()), Size{})
	case o.Claim.Turn == TurnSend:
		placing, cancel := o.placing(ctx, drawing)
		defer cancel()
		return o.send(ctx, placing)
	case o.Claim.Turn == TurnLookUp:
		return o.lookUp(ctx)
	}
	return nil
}

func (o *deal) draw(ctx context.Context, draw *Draw) error {
	return o.persist(ctx, func() error {
		claim, err := o.Ledger.Draw(ctx, draw)
		if err == nil {
			o.Claim = *claim
		}
		return err
	})
}

// drawing is what a claim is asked for with.
func (b *buyer) drawing(order *Order) Draw {
	return Draw{
		Pool: b.request.Pool, Payer: b.request.Payer, Seller: sellerOf(order), Reference: order.Reference, Fingerprint: b.fingerprint,
		Size: SizeOf(order.Lines), Stays: b.request.DeliverTo.AddressID != "",
		Owner: b.owner, Attempt: b.delivery.Attempt, Published: b.delivery.Published, Sole: b.delivery.Sole,
	}
}

// undrawn says what becomes of an order for which nothing could be drawn.
func (o *deal) undrawn(ctx context.Context, t *Trouble) error {
	switch {
	case t.Code == CodeLost:
		return o.retrieve(ctx)
	case t.Code == CodeTooLarge || t.Code == CodeForbidden:
		o.neverDrawn(Part{State: ClaimRefused, Code: t.Code, Reason: t.Reason})
		return nil
	case o.expired(time.Now()) && t.Code.wantsRoom():
		o.neverDrawn(tooLate())
		return nil
	case Dispose(t.Code).Next.Moves():
		return o.turnedDown(ctx, t)
	case Dispose(t.Code).Pauses:
		o.pause(t, o.request.Pool)
	}
	return t
}

// neverDrawn is how an order ends that no claim was ever made for.
func (o *deal) neverDrawn(part Part) {
	part.At = o.delivery.Published
	o.Claim = Claim{Reference: o.order().Reference, State: part.State, Attempt: o.delivery.Attempt, Part: part}
}

// send sends the order that the claim was just marked sent for, before placing ends. Nobody else sends it meanwhile.
func (o *deal) send(ctx, placing context.Context) error {
	if o.expired(o.Claim.Now) {
		return o.settle(ctx, new(tooLate()), Size{})
	}
	answer := o.place(ctx, placing)
	switch answer.next() {
	case RouteNever:
		if len(o.ended) == o.children-1 {
			o.delivery.Receipt.Soon()
		}
		return o.decide(ctx, answer)
	case RouteLookUp:
		return o.lookUp(ctx)
	}
	err := o.takeBack(ctx, answer)
	if code := AsTrouble(err).Code; answer.Verdict == Refused && (code == CodeFenced || code == CodeLost) {
		return o.decide(ctx, answer) // who has it now does not know that it was refused
	}
	return err
}

// place has the order placed, and gives the answer with what else can be found out about it.
func (o *deal) place(ctx, placing context.Context) *Answer {
	answer := o.Market.Place(placing, o.order())
	o.beside(ctx, answer)
	o.order().asQuoted(answer)
	o.understood(ctx, o.order(), answer)
	return answer
}

// takeBack unmarks an order that provably never left, so that it may be tried again without being a second order.
func (o *deal) takeBack(ctx context.Context, answer *Answer) error {
	if err := o.persist(ctx, func() error { return o.Ledger.Unsend(ctx, &o.Claim, answer.Code) }); err != nil {
		return err
	}
	return o.notAttempted(answer)
}

// notAttempted is why something that provably never happened at 1688 is tried again.
func (b *buyer) notAttempted(answer *Answer) error {
	t := &Trouble{Code: answer.Code, Reason: answer.Reason, After: time.Duration(answer.Retry) * time.Millisecond}
	if Dispose(t.Code).Pauses {
		b.pause(t, b.request.Pool)
	}
	return t
}

func (b *buyer) expired(now time.Time) bool {
	return !b.request.Deadline.IsZero() && now.After(b.request.Deadline)
}

func tooLate() Part {
	return Part{State: ClaimCancelled, Code: CodeDeadline, Reason: "its deadline passed before it was sent"}
}
