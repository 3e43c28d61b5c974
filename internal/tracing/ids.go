package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"

	"autopurchase/worker"
)

// name is what the first delivery of a request is called in traces, whoever gets it.
type name struct {
	trace trace.TraceID // unless the publisher has brought one
	first trace.SpanID
}

func nameOf(d worker.Delivery) (n name) {
	digest := sha256.Sum256(fmt.Appendf(nil, "%s %d", d.Subject, d.Sequence))
	copy(n.trace[:], digest[:16])
	copy(n.first[:], digest[16:])
	return n
}

// chosen carries a name to ids.
type chosen struct{}

// ids are random, but for those that are chosen.
type ids struct{}

// NewIDs gives the ids of a trace's first span.
func (g ids) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	if n, ok := ctx.Value(chosen{}).(name); ok {
		id = n.trace
	} else {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64()|1) // zero is none
	}
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID gives the id of another span of a trace.
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) (span trace.SpanID) {
	if n, ok := ctx.Value(chosen{}).(name); ok && n.first.IsValid() {
		return n.first
	}
	binary.NativeEndian.PutUint64(span[:], rand.Uint64()|1)
	return span
}
