package worker

import (
	"context"
	"slices"
	"time"
)

// Cancellation is a person's wish that a request, or one of its orders, is not bought.
type Cancellation struct {
	Tenant    string
	RequestID string
	Reference string // the order; "" means all of the request's
	AtMarket  bool   // closes at 1688 what exists there and is not paid for
	DryRun    bool   // only says what would happen
	By        string // who asks for it
	Why       string // for the record; may be empty
}

// Withdrawal asks the ledger to cancel one order.
type Withdrawal struct {
	Pool        string
	Reference   string
	Fingerprint string
	Published   time.Time // when the request was published: a ledger younger than this may have lost its claim
	Reason      string
}

// Withdrawals cancels orders that were not sent.
type Withdrawals interface {
	// Withdraw ends an order as cancelled unless it may have been sent, in one atomic step: a delivery of it that comes later finds
	// it ended. The claim comes back as it stands then, with TurnDone if it has ended, now or before, and TurnLookUp if it was sent.
	// Repeating it changes nothing. Troubles: CodeConflict, CodeLost when the ledger may have forgotten that it was sent, CodeNoPool,
	// CodeRedisDown.
	Withdraw(ctx context.Context, w Withdrawal) (Claim, error)
}

// Cancelled is what became of a cancellation, order by order.
type Cancelled struct {
	Tenant    string
	RequestID string
	Outcome   Outcome // of the request's result on record; "" while there is none
	Orders    []CancelledOrder
}

// CancelledOrder is what became of one order.
type CancelledOrder struct {
	Reference string
	Cancelled bool       // it is never sent
	State     ClaimState // "" for an order that was not drawn, of a dry run
	Reason    string     // for people
	// Closed is what became of it at 1688, if it was to be closed there: of each order that exists.
	Closed []ClosedOrder
}

// Gone says whether nothing of the order will come: it is never sent, or closed at 1688.
func (o CancelledOrder) Gone() bool {
	open := slices.ContainsFunc(o.Closed, func(c ClosedOrder) bool { return !c.Closed })
	return o.Cancelled || len(o.Closed) > 0 && !open
}

// All says whether nothing of any order will come that the cancellation was about.
func (c Cancelled) All() bool {
	return !slices.ContainsFunc(c.Orders, func(o CancelledOrder) bool { return !o.Gone() })
}

// Canceller takes requests back. Claims decide: an order that was not sent is ended as cancelled, one that was is not; if it exists at
// 1688 by now and is not paid for, it may be closed there, which its result, a word about the past, does not change. It is safe
// for concurrent use; any number of processes may cancel the same request while others buy it.
type Canceller struct {
	Record  Record
	Claims  Claims
	Ledger  Withdrawals
	Outbox  Outbox
	Market  Closer
	Marks   Marks
	Observe func(Event)
}

// Cancel decides about each order on its own and says what became of it. Once all orders of the request have ended, its result is
// published at once: it is made of the claims alone, and so the one that a delivery would publish. Who dies in between leaves
// claims that the next delivery, or the same cancellation once more, finds ended. Cancelling again changes nothing.
//
// Errors: an *Invalid that names the field; a *Trouble of the ledger or the outbox, after which it may be repeated.
func (c *Canceller) Cancel(ctx context.Context, ask Cancellation) (Cancelled, error) {
	answer := Cancelled{Tenant: ask.Tenant, RequestID: ask.RequestID}
	asked, found, err := c.Record.Asked(ctx, ask.Tenant, ask.RequestID)
	switch {
	case err != nil:
		return answer, err
	case !found:
		return answer, &Invalid{RequestID: ask.RequestID, Field: "request_id", Reason: "names no request that is on record for tenant " + ask.Tenant}
	}
	children, err := ask.chosen(Split(&asked.Request))
	if err != nil {
		return answer, err
	}
	result, decided, err := c.Record.Result(ctx, ask.Tenant, ask.RequestID)
	into := result.MergedInto
	if err == nil && !decided {
		into, err = apart(ctx, c.Marks, asked.Request, ask.DryRun)
	}
	switch {
	case err != nil:
		return answer, err
	case into != "":
		answer.Outcome = result.Outcome
		answer.Orders = append(answer.Orders, CancelledOrder{Reference: children[0].Order.Reference,
			Reason: "too late: it " + partOf + into + ": cancel that to take all of it back"})
		return answer, nil
	case decided:
		answer.Outcome = result.Outcome
		for _, child := range children {
			answer.Orders = append(answer.Orders, c.closeAll(ctx, ask, result.told(child), result.recall(child)))
		}
		return answer, nil
	}
	claims := map[string]Claim{}
	for _, child := range children {
		order, claim, err := c.order(ctx, ask, asked, child.Order.Reference)
		if err != nil {
			return answer, err
		}
		answer.Orders, claims[order.Reference] = append(answer.Orders, c.closeAll(ctx, ask, order, claim)), claim
	}
	if ask.DryRun {
		return answer, nil
	}
	answer.Outcome, err = c.conclude(ctx, asked, claims)
	return answer, err
}

