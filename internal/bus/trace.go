package bus

import (
	"context"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceHeader says which trace a message is part of, as W3C's Trace Context has it.
const traceHeader = "traceparent"

// headers are where a trace travels. NATS tells capitals from small letters, unlike HTTP.
type headers nats.Header

func (h headers) Get(name string) string { return nats.Header(h).Get(name) }
func (h headers) Set(name, value string) { nats.Header(h).Set(name, value) }

// Keys is not asked for.
func (h headers) Keys() []string { return nil }

// traced has a message say which trace it is part of, if the context is part of one.
func traced(ctx context.Context, msg *nats.Msg) *nats.Msg {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return msg
	}
	if msg.Header == nil {
		msg.Header = nats.Header{}
	}
	propagation.TraceContext{}.Inject(ctx, headers(msg.Header))
	return msg
}

// traceOf is a context with the trace that a message says it is part of; nil if it does not, or not readably.
func traceOf(msg *nats.Msg) context.Context {
	if msg.Header.Get(traceHeader) == "" {
		return nil
	}
	none := context.Background()
	if ctx := (propagation.TraceContext{}).Extract(none, headers(msg.Header)); ctx != none {
		return ctx
	}
	return nil
}
