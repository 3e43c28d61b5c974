package worker

import "testing"

// TestEveryCodeHasItsConsequence walks the whole vocabulary: what an unlisted code would do is lose a request or its money.
func TestEveryCodeHasItsConsequence(t *testing.T) {
	for _, code := range Codes() {
		d := Dispose(code)
		switch d.Action {
		case Finish:
			if d.Outcome == "" || d.Pauses || d.After != 0 {
				t.Errorf("%s finishes, so it needs an outcome and nothing else: %+v", code, d)
			}
		case Later:
			if d.Outcome != "" || d.After <= 0 {
				t.Errorf("%s comes again, so it needs a delay and no outcome: %+v", code, d)
			}
		case LookUp:
			if d.Outcome != OutcomeUnknown || d.After <= 0 {
				t.Errorf("%s may have bought something: %+v", code, d)
			}
		}
	}
	if len(Codes()) < 30 {
		t.Errorf("only %d codes", len(Codes()))
	}
	if Dispose("of a newer relay") != Dispose(CodeInternal) {
		t.Error("a code that is not known must come again, not vanish")
	}
}

func TestDelayGrowsAndHasAnEnd(t *testing.T) {
	last := delay(&Trouble{Code: CodeNoKey}, 1)
	if last < soon {
		t.Errorf("first delay is %v: a retry storm", last)
	}
	for attempt := 2; attempt < 100; attempt++ {
		d := delay(&Trouble{Code: CodeNoKey}, attempt)
		if d < last || d > maxDelay {
			t.Fatalf("attempt %d waits %v after %v", attempt, d, last)
		}
		last = d
	}
	if last != maxDelay {
		t.Errorf("ends at %v, want %v", last, maxDelay)
	}
	if got := delay(&Trouble{Code: CodeThrottled, After: 7 * aSecond}, 9); got != 7*aSecond {
		t.Errorf("the platform's own delay became %v", got)
	}
}
