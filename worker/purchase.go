package worker

import (
	"cmp"
	"context"
	"strconv"
)

// buyer is one delivery of one request on its way through 1688.
type buyer struct {
	*Worker
	delivery    *Delivery
	request     *Request
	fingerprint string
	owner       string
	place       place
	children    int // that it was split into
	ended       []*Ended
}

func (w *Worker) buyer(d *Delivery, r *Request) *buyer {
	return &buyer{Worker: w, delivery: d, request: r, fingerprint: Fingerprint(r), owner: w.owner()}
}

// purchase sees every child order of a request to its end. Trouble with one child keeps the others from starting only if it would
// meet them too; what has ended is found again by the next delivery.
func (b *buyer) purchase(ctx context.Context) error {
	defer b.depart()
	err := b.together(ctx)
	if err == nil {
		err = b.recall(ctx)
	}
	if err == nil {
		err = b.buyAll(ctx, Split(b.request))
	}
	return err
}

// gathered is the result of a purchase that ended so, or why there is none yet.
func (b *buyer) gathered(err error) (*Result, error) {
	var result Result
	switch {
	case err == nil && b.request.Merge && b.ended[0].Claim.partOfOther():
		result = b.strayed()
	case err == nil:
		result = Gather(b.request, b.ended)
	case AsTrouble(err).Code == CodeConflict:
		result = b.conflict()
	default:
		return &Result{Tenant: b.request.Tenant, RequestID: b.request.ID}, err
	}
	return &result, nil
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
	for i := range children {
		o := b.deal(&children[i])
		err := o.buy(ctx, preview)
		switch {
		case err == nil && o.Claim.Turn == TurnPreview:
			unseen = append(unseen, children[i])
		case err == nil:
			b.ended = append(b.ended, &o.Ended)
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

// conflict answers a request whose id was used before for another purchase. That one's own result stays where it is.
func (b *buyer) conflict() Result {
	return Result{
		Tenant: b.request.Tenant, RequestID: b.request.ID, Outcome: OutcomeRefused, Code: CodeConflict, Aside: true,
		Reason:  "request_id: was used before for a purchase with another meaning",
		Attempt: b.delivery.Attempt, DecidedAt: b.delivery.Published,
	}
}
