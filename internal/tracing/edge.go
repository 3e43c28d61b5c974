package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"autopurchase/worker"
)

// Within is ctx as part of the trace that the environment's TRACEPARENT names, if it names one.
func Within(ctx context.Context, env func(string) (string, bool)) context.Context {
	parent, _ := env("TRACEPARENT")
	state, _ := env("TRACESTATE")
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent, "tracestate": state})
}

// Submit begins the span of a request that is published; what it returns is told how that went.
func (t *Tracer) Submit(ctx context.Context, tenant, id string) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.step(ctx, "submit", trace.SpanKindProducer, "tenant", tenant, "request_id", id)
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "not stored")
		}
		span.End()
	}
}

// Ask begins the span of what a worker asks a relay for; what it returns is told the answer.
func (t *Tracer) Ask(ctx context.Context, op string) (context.Context, func(worker.Answer)) {
	if t == nil {
		return ctx, func(worker.Answer) {}
	}
	ctx, span := t.step(ctx, "relay "+op, trace.SpanKindServer)
	return ctx, func(answer worker.Answer) { answered(span, &answer) }
}

// Call begins the span of a call of 1688's Open API; what it returns is told how it ended. 1688 is told nothing of the trace.
func (t *Tracer) Call(ctx context.Context, api string) (context.Context, func(how string)) {
	if t == nil {
		return ctx, func(string) {}
	}
	ctx, span := t.step(ctx, "gateway "+api, trace.SpanKindClient, "api", api)
	return ctx, func(how string) {
		span.SetAttributes(attribute.String("gateway_code", how))
		if how != "ok" {
			span.SetStatus(codes.Error, how)
		}
		span.End()
	}
}
