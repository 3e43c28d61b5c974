package worker

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// pay tries to pay for an order of which nothing is under way. on says to go on at once with what is on record then.
func (b *bill) pay(ctx context.Context) (again time.Duration, on bool, err error) {
	if b.last.Step == PaymentWaits && !b.due() {
		return b.config.WaitEvery, false, nil
	}
	if halt, err := b.Stopped(ctx); halt.Stopped || err != nil {
		return aSecond, false, err
	}
	if b.last.Step == PaymentIntended {
		b.former = b.counted()
	} else if b.last.futile() {
		if err := b.Till.GiveBack(ctx, b.last); err != nil {
			return 0, false, err
		}
	}
	detail, err := b.look(ctx)
	if err != nil {
		return 0, false, err
	}
	if done, err := b.seen(ctx, detail); done || err != nil {
		return 0, true, err
	}
	if code, reason, err := b.objection(ctx, detail); code != "" || err != nil {
		if err != nil {
			return 0, false, err
		}
		return b.wait(ctx, code, reason, detail)
	}
	return b.send(ctx, detail)
}

// futile says whether nothing came of the last try, nor can any more: it was not taken, or a person said that it may be made again.
func (p Payment) futile() bool { return p.Step == PaymentUnpaid || p.Step == PaymentAgreed }

// due says whether 1688 is to be asked again about a payment that waits.
func (b *bill) due() bool {
	if since := b.asked.read(b.order.OrderID); since > 0 && since < b.config.AskEvery {
		return false
	}
	b.asked.stop(b.order.OrderID)
	return true
}

// look asks 1688 how the order is. One that it does not show for long has no status.
func (b *bill) look(ctx context.Context) (OrderDetail, error) {
	ctx, cancel := context.WithTimeout(ctx, b.config.PayTimeout)
	defer cancel()
	answer := b.Teller.Detail(ctx, b.order.AppKey, b.order.OrderID)
	switch {
	case answer.Verdict == Placed && answer.Detail != nil:
		b.missing.stop(b.order.OrderID)
		return *answer.Detail, nil
	case answer.Verdict == Absent && b.missing.read(b.order.OrderID) >= b.config.LookFor:
		return OrderDetail{OrderID: b.order.OrderID}, nil
	}
	return OrderDetail{}, &Trouble{Code: answer.Code, Reason: "1688 cannot be asked about order " + b.order.OrderID + ": " + answer.Reason, After: answer.retry()}
}

func (a Answer) retry() time.Duration { return time.Duration(a.Retry) * time.Millisecond }

// seen ends a payment that 1688's status of the order decides.
func (b *bill) seen(ctx context.Context, detail OrderDetail) (done bool, err error) {
	switch {
	case PaidFor(detail.Status):
		return true, b.enter(ctx, PaymentPaid, func(p *Payment) {
			p.Status, p.Reason = detail.Status, "1688 shows it as paid"
		})
	case Closed(detail.Status):
		return true, b.enter(ctx, PaymentGivenUp, func(p *Payment) {
			p.Status, p.Code, p.Reason = detail.Status, WaitClosed, "the order was closed at 1688"
		})
	}
	return false, nil
}

// objection says why an order that is unpaid must not be paid for now, "" if it may.
func (b *bill) objection(ctx context.Context, detail OrderDetail) (WaitCode, string, error) {
	switch {
	case detail.Status == "":
		return WaitStatus, "1688 does not show the order", nil
	case detail.Status != StatusUnpaid:
		return WaitStatus, fmt.Sprintf("1688 has it as %q, and it is not known whether it is to be paid", detail.Status), nil
	case b.last.Try >= PaymentTries && b.last.Step != PaymentIntended:
		return WaitTries, fmt.Sprintf("it was tried %d times: pay by hand, autopurchase orders pay-link", PaymentTries), nil
	}
	asked, found, err := b.Record.Asked(ctx, b.result.Tenant, b.result.RequestID)
	switch {
	case err != nil:
		return "", "", err
	case !found:
		return WaitRequest, "its request is no longer on record", nil
	}
	if b.last.Account, err = b.Account(ctx, asked.Pool, b.order.AppKey); err != nil {
		return "", "", err
	}
	b.last.Account = cmp.Or(b.last.Account, b.order.AppKey)
	if reason := b.payable(asked.Request, detail).refusal(); reason != "" {
		return WaitPrice, reason, nil
	}
	if most := b.config.Ceilings(b.last.Account).Order; most > 0 && detail.Total > most && detail.Total > b.last.Agreed {
		return WaitOrder, fmt.Sprintf("%s is above what account %s pays for one order, %s", detail.Total.Yuan(), b.last.Account, most.Yuan()), nil
	}
	return b.agreement(ctx)
}

