package channel

import (
	"bytes"
	"sync"

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
	crew   *crew         // works on the asks

	mu     sync.Mutex
	asks   map[uint64]struct{}      // in work
	pushes map[uint64]chan struct{} // unconfirmed; closed by the confirmation
}

func newSession(s *Server, ws *websocket.Conn, tcp *socket) *session {
	desk := &session{
		link:   newLink(s.ctx, ws, tcp, s.cfg.PingEvery, replyQueue),
		server: s,
		hands:  make(chan struct{}, maxPushes),
		asks:   map[uint64]struct{}{},
		pushes: map[uint64]chan struct{}{},
	}
	desk.crew = newCrew(desk.work, desk.ctx.Done())
	return desk
}

// greet queues hello before anything else can be.
func (s *session) greet() {
	text := blank()
	*text = appendHello(*text, s.server.clock(), s.server.cfg.Instance)
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
	switch f.Op {
	case opPlace, opPreview, opFind, opProbe, opCheck, opAuthorize, opDetail, opList, opPay, opPayLink, opCancel:
	default:
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
	s.crew.start(job{id: f.ID, op: f.Op, trace: f.Trace, deadline: f.Deadline, body: bytes.Clone(f.Body)})
	return nil
}

func (s *session) work(j job) {
	defer s.server.asks.Done()
	defer func() { <-s.server.seats }()
	s.reply(j.id, s.server.attend(j))
}

// reply queues an answer. It waits while the worker does not read.
func (s *session) reply(id uint64, answer worker.Answer) {
	text := blank()
	frame, err := appendReply(*text, id, &answer)
	if err != nil || len(frame) > maxFrame {
		answer = *unknown("the relay's answer does not fit into a frame")
		frame, _ = appendReply((*text)[:0], id, &answer)
	}
	*text = frame
	s.mu.Lock()
	delete(s.asks, id)
	alone := len(s.asks) == 0
	s.mu.Unlock()
	if !alone || !s.putNow(text) {
		s.send(text)
	}
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
