package bus

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// Verb is one thing that administrators may ask for: where they ask, and what the question Q and the answer A look like. Both
// sides use it: the one who asks calls Ask, the one who answers makes an Endpoint of a function.
type Verb[Q Question[Q], A any] struct {
	subject        string
	request, reply string        // names of their schemas; "" for none
	explained      bool          // it is a change that needs a reason
	patience       time.Duration // how long its answer may take; 0: adminTimeout
}

// Name is the last token of the verb's subject, such as "add".
func (v Verb[Q, A]) Name() string { return v.subject[strings.LastIndexByte(v.subject, '.')+1:] }

// Ask asks whoever answers on the verb's subject, and waits for at most 10 s, or a minute more for what reads much. Errors: an
// *AdminError, or nobody answers. A change that got no answer may be asked for again with the same Change.ID: it is made once.
func (v Verb[Q, A]) Ask(ctx context.Context, b *Bus, q Q) (A, error) {
	var answer A
	body, err := json.Marshal(q)
	if err != nil {
		return answer, err
	}
	msg := &nats.Msg{Subject: v.subject, Data: body}
	if c, ok := any(&q).(changer); ok {
		msg.Header = nats.Header{nats.MsgIdHdr: {c.id()}}
	}
	reply, err := b.sendFor(ctx, msg, askTimeout+v.patience)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return answer, fmt.Errorf("answer on %s cannot be read: %w", v.subject, err)
	}
	return answer, nil
}

// Endpoint answers one verb. Bus.AdminKeys and Bus.AdminOrders serve it.
type Endpoint func(ctx context.Context, b *Bus) endpoint

// Answer makes an endpoint out of a function. Its errors that are *worker.Denied, *worker.Trouble or *worker.Invalid are told
// to the one who asked; others are logged and told as "internal". It has 5 s, or the verb's own time, and is called for one
// question after the other.
func (v Verb[Q, A]) Answer(answer func(context.Context, Q) (A, error)) Endpoint {
	return func(ctx context.Context, b *Bus) endpoint {
		handler := micro.HandlerFunc(func(r micro.Request) { v.serve(ctx, b, r, answer) })
		return endpoint{v.Name(), v.subject, v.schemas(), handler}
	}
}

func (v Verb[Q, A]) serve(ctx context.Context, b *Bus, r micro.Request, answer func(context.Context, Q) (A, error)) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(v.patience, adminTimeout))
	defer cancel()
	reply, err := v.outcome(ctx, r, answer)
	if err == nil {
		err = r.RespondJSON(reply)
	} else {
		refusal := b.refusal(r.Subject(), err)
		err = r.Error(refusal.Code, refusal.Reason, nil)
	}
	if err != nil {
		b.config.Log.Warn().Err(err).Str("subject", r.Subject()).Msg("admin answer was not sent")
	}
}

// outcome reads a question and answers it. A panic in one answer never ends the process.
func (v Verb[Q, A]) outcome(ctx context.Context, r micro.Request, answer func(context.Context, Q) (A, error)) (reply A, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	question, err := v.read(r)
	if err != nil {
		return reply, err
	}
	return answer(ctx, question)
}

func (v Verb[Q, A]) read(r micro.Request) (Q, error) {
	q, err := decodeQuestion[Q](r.Data())
	if err != nil {
		return q, err
	}
	if c, ok := any(&q).(changer); ok {
		if err := c.identify(r.Headers().Get(nats.MsgIdHdr), v.explained); err != nil {
			return q, err
		}
	}
	q, invalid := q.checked()
	if invalid != nil {
		return q, invalid
	}
	return q, nil
}

func (v Verb[Q, A]) schemas() map[string]string {
	names := map[string]string{}
	if v.request != "" {
		names["request_schema"] = v.request
	}
	if v.reply != "" {
		names["reply_schema"] = v.reply
	}
	return names
}
