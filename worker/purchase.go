package worker

import (
	"cmp"
	"context"
	"strconv"
	"time"
)

// buyer is one delivery of one request on its way through 1688.
type buyer struct {
	*Worker
	delivery    Delivery
	request     Request
	fingerprint string
	owner       string
	place       place
	children    int // that it was split into
	ended       []Ended
}

func (w *Worker) buyer(d Delivery, r Request) *buyer {
	return &buyer{Worker: w, delivery: d, request: r, fingerprint: Fingerprint(r), owner: w.owner()}
}

// purchase sees every child order of a request to its end and gathers the result. Trouble with one child keeps the others
// from starting only if it would meet them too; what has ended is found again by the next delivery.
func (b *buyer) purchase(ctx context.Context) (Result, error) {
	defer b.depart()
	err := b.together(ctx)
	if err == nil {
		err = b.recall(ctx)
	}
	if err == nil {
		err = b.buyAll(ctx, Split(b.request))
	}
	switch {
	case err == nil && b.request.Merge && b.ended[0].Claim.partOfOther():
		return b.strayed(), nil
	case err == nil:
		return Gather(b.request, b.ended), nil
	case AsTrouble(err).Code == CodeConflict:
		return b.conflict(), nil
	default:
		return Result{Tenant: b.request.Tenant, RequestID: b.request.ID}, err
	}
}

// buyAll buys every child order; those that are to be previewed first come last, and together.
func (b *buyer) buyAll(ctx context.Context, children []Child) error {
	b.children = len(children)
	unseen, open, err := b.buyEach(ctx, children, b.request.previewing())
	if err != nil || len(unseen) == 0 {
		return cmp.Or(err, open)
	}
	pass, err := b.preview(ctx, unseen, open)
	if err != nil {
		return err
	}
	_, late, err := b.buyEach(ctx, pass, PreviewNever)
	b.inOrder()
	return cmp.Or(err, open, late)
}

// buyEach buys one after the other. It gives those that are to be previewed first, with a key to do it with, and why the last one
// is open whose answer is not known.
func (b *buyer) buyEach(ctx context.Context, children []Child, preview Previewing) (unseen []Child, open, err error) {
	for _, child := range children {
		claim, err := b.buy(ctx, child.Order, preview)
		switch {
		case err == nil && claim.Turn == TurnPreview:
			child.Order.AppKey = claim.AppKey
			unseen = append(unseen, child)
		case err == nil:
			b.ended = append(b.ended, Ended{Child: child, Claim: claim})
		case Dispose(AsTrouble(err).Code).Next == RouteLookUp:
			open = err
		default:
			return nil, nil, err
		}
	}
	return unseen, open, nil
}

// owner names this delivery in this process: what fences it from every other, and what lets it repeat its own steps. It counts
// by itself, since the broker's numbers come again: a consumer that was made anew, or a broker that lost its last words,
// delivers a request as its first attempt twice.
func (w *Worker) owner() string {
	return w.config.Instance + ":" + strconv.FormatUint(w.deliveries.Add(1), 36)
}

// buy draws a claim for one order and does what its turn says.
func (b *buyer) buy(ctx context.Context, order Order, preview Previewing) (Claim, error) {
	claim, drawing, err := b.drawRoom(ctx, order, preview)
	if err == nil && claim.Turn == TurnPreview && preview == PreviewAsPool && !b.request.dearer(claim.Above) {
		claim, drawing, err = b.drawRoom(ctx, order, PreviewNever)
	}
	if err != nil {
		return b.undrawn(ctx, order, AsTrouble(err))
	}
	order.AppKey = claim.AppKey
	switch {
	case claim.Turn == TurnSend && b.open():
		return b.settle(ctx, claim, unchosen(), Size{})
	case claim.Turn == TurnSend:
		placing, cancel := b.placing(ctx, drawing)
		defer cancel()
		return b.send(ctx, placing, claim, order)
	case claim.Turn == TurnLookUp:
		return b.lookUp(ctx, claim, order)
	default:
		return claim, nil
	}
}

func (b *buyer) draw(ctx context.Context, draw Draw) (claim Claim, err error) {
	err = b.persist(ctx, func() error {
		claim, err = b.Ledger.Draw(ctx, draw)
		return err
	})
	return claim, err
}

// drawing is what a claim is asked for with.
func (b *buyer) drawing(order Order) Draw {
	return Draw{
		Pool: b.request.Pool, Payer: b.request.Payer, Seller: sellerOf(order), Reference: order.Reference, Fingerprint: b.fingerprint,
		Size: SizeOf(order.Lines), Stays: b.request.DeliverTo.AddressID != "",
		Owner: b.owner, Attempt: b.delivery.Attempt, Published: b.delivery.Published, Sole: b.delivery.Sole,
	}
}

// undrawn says what becomes of an order for which nothing could be drawn.
func (b *buyer) undrawn(ctx context.Context, order Order, t *Trouble) (Claim, error) {
	switch {
	case t.Code == CodeLost:
		return b.retrieve(ctx, order)
	case t.Code == CodeTooLarge || t.Code == CodeForbidden:
		return b.neverDrawn(order, Part{State: ClaimRefused, Code: t.Code, Reason: t.Reason}), nil
	case b.expired(time.Now()) && t.Code.wantsRoom():
		return b.neverDrawn(order, tooLate()), nil
	case Dispose(t.Code).Next.Moves():
		return b.turnedDown(ctx, order, t)
	case Dispose(t.Code).Pauses:
		b.pause(t, b.request.Pool)
	}
	return Claim{}, t
}

