package worker

import (
	"context"
	"fmt"
	"time"
)

// lookUp finds out what became of a payment that may have been taken: 1688's status of the order decides, and nothing is tried
// again before it has shown it as unpaid for long enough. A try that was never answered is not made again without a person: it may
// have been taken and show later than anybody waits, and then money would be paid twice.
func (b *bill) lookUp(ctx context.Context) (again time.Duration, on bool, err error) {
	if b.last.Wants() && !b.due() {
		return b.config.WaitEvery, false, nil
	}
	detail, err := b.look(ctx)
	if err != nil {
		return 0, false, err
	}
	if done, err := b.seen(ctx, detail); done || err != nil {
		return 0, true, err
	}
	since := b.unanswered.read(b.last.OpRequestID)
	switch {
	case since < b.config.LookFor && !b.last.Wants():
		return min(max(since, soon), b.config.LookFor-since), false, nil
	case detail.Status != StatusUnpaid:
		return b.doubt(ctx, WaitStatus, fmt.Sprintf("the money may have been taken, and 1688 has the order as %q", detail.Status), detail)
	case !b.last.Denied && !b.config.RetryUnanswered:
		return b.doubt(ctx, WaitAnswer, "1688 never said whether it has the money, and shows the order as unpaid: look at Alipay; then "+
			"`autopurchase orders pay --agree` has it tried once more, `orders pay-link` is for paying by hand", detail)
	}
	if err := b.unpaid(ctx, false, "1688 shows it as unpaid all the time since it was sent"); err != nil {
		return 0, false, err
	}
	b.unanswered.stop(b.last.OpRequestID)
	return 0, true, nil
}

// doubt enters, once, that a payment may have been taken and wants a person. It goes on being looked at: one that shows in the end is
// paid.
func (b *bill) doubt(ctx context.Context, code WaitCode, reason string, detail OrderDetail) (again time.Duration, on bool, err error) {
	b.asked.stop(b.order.OrderID)
	b.asked.read(b.order.OrderID)
	if b.last.Step == PaymentUnknown && b.last.Code == code && b.last.Status == detail.Status {
		return b.config.WaitEvery, false, nil
	}
	return b.config.WaitEvery, false, b.enter(ctx, PaymentUnknown, func(p *Payment) { p.Code, p.Status, p.Reason = code, detail.Status, reason })
}
