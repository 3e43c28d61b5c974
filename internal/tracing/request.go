package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"autopurchase/worker"
)

// Ports gives a worker's ports with a span around each step; the inbox begins that of the request.
func (t *Tracer) Ports(p worker.Ports) worker.Ports {
	if t == nil {
		return p
	}
	p.Inbox, p.Ledger, p.Market, p.Outbox = inbox{p.Inbox, t}, &ledger{p.Ledger, t}, &market{p.Market, t}, outbox{p.Outbox, t}
	p.Previewer = &previewer{p.Previewer, t}
	return p
}

type inbox struct {
	worker.Inbox
	tracer *Tracer
}

func (i inbox) Next(ctx context.Context) (*worker.Delivery, error) {
	d, err := i.Inbox.Next(ctx)
	if err == nil {
		i.tracer.begin(d)
	}
	return d, err
}

// begin starts the span of a delivery, as a part of the publisher's trace if it has brought one.
func (t *Tracer) begin(d *worker.Delivery) {
	parent, named := d.Context, nameOf(*d)
	if parent == nil {
		parent = context.Background()
	}
	id, _ := worker.DecodeRef(d.Ref)
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("tenant", d.Tenant), attribute.String("request_id", id), attribute.Int("attempt", d.Attempt))}
	if d.Attempt > 1 {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: named.firstOf(parent)}))
		named.first = trace.SpanID{} // this one is another
	}
	_, span := t.tracer.Start(context.WithValue(parent, chosen{}, named), "request", options...)
	d.Context = trace.ContextWithSpan(parent, span)
	d.Receipt = receipt{d.Receipt, span}
}

// firstOf is the span of the first delivery.
func (n name) firstOf(parent context.Context) trace.SpanContext {
	of := trace.SpanContextFromContext(parent).TraceID()
	if !of.IsValid() {
		of = n.trace
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: of, SpanID: n.first, TraceFlags: trace.FlagsSampled, Remote: true})
}

// receipt ends the span once the delivery is settled, however.
type receipt struct {
	worker.Receipt
	span trace.Span
}

func (r receipt) Ack(ctx context.Context) error {
	err := r.Receipt.Ack(ctx)
	if err == nil { // else it is handed back
		r.span.End()
	}
	return err
}

func (r receipt) Nak(ctx context.Context, after time.Duration) error {
	defer r.span.End()
	return r.Receipt.Nak(ctx, after)
}

func (r receipt) Term(ctx context.Context, reason string) error {
	err := r.Receipt.Term(ctx, reason)
	if err == nil {
		r.span.End()
	}
	return err
}

// Observe notes in a request's span what became of it.
func (t *Tracer) Observe(e worker.Event) {
	if t == nil || e.Context == nil {
		return
	}
	span := trace.SpanFromContext(e.Context)
	switch e.Stage {
	case worker.StagePostponed, worker.StageFailed:
		span.SetStatus(codes.Error, string(e.Code))
		span.SetAttributes(attribute.String("code", string(e.Code)))
	case worker.StageWaiting, worker.StageDiffers, worker.StageRetrying:
		span.AddEvent(string(e.Stage), trace.WithAttributes(attribute.String("code", string(e.Code))))
	}
}
