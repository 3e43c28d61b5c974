package channel

import (
	"testing"

	"autopurchase/worker"
)

func TestATraceTravelsInAnAsk(t *testing.T) {
	const text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	message, err := appendAsk(nil, 7, opFind, traceOf(traced(t.Context(), text)), 1, &lookup{AppKey: "1000001", Reference: "acme.PR-1-1"})
	if err != nil {
		t.Fatal(err)
	}
	var f frame
	if err := f.decode(message); err != nil || f.Trace != text {
		t.Errorf("%s: %q, %v", message, f.Trace, err)
	}
	if ctx := traced(t.Context(), "nonsense"); ctx != t.Context() {
		t.Error("nonsense is a trace")
	}
}

// TestNoTraceCostsNothing counts what is allocated for an ask that is part of no trace, beside the frame that it would be anyway.
func TestNoTraceCostsNothing(t *testing.T) {
	ctx := t.Context()
	s := NewServer(ServerConfig{})
	if n := testing.AllocsPerRun(100, func() {
		_, ended := s.cfg.Follow(traced(ctx, traceOf(ctx)), opPlace)
		ended(worker.Answer{})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
