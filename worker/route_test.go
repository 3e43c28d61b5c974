package worker

import "testing"

// TestWhatMayExistNeverMoves: whatever the code of an answer, another key is tried only of what was definitely not ordered.
func TestWhatMayExistNeverMoves(t *testing.T) {
	moving := 0
	for _, code := range append(Codes(), "of a newer relay") {
		moves := Dispose(code).Next.Moves()
		if moves {
			moving++
		}
		for verdict, want := range map[Verdict]bool{Placed: false, Unknown: false, Absent: false, "of a newer relay": false,
			Refused: moves, NotAttempted: moves} {
			next := Answer{Verdict: verdict, Code: code}.next()
			if next.Moves() != want {
				t.Errorf("%s with %s: %s", verdict, code, next)
			}
			if verdict != Placed && verdict != Refused && verdict != NotAttempted && next != RouteLookUp {
				t.Errorf("%s with %s is not looked up but: %s", verdict, code, next)
			}
		}
	}
	if moving != 4 {
		t.Errorf("%d codes move an order, want 4", moving)
	}
}

// TestABlankTextIsNoWordOf1688: every refusal has it.
func TestABlankTextIsNoWordOf1688(t *testing.T) {
	for _, c := range []Config{{Instance: "a", RiskRefusals: []string{"RISK", " "}}, {Instance: "a", BusinessRefusals: []string{""}}} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// TestWordsAreReadOfADefiniteNoOnly: where an order may exist, or does, they change nothing.
func TestWordsAreReadOfADefiniteNoOnly(t *testing.T) {
	b := &buyer{Worker: &Worker{config: Config{RiskRefusals: []string{"RISK"}, BusinessRefusals: []string{"FIRMS"}}}}
	for _, verdict := range []Verdict{Placed, Refused, NotAttempted, Absent, Unknown} {
		for reason, code := range map[string]Code{"1688: RISK": CodeRiskControl, "1688: FIRMS": CodeBusinessOnly, "FIRMS at RISK": CodeRiskControl,
			"else": CodeRefused} {
			if verdict != Refused && verdict != NotAttempted {
				code = CodeRefused
			}
			got := Answer{Verdict: verdict, Code: CodeRefused, Reason: reason}
			if b.understood(t.Context(), &Order{}, &got); got.Code != code {
				t.Errorf("%s %q is %s, want %s", verdict, reason, got.Code, code)
			}
		}
	}
}
