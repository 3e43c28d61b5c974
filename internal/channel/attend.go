package channel

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"autopurchase/worker"
)

// job is an ask on its way through the desk.
type job struct {
	id       uint64
	op       string
	trace    string
	deadline int64 // by the relay's clock; 0 when not said
	body     []byte
}

// attend asks the desk. A panic in there leaves this one ask unknown.
func (s *Server) attend(j job) (answer worker.Answer) {
	ctx, ended := s.cfg.Follow(traced(s.ctx, j.trace), j.op)
	defer func() { ended(answer) }()
	defer func() {
		if thrown := recover(); thrown != nil {
			s.cfg.Log.Error().Str("op", j.op).Uint64("id", j.id).Str("panic", harmless(thrown)).Bytes("stack", debug.Stack()).Msg("ask ended in a panic")
			answer = *unknown("the relay failed while it worked on it")
		}
	}()
	deadline := time.Now().Add(s.cfg.MaxAsk)
	if j.deadline != 0 {
		if asked := s.moment(j.deadline); asked.Before(deadline) {
			deadline = asked
		}
	}
	if !time.Now().Before(deadline) {
		return notAttempted(worker.CodeThrottled, "its deadline had passed before the relay could start it")
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return s.consult(ctx, j)
}

// harmless names a panic. Only the runtime's own texts are known to hold nothing of an order.
func harmless(thrown any) string {
	if own, ok := thrown.(runtime.Error); ok {
		return own.Error()
	}
	return fmt.Sprintf("%T", thrown)
}

func (s *Server) consult(ctx context.Context, j job) worker.Answer {
	desk := s.cfg.Desk
	switch j.op {
	case opPlace:
		return consulted(j, func(order worker.Order) worker.Answer { return desk.Place(ctx, order) })
	case opPreview:
		return consulted(j, func(order worker.Order) worker.Answer { return desk.Preview(ctx, order) })
	case opFind:
		return consulted(j, func(l lookup) worker.Answer { return desk.Find(ctx, l.AppKey, l.Reference) })
	case opCheck:
		return consulted(j, func(c checkup) worker.Answer { return desk.Check(ctx, c.AppKey, c.What) })
	case opDetail:
		return consulted(j, func(i inquiry) worker.Answer { return desk.Detail(ctx, i.AppKey, i.OrderID) })
	case opList:
		return consulted(j, func(leaf worker.Leaf) worker.Answer { return desk.List(ctx, leaf) })
	case opPay:
		return consulted(j, func(c worker.Charge) worker.Answer { return desk.Pay(ctx, c) })
	case opPayLink:
		return consulted(j, func(l linking) worker.Answer { return desk.PayLink(ctx, l.AppKey, l.OrderIDs) })
	case opCancel:
		return consulted(j, func(i inquiry) worker.Answer { return desk.CancelOrder(ctx, i.AppKey, i.OrderID) })
	case opAuthorize:
		return consulted(j, func(a worker.Authorization) worker.Answer { return desk.Authorize(ctx, a) })
	}
	return consulted(j, func(l lookup) worker.Answer { return desk.Probe(ctx, l.AppKey) })
}

// consulted reads the body of an ask, strictly, and answers it.
func consulted[B any](j job, answer func(B) worker.Answer) worker.Answer {
	var body B
	if err := decodeBody(j.body, &body, strict); err != nil {
		return notAttempted(worker.CodeInternal, err.Error())
	}
	return answer(body)
}
