package worker

import (
	"slices"
	"strings"
	"testing"
)

func TestStepsAreInThePlatformsOrder(t *testing.T) {
	want := []string{"application", "company", "role", "form", "test_key", "settings", "websocket", "buyer_account", "commands",
		"test_commands", "step_two", "secret", "authorization", "orders", "alipay"}
	if got := StepNames(); !slices.Equal(got, want) {
		t.Errorf("steps %v", got)
	}
	for _, s := range Steps() {
		if CheckName(s.Name) != nil || s.Title == "" || s.Do == "" {
			t.Errorf("step %+v", s)
		}
		if found, ok := StepNamed(s.Name); !ok || found.Name != s.Name {
			t.Errorf("%s is not found", s.Name)
		}
	}
	if _, ok := StepNamed("luck"); ok {
		t.Error("a step that is none is found")
	}
}

func TestAKeyIsOnboardedOnceNothingIsOpen(t *testing.T) {
	done := map[string]Done{}
	for i, name := range StepNames() {
		if Onboarded(Checklist(done)) {
			t.Fatalf("onboarded with %d steps done", i)
		}
		done[name] = Done{Verdict: StepPassed}
		if i%2 == 0 {
			done[name] = Done{Verdict: StepWaived, By: "li"}
		}
	}
	items := Checklist(done)
	if !Onboarded(items) || len(items) != len(Steps()) || items[0].By != "li" {
		t.Errorf("items %+v", items)
	}
	done["role"] = Done{Verdict: StepOpen}
	if Onboarded(Checklist(done)) {
		t.Error("onboarded with a step that was opened again")
	}
}

func TestWhatAChecksAnswerMakesOfAStep(t *testing.T) {
	token := func(accounts ...string) Answer { return Answer{Verdict: Placed, Proof: &Proof{Accounts: accounts}} }
	for name, c := range map[string]struct {
		step, account string
		answer        Answer
		want          StepVerdict
		why           string
	}{
		"passed":            {"secret", "", Answer{Verdict: Placed, Reason: "good"}, StepPassed, "good"},
		"refused":           {"secret", "", Answer{Verdict: Refused, Reason: "wrong secret"}, StepOpen, "wrong secret"},
		"not asked":         {"alipay", "", Answer{Verdict: NotAttempted, Reason: "no relay"}, StepOpen, "no relay"},
		"unknown":           {"alipay", "", Answer{Verdict: Unknown, Reason: "no answer"}, StepOpen, "no answer"},
		"declared account":  {"authorization", "buyer-1", token("x", "buyer-1"), StepPassed, "x / buyer-1"},
		"no account":        {"authorization", "", token("buyer-1"), StepPassed, "buyer-1"},
		"another account":   {"authorization", "buyer-1", token("buyer-2"), StepOpen, "not by the declared account buyer-1"},
		"account not told":  {"authorization", "buyer-1", token(), StepOpen, "did not say"},
		"nothing told":      {"authorization", "", Answer{Verdict: Placed}, StepOpen, "did not say"},
		"test pushes":       {"commands", "", Answer{Verdict: Placed, Proof: &Proof{Topics: []string{"A", "B"}}}, StepPassed, "A, B"},
		"without any proof": {"test_commands", "", Answer{Verdict: Placed}, StepPassed, "test pushes came"},
	} {
		step, _ := StepNamed(c.step)
		if got := step.Weigh(c.answer, c.account); got.Verdict != c.want || !strings.Contains(got.Why, c.why) || got.By != ByMachine {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
