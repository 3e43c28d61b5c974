package metrics

import (
	"context"
	"time"

	"autopurchase/worker"
)

// stage is a part of a request's way whose time is measured.
type stage string

const (
	stageQueue   stage = "queue"   // from when it was published to when it was first taken, by two machines' clocks
	stageDraw    stage = "draw"    // a claim at the key pool
	stagePreview stage = "preview" // what 1688 would make of an order, through channel and relay
	stagePlace   stage = "place"   // an order at 1688, through channel and relay
	stageFind    stage = "find"    // a look-up of an order
	stageSettle  stage = "settle"  // a claim's end at the key pool
	stagePublish stage = "publish" // the result
	stageAck     stage = "ack"     // the request's end at the broker
	stageWhole   stage = "whole"   // from when it was taken to its acknowledgement
)

var stages = []stage{stageQueue, stageDraw, stagePreview, stagePlace, stageFind, stageSettle, stagePublish, stageAck, stageWhole}

// took notes the time of a stage. Clocks may differ: nothing takes less than no time.
func (s *Set) took(name stage, so time.Duration) { s.stages[name].Observe(max(0, so.Seconds())) }

// ended notes the time of a stage that went well: of one that did not, the time says how patient somebody was.
func (s *Set) ended(name stage, began time.Time, err error) {
	if err == nil {
		s.took(name, time.Since(began))
	}
}

// Ports gives a worker's ports with a stopwatch at each stage.
func (s *Set) Ports(p worker.Ports) worker.Ports {
	p.Inbox, p.Ledger, p.Market, p.Outbox = inbox{p.Inbox, s}, &ledger{p.Ledger, s}, &market{p.Market, s}, outbox{p.Outbox, s}
	p.Previewer = &previewer{p.Previewer, s}
	return p
}

type inbox struct {
	worker.Inbox
	set *Set
}

func (i inbox) Next(ctx context.Context) (*worker.Delivery, error) {
	d, err := i.Inbox.Next(ctx)
	if err == nil && d.Attempt == 1 {
		i.set.took(stageQueue, time.Since(d.Published))
	}
	if err == nil {
		d.Receipt = receipt{d.Receipt, i.set}
	}
	return d, err
}

type receipt struct {
	worker.Receipt
	set *Set
}

func (r receipt) Ack(ctx context.Context) error {
	began := time.Now()
	err := r.Receipt.Ack(ctx)
	r.set.ended(stageAck, began, err)
	return err
}

type ledger struct {
	worker.Ledger
	set *Set
}

func (l *ledger) Draw(ctx context.Context, draw *worker.Draw) (*worker.Claim, error) {
	began := time.Now()
	claim, err := l.Ledger.Draw(ctx, draw)
	l.set.ended(stageDraw, began, err)
	l.set.drawn(draw.Pool, claim, err)
	return claim, err
}

func (s *Set) drawn(pool string, claim *worker.Claim, err error) {
	var result string
	if err == nil {
		result = string(claim.Turn)
	} else {
		code := worker.AsTrouble(err).Code
		result = codeLabel(code)
		if code != worker.CodeNoKey && code != worker.CodeTooLarge && code != worker.CodeForbidden {
			pool = "none" // whether there is such a pool is not known
		}
	}
	s.draws.WithLabelValues(pool, result).Inc()
}

func (l *ledger) Settle(ctx context.Context, claim *worker.Claim, part *worker.Part, size worker.Size) error {
	began := time.Now()
	err := l.Ledger.Settle(ctx, claim, part, size)
	l.set.ended(stageSettle, began, err)
	return err
}

// answered measures how long 1688 took to answer: with yes, or with that no.
func (s *Set) answered(which stage, no worker.Verdict, began time.Time, answer *worker.Answer) *worker.Answer {
	if answer.Verdict == worker.Placed || answer.Verdict == no {
		s.took(which, time.Since(began))
	}
	return answer
}

type market struct {
	worker.Market
	set *Set
}

func (m *market) Place(ctx context.Context, order *worker.Order) *worker.Answer {
	return m.set.answered(stagePlace, worker.Refused, time.Now(), m.Market.Place(ctx, order))
}

func (m *market) Find(ctx context.Context, appKey, reference string) *worker.Answer {
	return m.set.answered(stageFind, worker.Absent, time.Now(), m.Market.Find(ctx, appKey, reference))
}

type previewer struct {
	worker.Previewer
	set *Set
}

func (p *previewer) Preview(ctx context.Context, order *worker.Order) *worker.Answer {
	return p.set.answered(stagePreview, worker.Refused, time.Now(), p.Previewer.Preview(ctx, order))
}

type outbox struct {
	worker.Outbox
	set *Set
}

func (o outbox) Publish(ctx context.Context, result worker.Result) error {
	began := time.Now()
	err := o.Outbox.Publish(ctx, result)
	o.set.ended(stagePublish, began, err)
	return err
}
