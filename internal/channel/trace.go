package channel

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// An ask says which trace it is part of in the text that W3C's Trace Context has for the header traceparent: hexadecimal digits
// and hyphens.
const traceParent = "traceparent"

// traceOf is the text of the trace that a context is part of; "" for none.
func traceOf(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceParent]
}

// traced is ctx as part of the trace of that text; one that cannot be read is none.
func traced(ctx context.Context, text string) context.Context {
	if text == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceParent: text})
}
