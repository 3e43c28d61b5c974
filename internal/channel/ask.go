package channel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"autopurchase/worker"
)

// Place sends one order, once. It ends by ctx or CallTimeout, whichever is sooner.
func (c *Client) Place(ctx context.Context, order *worker.Order) *worker.Answer {
	return c.ask(ctx, &call{op: opPlace, reference: order.Reference}, order)
}

// Preview asks what 1688 would make of an order, with its app key; see worker.Previewer.
func (c *Client) Preview(ctx context.Context, order *worker.Order) *worker.Answer {
	return c.ask(ctx, &call{op: opPreview, reference: order.Reference}, order)
}

// Find looks an order up by its reference with the key that would have placed it.
func (c *Client) Find(ctx context.Context, appKey, reference string) *worker.Answer {
	return c.ask(ctx, &call{op: opFind, reference: reference}, &lookup{AppKey: appKey, Reference: reference})
}

// Probe asks the relay to prove a key: its secret, and the relay's clock. The relay's Desk says what its answer means.
func (c *Client) Probe(ctx context.Context, appKey string) worker.Answer {
	return *c.ask(ctx, &call{op: opProbe, reference: "app key " + appKey}, &lookup{AppKey: appKey})
}

// Check lets the relay find out one thing about a key. Placed, without orders, means that it is so, Refused that it is not.
func (c *Client) Check(ctx context.Context, appKey string, what worker.Check) worker.Answer {
	return *c.ask(ctx, &call{op: opCheck, reference: "app key " + appKey}, &checkup{AppKey: appKey, What: what})
}

// Authorize begins the authorization of a key, or ends it with the code that came back. Placed, without orders, means that it
// could be done.
func (c *Client) Authorize(ctx context.Context, a worker.Authorization) worker.Answer {
	return *c.ask(ctx, &call{op: opAuthorize, reference: "app key " + a.AppKey}, &a)
}

// Detail shows one order as it is now, by 1688's order id; see worker.Teller.
func (c *Client) Detail(ctx context.Context, appKey, orderID string) worker.Answer {
	return *c.ask(ctx, &call{op: opDetail, reference: "order " + orderID}, &inquiry{AppKey: appKey, OrderID: orderID})
}

// List asks for a page of a buyer's orders; see worker.Bookshop.
func (c *Client) List(ctx context.Context, leaf worker.Leaf) worker.Answer {
	return *c.ask(ctx, &call{op: opList, reference: "orders of app key " + leaf.AppKey}, &leaf)
}

// Pay asks for the money for an order, once; see worker.Teller. It ends by ctx or CallTimeout, whichever is sooner, and is not begun
// at the relay after that.
func (c *Client) Pay(ctx context.Context, charge worker.Charge) worker.Answer {
	return *c.ask(ctx, &call{op: opPay, reference: "payment " + charge.OpRequestID}, &charge)
}

// CancelOrder closes one order at 1688, by its order id; see worker.Closer.
func (c *Client) CancelOrder(ctx context.Context, appKey, orderID string) worker.Answer {
	return *c.ask(ctx, &call{op: opCancel, reference: "order " + orderID}, &inquiry{AppKey: appKey, OrderID: orderID})
}

// PayLink gives an address where a person pays for orders of one key by hand: Placed or Refused with Answer.Link, NotAttempted or
// Unknown.
func (c *Client) PayLink(ctx context.Context, appKey string, orderIDs []string) worker.Answer {
	return *c.ask(ctx, &call{op: opPayLink, reference: "app key " + appKey}, &linking{AppKey: appKey, OrderIDs: orderIDs})
}

func (c *Client) ask(ctx context.Context, ask *call, body any) *worker.Answer {
	l := c.line.Load()
	if l == nil {
		return neverLeft("no relay in reach: " + *c.why.Load())
	}
	deadline := c.deadline(ctx)
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	if why := l.takeSeat(ctx, timer); why != "" {
		return neverLeft(why)
	}
	defer func() { <-c.seats }()
	ask.id, ask.reply = c.lastID.Add(1), make(chan *worker.Answer, 1)
	if failed := l.enqueue(ctx, ask, deadline, body); failed != nil {
		return failed
	}
	return l.await(ctx, timer, ask)
}

func (c *Client) deadline(ctx context.Context) time.Time {
	deadline := time.Now().Add(c.cfg.CallTimeout)
	if sooner, ok := ctx.Deadline(); ok && sooner.Before(deadline) {
		return sooner
	}
	return deadline
}

// takeSeat waits for one of the client's places in flight and returns why there is none.
func (l *line) takeSeat(ctx context.Context, timer *time.Timer) string {
	if ctx.Err() != nil {
		return "the caller had given up"
	}
	select {
	case l.client.seats <- struct{}{}:
		return ""
	default:
	}
	select {
	case l.client.seats <- struct{}{}:
		return ""
	case <-ctx.Done():
	case <-timer.C:
	case <-l.ctx.Done():
		return "the connection to the relay was lost"
	}
	return "too many asks in flight"
}

func (l *line) enqueue(ctx context.Context, ask *call, deadline time.Time, body any) (failed *worker.Answer) {
	text := blank()
	frame, err := appendAsk(*text, ask.id, ask.op, traceOf(ctx), l.relayTime(deadline), body)
	if err != nil || len(frame) > maxFrame {
		return &worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeInternal, Reason: "the order does not fit into a frame"}
	}
	*text = frame
	l.calls.add(ask)
	if !l.offer(outgoing{text: text, ask: ask}) {
		l.calls.giveUp(ask)
		return neverLeft("the relay has stopped reading")
	}
	return nil
}

func (l *line) await(ctx context.Context, timer *time.Timer, ask *call) *worker.Answer {
	why := "no reply by the deadline"
	select {
	case answer := <-ask.reply:
		return answer
	case <-timer.C:
	case <-ctx.Done():
		why = "no reply before the caller gave up"
	case <-l.ctx.Done():
		why = "the connection to the relay was lost: " + context.Cause(l.ctx).Error()
	}
	answer, never, answered := l.calls.giveUp(ask)
	switch {
	case answered:
		return answer
	case never || closedWith(context.Cause(l.ctx), closeDrained):
		return neverLeft(why)
	}
	return unknown(why)
}

func neverLeft(why string) *worker.Answer {
	return &worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeChannelDown, Reason: why}
}

func unknown(why string) *worker.Answer {
	return &worker.Answer{Verdict: worker.Unknown, Code: worker.CodeNoAnswer, Reason: why}
}

// unreachable words a dial error. An address that cannot be parsed is not repeated: it may hold a password.
func unreachable(err error) error {
	if _, malformed := errors.AsType[*url.Error](err); malformed {
		return errors.New("the relay's address is not a ws:// or wss:// URL")
	}
	return fmt.Errorf("the relay cannot be reached: %w", err)
}
