package bus

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go"
)

const sampleTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestATraceTravelsInAHeader(t *testing.T) {
	came := &nats.Msg{Header: nats.Header{traceHeader: {sampleTrace}, "tracestate": {"a=b"}}}
	sent := traced(traceOf(came), message("x", nil))
	if got := sent.Header; got.Get(traceHeader) != sampleTrace || got.Get("tracestate") != "a=b" {
		t.Errorf("%v", got)
	}
	for _, unreadable := range []string{"", "00-0-0-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"} {
		if ctx := traceOf(&nats.Msg{Header: nats.Header{traceHeader: {unreadable}}}); ctx != nil {
			t.Errorf("%q is a trace", unreadable)
		}
	}
}

// TestNoTraceCostsNothing counts what is allocated for messages that are part of no trace.
func TestNoTraceCostsNothing(t *testing.T) {
	msg := &nats.Msg{Subject: "x", Header: nats.Header{nats.MsgIdHdr: {"1"}}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if n := testing.AllocsPerRun(100, func() { traced(ctx, msg); traceOf(msg) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