// chosen are the orders that the cancellation is about.
func (c Cancellation) chosen(children []Child) ([]Child, error) {
	if c.Reference == "" {
		return children, nil
	}
	at := slices.IndexFunc(children, func(child Child) bool { return child.Order.Reference == c.Reference })
	if at < 0 {
		return nil, &Invalid{RequestID: c.RequestID, Field: "out_order_id", Reason: "is no order of this request"}
	}
	return children[at : at+1], nil
}

// order cancels one order, or only looks at it.
func (c *Canceller) order(ctx context.Context, ask Cancellation, asked Asked, reference string) (CancelledOrder, Claim, error) {
	if ask.DryRun {
		claim, err := c.claim(ctx, asked.Pool, reference)
		return foretold(reference, claim), claim, err
	}
	claim, err := c.Ledger.Withdraw(ctx, Withdrawal{Pool: asked.Pool, Reference: reference, Fingerprint: Fingerprint(&asked.Request),
		Published: asked.Published, Reason: ask.note()})
	if err != nil && AsTrouble(err).Code == CodeLost {
		return CancelledOrder{Reference: reference, State: ClaimSent,
			Reason: "too late: the record of whether it was sent is lost, and it is looked up: ask again"}, Claim{}, nil
	}
	if err != nil {
		return CancelledOrder{}, claim, err
	}
	order := toldOf(reference, claim)
	if order.Cancelled {
		c.Observe(Event{Stage: StageCancelled, Tenant: ask.Tenant, RequestID: ask.RequestID, Reference: reference, Pool: asked.Pool,
			Attempt: claim.Attempt, Code: claim.Part.Code, Reason: claim.Part.Reason})
	}
	return order, claim, nil
}

// claim shows a claim, without a state if there is none. A pool that nobody has added a key to has none.
func (c *Canceller) claim(ctx context.Context, pool, reference string) (Claim, error) {
	claim, found, err := c.Claims.Claim(ctx, pool, reference)
	if !found && (err == nil || AsTrouble(err).Code == CodeNoPool) {
		return Claim{}, nil
	}
	return claim, err
}

// conclude publishes the request's result if all its orders have ended, and gives the outcome on record, "" if there is none.
// claims are those that are known already.
func (c *Canceller) conclude(ctx context.Context, asked Asked, claims map[string]Claim) (Outcome, error) {
	var ended []*Ended
	for _, child := range Split(&asked.Request) {
		claim, known := claims[child.Order.Reference]
		if !known {
			var err error
			if claim, err = c.claim(ctx, asked.Pool, child.Order.Reference); err != nil {
				return "", err
			}
		}
		if claim.State == "" || !claim.State.Settled() {
			return "", nil
		}
		ended = append(ended, &Ended{Child: &child, Claim: claim})
	}
	result := Gather(&asked.Request, ended)
	if err := c.Outbox.Publish(ctx, result); err != nil {
		return "", err
	}
	onRecord, found, err := c.Record.Result(ctx, asked.Tenant, asked.ID)
	if err != nil || !found {
		return result.Outcome, err
	}
	return onRecord.Outcome, nil
}
