package worker

import (
	"os"
	"strings"
	"testing"
)

// TestEveryCodeHasItsConsequence walks the whole vocabulary: what an unlisted code would do is lose a request or its money.
func TestEveryCodeHasItsConsequence(t *testing.T) {
	for _, code := range Codes() {
		d := Dispose(code)
		switch d.Next {
		case RouteNever:
			if d.Outcome == "" || d.Pauses || d.After != 0 {
				t.Errorf("%s finishes, so it needs an outcome and nothing else: %+v", code, d)
			}
		case RouteSameKey, RouteAnyKey, RouteOtherKey:
			if d.Outcome != "" || d.After <= 0 {
				t.Errorf("%s comes again, so it needs a delay and no outcome: %+v", code, d)
			}
		case RouteOtherAccount, RouteBusiness:
			if d.Outcome != OutcomeRefused || d.After <= 0 {
				t.Errorf("%s comes again until no account is left: %+v", code, d)
			}
		case RouteLookUp:
			if d.Outcome != OutcomeUnknown || d.After <= 0 {
				t.Errorf("%s may have bought something: %+v", code, d)
			}
		default:
			t.Errorf("%s has no route: %+v", code, d)
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

// TestTheTableIsInTheDocuments: what operators read is what workers go by.
func TestTheTableIsInTheDocuments(t *testing.T) {
	text, err := os.ReadFile("../docs/codes.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[Code]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == 5 && strings.HasPrefix(line, "| `") {
			said[Code(strings.Trim(cells[0], "| `"))] = strings.TrimRight(strings.Join(cells[2:], " | "), " |")
		}
	}
	for _, code := range Codes() {
		d := Dispose(code)
		later := map[bool]string{true: "yes"}[d.Again]
		if want := strings.TrimRight(strings.Join([]string{string(d.Next), string(d.Outcome), later}, " | "), " |"); said[code] != want {
			t.Errorf("%s: docs/codes.md says %q, want %q", code, said[code], want)
		}
	}
	if len(said) != len(Codes()) {
		t.Errorf("docs/codes.md has %d codes, want %d", len(said), len(Codes()))
	}
}
