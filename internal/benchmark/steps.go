package benchmark

import (
	"context"
	"sync"
	"time"

	"autopurchase/worker"
)

// The steps of a purchase, as they are reported.
var stepNames = [...]string{"draw", "place", "settle", "publish", "ack"}

const (
	stepDraw = iota
	stepPlace
	stepSettle
	stepPublish
	stepAck
)

// steps stand around a worker's ports and time what it waits for.
type steps struct {
	mutex sync.Mutex
	took  [len(stepNames)][]time.Duration
}

func (s *steps) ended(step int, began time.Time) {
	took := time.Since(began)
	s.mutex.Lock()
	s.took[step] = append(s.took[step], took)
	s.mutex.Unlock()
}

func (s *steps) around(p worker.Ports) worker.Ports {
	p.Inbox, p.Ledger, p.Market, p.Outbox = timedInbox{p.Inbox, s}, timedLedger{p.Ledger, s}, timedMarket{p.Market, s}, timedOutbox{p.Outbox, s}
	return p
}

type timedInbox struct {
	worker.Inbox
	steps *steps
}

func (i timedInbox) Next(ctx context.Context) (*worker.Delivery, error) {
	d, err := i.Inbox.Next(ctx)
	if err == nil {
		d.Receipt = timedReceipt{d.Receipt, i.steps}
	}
	return d, err
}

type timedReceipt struct {
	worker.Receipt
	steps *steps
}

func (r timedReceipt) Ack(ctx context.Context) error {
	defer r.steps.ended(stepAck, time.Now())
	return r.Receipt.Ack(ctx)
}

type timedLedger struct {
	worker.Ledger
	steps *steps
}

func (l timedLedger) Draw(ctx context.Context, draw *worker.Draw) (*worker.Claim, error) {
	defer l.steps.ended(stepDraw, time.Now())
	return l.Ledger.Draw(ctx, draw)
}

func (l timedLedger) Settle(ctx context.Context, claim *worker.Claim, part *worker.Part, size worker.Size) error {
	defer l.steps.ended(stepSettle, time.Now())
	return l.Ledger.Settle(ctx, claim, part, size)
}

type timedMarket struct {
	worker.Market
	steps *steps
}

func (m timedMarket) Place(ctx context.Context, order *worker.Order) *worker.Answer {
	defer m.steps.ended(stepPlace, time.Now())
	return m.Market.Place(ctx, order)
}

type timedOutbox struct {
	worker.Outbox
	steps *steps
}

func (o timedOutbox) Publish(ctx context.Context, result worker.Result) error {
	defer o.steps.ended(stepPublish, time.Now())
	return o.Outbox.Publish(ctx, result)
}
