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
	deadline int64 // by the relay's clock; 0 when not said
	body     []byte
}

// attend asks the desk. A panic in there leaves this one ask unknown.
func (s *Server) attend(j job) (answer worker.Answer) {
	defer func() {
		if thrown := recover(); thrown != nil {
			s.cfg.Log.Error().Str("op", j.op).Uint64("id", j.id).Str("panic", harmless(thrown)).Bytes("stack", debug.Stack()).Msg("ask ended in a panic")
			answer = unknown("the relay failed while it worked on it")
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
	ctx, cancel := context.WithDeadline(s.ctx, deadline)
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
	if j.op == opPlace {
		var order worker.Order
		if err := decodeBody(j.body, &order, strict); err != nil {
			return notAttempted(worker.CodeInternal, err.Error())
		}
		return s.cfg.Desk.Place(ctx, order)
	}
	var asked lookup
	if err := decodeBody(j.body, &asked, strict); err != nil {
		return notAttempted(worker.CodeInternal, err.Error())
	}
	if j.op == opFind {
		return s.cfg.Desk.Find(ctx, asked.AppKey, asked.Reference)
	}
	return s.cfg.Desk.Probe(ctx, asked.AppKey)
}
