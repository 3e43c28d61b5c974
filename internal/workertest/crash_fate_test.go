package workertest_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"autopurchase/worker"
)

// fate is what a child process does to itself at the named points of its way: "before draw", "after draw", and so on for
// every effect: admit, draw, place, find, settle, unsend, publish, bury, ack, nak, term. A step that failed has no "after".
type fate struct {
	part
	stopOnce sync.Once
}

func newFate(p part) *fate { return &fate{part: p} }

func (f *fate) reach(point string) {
	if slices.Contains(f.DieAt, point) {
		f.signal(syscall.SIGKILL)
		select {} // nothing happens between the signal and its effect
	}
	if slices.Contains(f.StopAt, point) {
		f.stopOnce.Do(func() { f.freeze(point) })
	}
}

// freeze stops the process and returns when it was continued. It waits for the word, since a stop may take a moment.
func (f *fate) freeze(point string) {
	thawed := make(chan os.Signal, 1)
	signal.Notify(thawed, syscall.SIGCONT)
	defer signal.Stop(thawed)
	fmt.Println("frozen", point)
	f.signal(syscall.SIGSTOP)
	<-thawed
}

func (f *fate) signal(s syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		panic(err)
	}
}

// step does something between its two points.
func step[T any](f *fate, name string, do func() (T, error)) (T, error) {
	f.reach("before " + name)
	value, err := do()
	if err == nil {
		f.reach("after " + name)
	}
	return value, err
}

func act(f *fate, name string, do func() error) error {
	_, err := step(f, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (f *fate) decoder(decode worker.Decoder) worker.Decoder {
	return func(body []byte) (*worker.Request, error) {
		return step(f, "admit", func() (*worker.Request, error) { return decode(body) })
	}
}

type fatefulLedger struct {
	worker.Ledger
	f *fate
}

func (l fatefulLedger) Draw(ctx context.Context, d *worker.Draw) (*worker.Claim, error) {
	return step(l.f, "draw", func() (*worker.Claim, error) { return l.Ledger.Draw(ctx, d) })
}

func (l fatefulLedger) Settle(ctx context.Context, c *worker.Claim, p *worker.Part, s worker.Size) error {
	return act(l.f, "settle", func() error { return l.Ledger.Settle(ctx, c, p, s) })
}

func (l fatefulLedger) Unsend(ctx context.Context, c *worker.Claim, why worker.Code) error {
	return act(l.f, "unsend", func() error { return l.Ledger.Unsend(ctx, c, why) })
}

type fatefulMarket struct {
	worker.Market
	f *fate
}

func (m fatefulMarket) Place(ctx context.Context, order *worker.Order) *worker.Answer {
	return asked(m.f, "place", func() *worker.Answer { return m.Market.Place(ctx, order) })
}

func (m fatefulMarket) Find(ctx context.Context, appKey, reference string) *worker.Answer {
	return asked(m.f, "find", func() *worker.Answer { return m.Market.Find(ctx, appKey, reference) })
}

type fatefulPreviewer struct {
	worker.Previewer
	f *fate
}

func (p fatefulPreviewer) Preview(ctx context.Context, order *worker.Order) *worker.Answer {
	return asked(p.f, "preview", func() *worker.Answer { return p.Previewer.Preview(ctx, order) })
}

type fatefulUndrawn struct {
	worker.Undrawn
	f *fate
}

func (u fatefulUndrawn) Refuse(ctx context.Context, d worker.Draw, part worker.Part) (worker.Claim, error) {
	return step(u.f, "refuse", func() (worker.Claim, error) { return u.Undrawn.Refuse(ctx, d, part) })
}

func asked[T any](f *fate, name string, ask func() T) T {
	answer, _ := step(f, name, func() (T, error) { return ask(), nil })
	return answer
}

type fatefulOutbox struct {
	worker.Outbox
	f *fate
}

func (o fatefulOutbox) Publish(ctx context.Context, result worker.Result) error {
	return act(o.f, "publish", func() error { return o.Outbox.Publish(ctx, result) })
}

func (o fatefulOutbox) Bury(ctx context.Context, letter worker.DeadLetter) error {
	return act(o.f, "bury", func() error { return o.Outbox.Bury(ctx, letter) })
}

type fatefulInbox struct {
	worker.Inbox
	f *fate
}

func (i fatefulInbox) Next(ctx context.Context) (*worker.Delivery, error) {
	d, err := i.Inbox.Next(ctx)
	if err == nil {
		d.Receipt = fatefulReceipt{d.Receipt, i.f}
	}
	return d, err
}

type fatefulReceipt struct {
	worker.Receipt
	f *fate
}

func (r fatefulReceipt) Ack(ctx context.Context) error {
	return act(r.f, "ack", func() error { return r.Receipt.Ack(ctx) })
}

func (r fatefulReceipt) Nak(ctx context.Context, after time.Duration) error {
	return act(r.f, "nak", func() error { return r.Receipt.Nak(ctx, after) })
}

func (r fatefulReceipt) Term(ctx context.Context, reason string) error {
	return act(r.f, "term", func() error { return r.Receipt.Term(ctx, reason) })
}

// desk is what a relay does for its workers.
type desk interface {
	Place(ctx context.Context, order worker.Order) worker.Answer
	Preview(ctx context.Context, order worker.Order) worker.Answer
	Find(ctx context.Context, appKey, reference string) worker.Answer
	Probe(ctx context.Context, appKey string) worker.Answer
	Check(ctx context.Context, appKey string, what worker.Check) worker.Answer
	Authorize(ctx context.Context, a worker.Authorization) worker.Answer
	worker.Bookshop
	CancelOrder(ctx context.Context, appKey, orderID string) worker.Answer
	Pay(ctx context.Context, charge worker.Charge) worker.Answer
	PayLink(ctx context.Context, appKey string, orderIDs []string) worker.Answer
}

type fatefulDesk struct {
	desk
	f *fate
}

func (d fatefulDesk) Place(ctx context.Context, order worker.Order) worker.Answer {
	return asked(d.f, "gateway", func() worker.Answer { return d.desk.Place(ctx, order) })
}

func (d fatefulDesk) Find(ctx context.Context, appKey, reference string) worker.Answer {
	return asked(d.f, "find", func() worker.Answer { return d.desk.Find(ctx, appKey, reference) })
}

type fatefulChoices struct {
	worker.Choices
	f *fate
}

func (c fatefulChoices) Choose(ctx context.Context, tenant, ref string, choice worker.Choice) (worker.Choice, error) {
	return step(c.f, "choose", func() (worker.Choice, error) { return c.Choices.Choose(ctx, tenant, ref, choice) })
}
