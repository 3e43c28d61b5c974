package channel

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"autopurchase/worker"
)

// replyQueue is how many frames wait for one worker's socket before its next asks are not read.
const replyQueue = 256

// throttledRetry is what an ask over the bound is told to wait, in milliseconds.
const throttledRetry = 100

// session is the relay's side of one connection.
type session struct {
	*link
	server *Server
	frame  frame
	hands  chan struct{} // one for each unconfirmed push

	mu     sync.Mutex
	asks   map[uint64]struct{}      // in work
	pushes map[uint64]chan struct{} // unconfirmed; closed by the confirmation
}

func newSession(s *Server, ws *websocket.Conn) *session {
	return &session{
		link:   newLink(s.ctx, ws, s.cfg.PingEvery, replyQueue),
		server: s,
		hands:  make(chan struct{}, maxPushes),
		asks:   map[uint64]struct{}{},
		pushes: map[uint64]chan struct{}{},
	}
}

// greet queues hello before anything else can be.
func (s *session) greet() {
	text := blank()
	*text = appendHello(*text, s.server.clock())
	s.send(text)
}

func (s *session) handle(message []byte) error {
	f := &s.frame
	if err := f.decode(message); err != nil {
		return badFrame(err)
	}
	switch f.Type {
	case typeAsk:
		return s.ask(f)
	case typeConfirm:
		s.confirmed(f.ID)
		return nil
	}
	return &parting{closeBadFrame, "a worker sends ask and confirm only"}
}

// ask starts work on one ask, or says at once why not.
func (s *session) ask(f *frame) error {
	if !s.begin(f.ID) {
		return &parting{closeBadFrame, "an ask's id was used twice"}
	}
	if f.Op != opPlace && f.Op != opFind && f.Op != opProbe {
		s.reply(f.ID, notAttempted(worker.CodeInternal, "this relay does not know the operation"))
		return nil
	}
	if !s.server.startAsk() {
		s.reply(f.ID, notAttempted(worker.CodeChannelDown, "the relay is going down"))
		return nil
	}
	select {
	case s.server.seats <- struct{}{}:
	default:
		s.server.asks.Done()
		busy := notAttempted(worker.CodeThrottled, "the relay has too many asks in work")
		busy.Retry = throttledRetry
		s.reply(f.ID, busy)
		return nil
	}
	go s.work(job{id: f.ID, op: f.Op, deadline: f.Deadline, body: bytes.Clone(f.Body)})
	return nil
}

// job is an ask on its way through the desk.
type job struct {
	id       uint64
	op       string
	deadline int64 // by the relay's clock; 0 when not said
	body     []byte
}

func (s *session) work(j job) {
	defer s.server.asks.Done()
	defer func() { <-s.server.seats }()
	s.reply(j.id, s.server.attend(j))
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

// reply queues an answer. It waits while the worker does not read.
func (s *session) reply(id uint64, answer worker.Answer) {
	text := blank()
	frame, err := appendReply(*text, id, &answer)
	if err != nil || len(frame) > maxFrame {
		answer = unknown("the relay's answer does not fit into a frame")
		frame, _ = appendReply((*text)[:0], id, &answer)
	}
	*text = frame
	s.mu.Lock()
	delete(s.asks, id)
	s.mu.Unlock()
	s.send(text)
}

func (s *session) begin(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, running := s.asks[id]; running {
		return false
	}
	s.asks[id] = struct{}{}
	return true
}

func notAttempted(code worker.Code, reason string) worker.Answer {
	return worker.Answer{Verdict: worker.NotAttempted, Code: code, Reason: reason}
}
