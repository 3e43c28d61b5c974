package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// serviceVersion is that of the services' messages.
const serviceVersion = "1.0.0"

type endpoint struct {
	name, subject string
	metadata      map[string]string
	handler       micro.Handler
}

// serve registers a service and returns once the broker knows it.
func (b *Bus) serve(name, what string, endpoints ...endpoint) (micro.Service, error) {
	service, err := micro.AddService(b.conn, micro.Config{Name: name, Version: serviceVersion, Description: what})
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", name, err)
	}
	for _, e := range endpoints {
		err = errors.Join(err, service.AddEndpoint(e.name, e.handler, micro.WithEndpointSubject(e.subject), micro.WithEndpointMetadata(e.metadata)))
	}
	if err = errors.Join(err, b.conn.Flush()); err != nil {
		return nil, errors.Join(fmt.Errorf("service %s: %w", name, err), service.Stop())
	}
	return service, nil
}

// admin registers a service for administrators.
func (b *Bus) admin(ctx context.Context, name, what string, endpoints ...Endpoint) (stop func(), err error) {
	var served []endpoint
	for _, e := range endpoints {
		served = append(served, e(ctx, b))
	}
	service, err := b.serve(name, what, served...)
	if err != nil {
		return nil, err
	}
	return func() { _ = service.Stop() }, nil
}

// ErrNobody is returned, wrapped, when nobody answers on a verb's subject.
var ErrNobody = errors.New("nobody answers")

// ask sends a request to a service and gives its answer. A service's refusal is an *AdminError.
func (b *Bus) ask(ctx context.Context, subject string, body []byte) (json.RawMessage, error) {
	return b.send(ctx, &nats.Msg{Subject: subject, Data: body})
}

// send is ask for a message with headers.
func (b *Bus) send(ctx context.Context, msg *nats.Msg) (json.RawMessage, error) {
	return b.sendFor(ctx, msg, askTimeout)
}

func (b *Bus) sendFor(ctx context.Context, msg *nats.Msg, timeout time.Duration) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var reply *nats.Msg
	err := b.forbidden.permitted(ctx, msg.Subject, func(ctx context.Context) (err error) {
		reply, err = b.conn.RequestMsgWithContext(ctx, msg)
		return err
	})
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("%w on %s: is a worker running?", ErrNobody, msg.Subject)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("no answer on %s in time: whether it was done is not known: %w", msg.Subject, err)
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", msg.Subject, err)
	}
	if code := reply.Header.Get(micro.ErrorCodeHeader); code != "" {
		return nil, &AdminError{Code: code, Reason: reply.Header.Get(micro.ErrorHeader)}
	}
	return reply.Data, nil
}
