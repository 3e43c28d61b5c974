package channel

import (
	"cmp"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"autopurchase/worker"
)

// call is one ask in flight. Its state decides between not_attempted and unknown: the writer claims it just before the frame
// goes to the socket, the caller withdraws it when it will not wait any longer, and only one of the two succeeds.
type call struct {
	id        uint64
	op        string
	reference string
	state     atomic.Int32
	reply     chan *worker.Answer // holds one
}

const (
	queued int32 = iota
	sent
	withdrawn
)

func (c *call) claim() bool    { return c.state.CompareAndSwap(queued, sent) }
func (c *call) withdraw() bool { return c.state.CompareAndSwap(queued, withdrawn) }

// remembered is how many ended calls of a connection are kept to judge what comes for them later.
const remembered = 1024

// ended is a call that has ended: with an answer, or by giving up (no verdict).
type ended struct {
	id        uint64
	reference string
	answer    worker.Answer
}

// calls are the asks of one connection: an id of another connection finds nothing here.
type calls struct {
	mu   sync.Mutex
	open map[uint64]*call
	past [remembered]ended // by id modulo its length: ids count up
}

func newCalls() *calls { return &calls{open: map[uint64]*call{}} }

func (t *calls) add(c *call) {
	t.mu.Lock()
	t.open[c.id] = c
	t.mu.Unlock()
}

// giveUp ends a call without a reply and says whether it provably never left. If its reply came just now, that is the answer.
func (t *calls) giveUp(c *call) (answer *worker.Answer, neverLeft, answered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, open := t.open[c.id]; !open {
		return <-c.reply, false, true
	}
	delete(t.open, c.id)
	if c.withdraw() {
		return answer, true, false
	}
	t.past[c.id%remembered] = ended{id: c.id, reference: c.reference}
	return answer, false, false
}

// settle gives a reply to the call that waits for it and returns what people must be told, "" if nothing, and the reference
// of an order that the reply names too late. A reply that breaks the protocol leaves its call unknown.
func (t *calls) settle(id uint64, answer *worker.Answer, unreadable error) (text, late string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, open := t.open[id]
	if !open || c.state.Load() != sent {
		past := &t.past[id%remembered]
		text = past.objection(id, answer)
		if text != "" && past.id == id && len(answer.Orders) > 0 && check(opPlace, answer) == nil {
			late = past.reference
		}
		return text, late
	}
	fault := ""
	if err := cmp.Or(unreadable, check(c.op, answer)); err != nil {
		fault = "reply for " + c.reference + " breaks the protocol: " + err.Error()
		answer = unknown("the relay's reply could not be read")
	}
	delete(t.open, id)
	t.past[id%remembered] = ended{id: id, reference: c.reference, answer: *answer}
	c.reply <- answer // never blocks: it holds one, and there is one
	return fault, ""
}

// check says whether an answer has what its verdict promises.
func check(op string, answer *worker.Answer) error {
	switch answer.Verdict {
	case worker.Placed:
		for _, order := range answer.Orders {
			if order.ID == "" {
				return fmt.Errorf("%w: placed with an order without id", errFrame)
			}
		}
		switch op {
		case opPreview:
			return checkPreview(answer)
		case opDetail, opPay, opPayLink, opCancel:
			return checkPaying(op, answer)
		case opList:
			return checkListed(answer)
		}
		if len(answer.Orders) > 0 || op == opProbe || op == opCheck || op == opAuthorize {
			return nil
		}
		return fmt.Errorf("%w: placed without an order", errFrame)
	case worker.Absent:
		if op == opPlace || op == opPreview || op == opPay || op == opPayLink || op == opCancel {
			return fmt.Errorf("%w: absent is no answer to %s", errFrame, op)
		}
		return nil
	case worker.Refused, worker.NotAttempted, worker.Unknown:
		return nil
	}
	return fmt.Errorf("%w: verdict is not one of the five", errFrame)
}

// checkPreview says whether a preview that went well has quotes, and no order: it must never make one.
func checkPreview(answer *worker.Answer) error {
	if len(answer.Quotes) == 0 || len(answer.Orders) > 0 {
		return fmt.Errorf("%w: a preview has quotes and no order", errFrame)
	}
	return nil
}

// checkPaying says whether a call about an order or its payment that went well has what was asked for, and no order: it never makes
// one.
func checkPaying(op string, answer *worker.Answer) error {
	shows, links := answer.Detail != nil && answer.Detail.OrderID != "", answer.Link != nil && answer.Link.URL != ""
	if len(answer.Orders) > 0 || shows != (op == opDetail) || links != (op == opPayLink) {
		return fmt.Errorf("%w: %s without what was asked for", errFrame, op)
	}
	return nil
}

// checkListed says whether orders are listed, and none is told of as if it answered an order of ours.
func checkListed(answer *worker.Answer) error {
	if len(answer.Listed) == 0 || len(answer.Orders) > 0 {
		return fmt.Errorf("%w: a list has orders, all of them in full", errFrame)
	}
	for _, order := range answer.Listed {
		if order.OrderID == "" {
			return fmt.Errorf("%w: an order without id is listed", errFrame)
		}
	}
	return nil
}

// objection says what is wrong with a reply to a call that is not open, "" if it may be passed over.
func (e *ended) objection(id uint64, late *worker.Answer) string {
	switch {
	case e.id != id:
		return "reply to an unknown id: " + describe(late)
	case e.answer.Verdict == "" && late.Verdict == worker.NotAttempted:
		return ""
	case e.answer.Verdict == "":
		return "reply for " + e.reference + " after its deadline: " + describe(late)
	case reflect.DeepEqual(&e.answer, late):
		return ""
	}
	return "second reply for " + e.reference + " differs from the first, which stands: " + describe(&e.answer) + ", then " + describe(late)
}

// describe names what an alarm is about: the verdict and the orders, nothing of a buyer.
func describe(a *worker.Answer) string {
	text := string(a.Verdict)
	for _, order := range a.Orders {
		text += " order " + order.ID
	}
	return text
}
