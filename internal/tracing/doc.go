// Package tracing shows the way of one request as one trace of OpenTelemetry, from who published it to its result:
//
//	submit ─ NATS, header traceparent ─► request ─┬─ draw
//	                                              ├─ place ─ channel, member trace ─► relay place ─► gateway fastCreateOrder
//	                                              ├─ find  ─ channel, member trace ─► relay find  ─► gateway getBuyerOrderList
//	                                              ├─ settle
//	                                              └─ publish ─ NATS, header traceparent ─► who reads the result
//
// A Tracer stands around a worker's ports, so that the worker knows nothing of it. The first delivery's span and, where the
// publisher brings no trace, the trace itself are named after the request's place in the stream: whoever gets a request again finds
// the same trace, and links to the first delivery, wherever that was.
//
// It is off unless the standard variables name a collector. A nil *Tracer is one that is off: it hands back what it is given, and
// what the publisher's header says still travels along. Attributes have the names that logs have, and hold no secret and no buyer's
// data.
package tracing

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes spans. nil makes none.
type Tracer struct {
	tracer   trace.Tracer
	provider *sdk.TracerProvider
}

// scope names who makes the spans.
const scope = "autopurchase"

// Start gives a tracer that sends spans to the collector that the environment names, or nil if that is not asked for: see Wanted.
// OpenTelemetry reads its variables itself. failed hears of what cannot be sent, perhaps often. It returns an error if a variable
// is wrong. Stop must be called in the end.
func Start(ctx context.Context, env func(string) (string, bool), service string, failed func(error)) (*Tracer, error) {
	wanted, err := Wanted(env)
	if !wanted || err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(failed))
	named, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", service)), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return With(sdk.WithBatcher(exporter), sdk.WithResource(named)), nil
}

// With gives a tracer with a provider of these options.
func With(options ...sdk.TracerProviderOption) *Tracer {
	provider := sdk.NewTracerProvider(append(options, sdk.WithIDGenerator(ids{}))...)
	return &Tracer{tracer: provider.Tracer(scope), provider: provider}
}

// Wanted says whether the environment asks for traces: it names a collector and does not say otherwise.
func Wanted(env func(string) (string, bool)) (bool, error) {
	value := func(name string) string { text, _ := env(name); return text }
	if value("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" ||
		value("OTEL_SDK_DISABLED") == "true" || value("OTEL_TRACES_EXPORTER") == "none" {
		return false, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if text := value(name); text != "" && text != "http/protobuf" {
			return false, fmt.Errorf("%s %q: must be http/protobuf", name, text)
		}
	}
	return true, nil
}

// Stop sends what is left and ends.
func (t *Tracer) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// ID is the id of the trace that a context is part of; "" for none.
func ID(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		return sc.TraceID().String()
	}
	return ""
}
