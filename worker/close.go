package worker

import (
	"context"
	"time"
)

// YoungestToClose is how old an order must be before 1688 closes it (official documentation: CLOSE_ORDER_TOO_FAST).
const YoungestToClose = 10 * time.Second

// Closer is 1688 as somebody sees it who takes an order back that exists there: the order channel. Every call ends by ctx's deadline
// or its own, whichever is sooner.
type Closer interface {
	// Detail shows one order by 1688's order id: Placed with Answer.Detail, Absent, NotAttempted or Unknown.
	Detail(ctx context.Context, appKey, orderID string) Answer
	// CancelOrder closes an order that is not paid for: Placed when it is done, Refused, NotAttempted, with Answer.Retry for one that is
	// too young, or Unknown. What 1688 says of one that is closed already is not known: Detail tells.
	CancelOrder(ctx context.Context, appKey, orderID string) Answer
}

// ClosedOrder is what became of an order at 1688 that was to be closed there.
type ClosedOrder struct {
	OrderID string
	Closed  bool          // it is closed: nothing is to be paid for it, and nothing is sent
	Again   time.Duration // it is too young: ask again after this; 0 for any other answer
	Reason  string        // for people
}

// closeAll closes what an order became at 1688, if that is asked for.
func (c *Canceller) closeAll(ctx context.Context, ask Cancellation, order CancelledOrder, claim Claim) CancelledOrder {
	if !ask.AtMarket {
		return order
	}
	for _, placed := range claim.Part.Orders {
		closed := c.close(ctx, claim.AppKey, placed.ID, ask.DryRun)
		order.Closed = append(order.Closed, closed)
		if closed.Closed && !ask.DryRun {
			c.Observe(Event{Stage: StageCancelled, Tenant: ask.Tenant, RequestID: ask.RequestID, Reference: order.Reference, AppKey: claim.AppKey,
				Attempt: claim.Attempt, Code: CodeCancelled, Reason: "order " + placed.ID + " " + closed.Reason})
		}
	}
	return order
}

// close closes one order at 1688 if it waits to be paid for there. 1688's own word on how the order stands decides, before and after,
// so that asking once more after a lost reply changes nothing. What the key counted stays counted: it was ordered.
func (c *Canceller) close(ctx context.Context, appKey, orderID string, dryRun bool) ClosedOrder {
	shown := c.Market.Detail(ctx, appKey, orderID)
	if shown.Verdict != Placed {
		return ClosedOrder{OrderID: orderID, Reason: "1688 does not show how it stands, ask again: " + shown.Reason}
	}
	order, ends := standing(orderID, shown.Detail.Status)
	switch again := youth(shown.Detail.Made, time.Now()); {
	case ends:
		return order
	case dryRun:
		return ClosedOrder{OrderID: orderID, Closed: true, Reason: "waits to be paid for: would be closed at 1688"}
	case again > 0:
		return tooYoung(orderID, again)
	}
	answer := c.Market.CancelOrder(ctx, appKey, orderID)
	switch again := time.Duration(answer.Retry) * time.Millisecond; {
	case answer.Verdict == Placed:
		return ClosedOrder{OrderID: orderID, Closed: true, Reason: "closed at 1688"}
	case answer.Verdict == NotAttempted && again > 0:
		return tooYoung(orderID, again)
	case answer.Verdict == NotAttempted:
		return ClosedOrder{OrderID: orderID, Reason: "1688 was not asked, ask again: " + answer.Reason}
	}
	return c.afterwards(ctx, appKey, orderID, answer)
}

func tooYoung(orderID string, again time.Duration) ClosedOrder {
	return ClosedOrder{OrderID: orderID, Again: again, Reason: "1688 closes no order in its first ten seconds: ask again"}
}

// afterwards lets the order itself say what a refusal or a lost reply means.
func (c *Canceller) afterwards(ctx context.Context, appKey, orderID string, answer Answer) ClosedOrder {
	if shown := c.Market.Detail(ctx, appKey, orderID); shown.Verdict == Placed {
		if order, ends := standing(orderID, shown.Detail.Status); ends {
			return order
		}
	}
	if answer.Verdict == Refused {
		return ClosedOrder{OrderID: orderID, Reason: "1688 does not close it: " + answer.Reason}
	}
	return ClosedOrder{OrderID: orderID, Reason: "whether 1688 closes it is not known yet, ask again: " + answer.Reason}
}

// standing says what 1688's status of an order means for closing it; ends is false for one that waits to be paid for.
func standing(orderID, status string) (order ClosedOrder, ends bool) {
	order = ClosedOrder{OrderID: orderID, Closed: Closed(status)}
	switch {
	case order.Closed:
		order.Reason = "is closed at 1688: " + status
	case status == StatusUnpaid:
		return order, false
	case PaidFor(status):
		order.Reason = "too late: it is paid for, and 1688 closes unpaid orders only: " + status
	default:
		order.Reason = "1688 closes unpaid orders only, and calls it " + status
	}
	return order, true
}

// youth is how long to wait until an order that was made then may be closed, 0 or less if it may be. made is milliseconds of Unix time
// by the platform's clock; if it is 0, or that clock is another one, 1688 itself says that an order is too young.
func youth(made int64, now time.Time) time.Duration {
	if made == 0 {
		return 0
	}
	return min(time.UnixMilli(made).Add(YoungestToClose).Sub(now), YoungestToClose)
}