func (b *bill) payable(asked Request, detail OrderDetail) payable {
	p := payable{now: detail.Total, ordered: b.order.Total, agreed: b.last.Agreed, tolerance: asked.PriceTolerance, most: asked.MaxTotal}
	for _, other := range b.result.Orders {
		if other.OrderID != b.order.OrderID {
			p.others += other.Total
		}
	}
	return p
}

// send enters the intent, counts it, enters that it is sent and asks for the money. Whoever finds another entry in between has
// lost, and sends nothing.
func (b *bill) send(ctx context.Context, detail OrderDetail) (again time.Duration, on bool, err error) {
	err = b.enter(ctx, PaymentIntended, func(p *Payment) {
		if b.last.Step != PaymentIntended {
			p.Try++
		}
		p.OpRequestID, p.Amount, p.Status, p.Day, p.Intent = b.opRequestID(p.Try), detail.Total, detail.Status, today(), 0
	})
	if err != nil {
		return 0, false, err
	}
	b.last.Intent = b.place
	most := b.config.Ceilings(b.last.Account).Day
	counted, err := b.Till.Take(ctx, b.last, most)
	if err != nil {
		return 0, false, err
	}
	if !counted {
		b.last.Try--
		reason := fmt.Sprintf("%s is above what is left of what account %s pays in a day, %s", b.last.Amount.Yuan(), b.last.Account, most.Yuan())
		return b.wait(ctx, WaitDay, reason, detail)
	}
	if halt, err := b.Stopped(ctx); halt.Stopped || err != nil {
		return aSecond, false, err // the intent stays, and is taken up later
	}
	return b.charge(ctx)
}

// charge asks for the money. Its time runs from before the entry: a process that was frozen in between does not begin it any more.
func (b *bill) charge(ctx context.Context) (again time.Duration, on bool, err error) {
	inTime, cancel := context.WithTimeout(ctx, b.config.PayTimeout)
	defer cancel()
	mine := b.last
	if err := b.enter(ctx, PaymentSent, func(p *Payment) { p.Denied = false }); err != nil {
		if AsTrouble(err).Code == CodeFenced {
			return 0, false, b.giveBack(ctx, mine, err)
		}
		return 0, false, err
	}
	answer := b.Teller.Pay(inTime, Charge{AppKey: b.order.AppKey, OrderID: b.order.OrderID, Amount: b.last.Amount, OpRequestID: b.last.OpRequestID})
	switch answer.Verdict {
	case Placed:
		return 0, true, b.enter(ctx, PaymentPaid, func(p *Payment) { p.Reason = "1688 says that it has the money" })
	case NotAttempted:
		if err := b.unpaid(ctx, true, "it did not reach 1688: "+answer.Reason); err != nil {
			return 0, false, err
		}
		return 0, false, &Trouble{Code: answer.Code, Reason: answer.Reason, After: answer.retry()}
	}
	b.agreements.forget(b.order.AppKey)
	return 0, true, b.enter(ctx, PaymentUnknown, func(p *Payment) { p.Reason, p.Denied = answer.Reason, answer.Verdict == Refused })
}

// giveBack counts an intent no longer that somebody else has taken over, and returns why.
func (b *bill) giveBack(ctx context.Context, intent Payment, why error) error {
	if err := b.Till.GiveBack(ctx, intent); err != nil {
		return err
	}
	return why
}

// counted is the payment as the till knows it.
func (b *bill) counted() Payment {
	p := b.last
	if p.Step == PaymentIntended {
		p.Intent = b.place
	}
	return p
}

// unpaid enters that the money was not taken. A try that did not reach 1688 is none.
func (b *bill) unpaid(ctx context.Context, untried bool, reason string) error {
	sent := b.counted()
	err := b.enter(ctx, PaymentUnpaid, func(p *Payment) {
		if untried {
			p.Try--
		}
		p.Reason = reason
	})
	if err != nil {
		return err
	}
	return b.Till.GiveBack(ctx, sent)
}
