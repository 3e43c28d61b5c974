package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"autopurchase/worker"
)

// step begins a span with attributes, whose names and values alternate.
func (t *Tracer) step(ctx context.Context, name string, kind trace.SpanKind, attributes ...string) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(texts(attributes)...))
}

// texts leaves out what is empty.
func texts(pairs []string) (attributes []attribute.KeyValue) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			attributes = append(attributes, attribute.String(pairs[i], pairs[i+1]))
		}
	}
	return attributes
}

// failed notes an error by its code: its words may be the platform's.
func failed(span trace.Span, code worker.Code) {
	span.SetStatus(codes.Error, string(code))
	span.SetAttributes(attribute.String("code", string(code)))
}

// end ends a step that may have failed.
func end(span trace.Span, err error) {
	if err != nil {
		failed(span, worker.AsTrouble(err).Code)
	}
	span.End()
}

type ledger struct {
	worker.Ledger
	tracer *Tracer
}

func (l *ledger) Draw(ctx context.Context, draw *worker.Draw) (*worker.Claim, error) {
	ctx, span := l.tracer.step(ctx, "draw", trace.SpanKindClient, "claim", draw.Reference, "pool", draw.Pool)
	claim, err := l.Ledger.Draw(ctx, draw)
	if err == nil {
		span.SetAttributes(texts([]string{"app_key", claim.AppKey, "turn", string(claim.Turn)})...)
	}
	end(span, err)
	return claim, err
}

func (l *ledger) Settle(ctx context.Context, claim *worker.Claim, part *worker.Part, size worker.Size) error {
	ctx, span := l.tracer.step(ctx, "settle", trace.SpanKindClient, "claim", claim.Reference, "app_key", claim.AppKey, "code", string(part.Code))
	err := l.Ledger.Settle(ctx, claim, part, size)
	end(span, err)
	return err
}

func (l *ledger) Unsend(ctx context.Context, claim *worker.Claim, why worker.Code) error {
	ctx, span := l.tracer.step(ctx, "unsend", trace.SpanKindClient, "claim", claim.Reference, "app_key", claim.AppKey, "code", string(why))
	err := l.Ledger.Unsend(ctx, claim, why)
	end(span, err)
	return err
}

type market struct {
	worker.Market
	tracer *Tracer
}

func (m *market) Place(ctx context.Context, order *worker.Order) *worker.Answer {
	ctx, span := m.tracer.step(ctx, "place", trace.SpanKindClient, "claim", order.Reference, "app_key", order.AppKey)
	answer := m.Market.Place(ctx, order)
	answered(span, answer)
	return answer
}

func (m *market) Find(ctx context.Context, appKey, reference string) *worker.Answer {
	ctx, span := m.tracer.step(ctx, "find", trace.SpanKindClient, "claim", reference, "app_key", appKey)
	answer := m.Market.Find(ctx, appKey, reference)
	answered(span, answer)
	return answer
}

type previewer struct {
	worker.Previewer
	tracer *Tracer
}

func (p *previewer) Preview(ctx context.Context, order *worker.Order) *worker.Answer {
	ctx, span := p.tracer.step(ctx, "preview", trace.SpanKindClient, "claim", order.Reference, "app_key", order.AppKey)
	answer := p.Previewer.Preview(ctx, order)
	answered(span, answer)
	return answer
}

// answered ends a step with an answer: that nothing is known, or nothing was tried, is a failure of the step.
func answered(span trace.Span, answer *worker.Answer) {
	span.SetAttributes(texts([]string{"verdict", string(answer.Verdict), "code", string(answer.Code)})...)
	if answer.Verdict == worker.Unknown || answer.Verdict == worker.NotAttempted {
		failed(span, answer.Code)
	}
	span.End()
}

type outbox struct {
	worker.Outbox
	tracer *Tracer
}

// Publish tells the request's span what it came to, too.
func (o outbox) Publish(ctx context.Context, result worker.Result) error {
	request := trace.SpanFromContext(ctx)
	request.SetAttributes(texts([]string{"code", string(result.Code), "outcome", string(result.Outcome), "app_key", result.AppKey})...)
	ctx, span := o.tracer.step(ctx, "publish", trace.SpanKindProducer, "code", string(result.Code))
	err := o.Outbox.Publish(ctx, result)
	if end(span, err); err == nil && result.Outcome == worker.OutcomeUnknown {
		failed(request, result.Code)
	}
	return err
}

func (o outbox) Bury(ctx context.Context, letter worker.DeadLetter) error {
	ctx, span := o.tracer.step(ctx, "bury", trace.SpanKindProducer, "code", string(letter.Code))
	err := o.Outbox.Bury(ctx, letter)
	end(span, err)
	return err
}