// neverDrawn is how an order ends that no claim was ever made for.
func (b *buyer) neverDrawn(order Order, part Part) Claim {
	part.At = b.delivery.Published
	return Claim{Reference: order.Reference, State: part.State, Attempt: b.delivery.Attempt, Part: part}
}

// send sends the order that the claim was just marked sent for, before placing ends. Nobody else sends it meanwhile.
func (b *buyer) send(ctx, placing context.Context, claim Claim, order Order) (Claim, error) {
	if b.expired(claim.Now) {
		return b.settle(ctx, claim, tooLate(), Size{})
	}
	answer := b.understood(ctx, order, asQuoted(order, b.beside(ctx, order, b.Market.Place(placing, order))))
	switch answer.next() {
	case RouteNever:
		if len(b.ended) == b.children-1 {
			b.delivery.Receipt.Soon()
		}
		return b.decide(ctx, claim, order, answer)
	case RouteLookUp:
		return b.lookUp(ctx, claim, order)
	}
	err := b.takeBack(ctx, claim, answer)
	if code := AsTrouble(err).Code; answer.Verdict == Refused && (code == CodeFenced || code == CodeLost) {
		return b.decide(ctx, claim, order, answer) // who has it now does not know that it was refused
	}
	return Claim{}, err
}

// takeBack unmarks an order that provably never left, so that it may be tried again without being a second order.
func (b *buyer) takeBack(ctx context.Context, claim Claim, answer Answer) error {
	if err := b.persist(ctx, func() error { return b.Ledger.Unsend(ctx, claim, answer.Code) }); err != nil {
		return err
	}
	return b.notAttempted(answer)
}

// notAttempted is why something that provably never happened at 1688 is tried again.
func (b *buyer) notAttempted(answer Answer) error {
	t := &Trouble{Code: answer.Code, Reason: answer.Reason, After: time.Duration(answer.Retry) * time.Millisecond}
	if Dispose(t.Code).Pauses {
		b.pause(t, b.request.Pool)
	}
	return t
}

// decide ends a claim with a definite answer.
func (b *buyer) decide(ctx context.Context, claim Claim, order Order, answer Answer) (Claim, error) {
	part, size := Decide(order, answer)
	return b.settle(ctx, claim, part, size)
}

func (b *buyer) settle(ctx context.Context, claim Claim, part Part, size Size) (settled Claim, err error) {
	err = b.persist(ctx, func() error {
		settled, err = b.Ledger.Settle(ctx, claim, part, size)
		return err
	})
	if err != nil && AsTrouble(err).Code == CodeLost {
		settled, err = b.settleLost(ctx, claim, part, size)
	}
	switch {
	case err == nil && part.State != ClaimUnknown && differs(settled.Part, part):
		b.contradict(ctx, claim, part, settled.Part)
	case err != nil && AsTrouble(err).Code == CodeFenced && len(part.Orders) > 0:
		b.contradict(ctx, claim, part, Part{}) // a later delivery is about to send it again
	}
	return settled, err
}

// contradict tells people that an answer contradicts the outcome that stands, and puts it on record.
func (b *buyer) contradict(ctx context.Context, claim Claim, late, stands Part) {
	reason := contradiction(claim.Reference, late.Orders, stands)
	b.observe(Event{Stage: StageDiffers, Tenant: b.request.Tenant, RequestID: b.request.ID, Reference: claim.Reference,
		AppKey: claim.AppKey, Attempt: b.delivery.Attempt, Code: late.Code, Reason: reason, Context: b.delivery.Context})
	letter := b.delivery.letter(b.request.ID, CodeNoAnswer, reason)
	if err := b.persist(ctx, func() error { return b.Outbox.Bury(ctx, letter) }); err != nil {
		b.observe(Event{Stage: StageFailed, Tenant: b.request.Tenant, RequestID: b.request.ID, Reference: claim.Reference,
			Code: AsTrouble(err).Code, Reason: "its dead letter could not be stored", Err: err, Context: b.delivery.Context})
	}
}

// differs says whether the outcome that stands contradicts the one that came later.
func differs(stands, late Part) bool {
	if stands.State != late.State || len(stands.Orders) != len(late.Orders) {
		return true
	}
	for i := range stands.Orders {
		if stands.Orders[i].ID != late.Orders[i].ID {
			return true
		}
	}
	return false
}

func (b *buyer) expired(now time.Time) bool {
	return !b.request.Deadline.IsZero() && now.After(b.request.Deadline)
}

func tooLate() Part {
	return Part{State: ClaimCancelled, Code: CodeDeadline, Reason: "its deadline passed before it was sent"}
}

// conflict answers a request whose id was used before for another purchase. That one's own result stays where it is.
func (b *buyer) conflict() Result {
	return Result{
		Tenant: b.request.Tenant, RequestID: b.request.ID, Outcome: OutcomeRefused, Code: CodeConflict, Aside: true,
		Reason:  "request_id: was used before for a purchase with another meaning",
		Attempt: b.delivery.Attempt, DecidedAt: b.delivery.Published,
	}
}
