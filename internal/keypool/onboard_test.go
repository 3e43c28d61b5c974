package keypool

import (
	"errors"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"autopurchase/worker"
)

func stepped(t *testing.T, p *Pool, appKey, name string, verdict worker.StepVerdict, by string) Info {
	t.Helper()
	info, err := p.Step(t.Context(), "default", appKey, name, verdict, Change{By: by, Why: "because"})
	if err != nil {
		t.Fatalf("step %s: %v", name, err)
	}
	return info
}

// onboarded does every step of a key but those named.
func onboarded(t *testing.T, p *Pool, appKey string, but ...string) (last Info) {
	t.Helper()
	for i, name := range worker.StepNames() {
		verdict := []worker.StepVerdict{worker.StepPassed, worker.StepWaived}[i%2]
		if !strings.Contains(strings.Join(but, " "), name) {
			last = stepped(t, p, appKey, name, verdict, "li")
		}
	}
	return last
}

func steps(t *testing.T, p *Pool, appKey string) map[string]worker.Done {
	t.Helper()
	done, err := p.Steps(t.Context(), "default", appKey)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestAKeyComesIntoUseWithItsLastStep(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		settings(t, p, "default", Settings{Count: CountLines, Width: 1})
		add(t, p, Key{Pool: "default", AppKey: "k1", Onboard: true})
		if info := onboarded(t, p, "k1", "alipay"); info.State != StateOnboarding || info.Left != 0 {
			t.Fatalf("with a step open: %+v", info)
		}
		_, err := p.Draw(t.Context(), new(order1("default", "r", 1)))
		wantCode(t, err, worker.CodeNoKey)
		stepped(t, p, "k1", "role", worker.StepOpen, "wang")
		stepped(t, p, "k1", "alipay", worker.StepWaived, "li")
		wantKey(t, p, "default", "k1", StateOnboarding, 0, 0)
		if info := stepped(t, p, "k1", "role", worker.StepPassed, "wang"); info.State != StateActive || info.Left != DefaultLimit {
			t.Fatalf("with the last one: %+v", info)
		}
		settle(t, p, draw(t, p, order1("default", "r2", 1)), placed, 1)
		stepped(t, p, "k1", "role", worker.StepOpen, "wang")
		wantKey(t, p, "default", "k1", StateActive, 1, 0) // it is in use, and stays so
		got := steps(t, p, "k1")["alipay"]
		if got.Verdict != worker.StepWaived || got.By != "li" || got.Why != "because" || got.At.IsZero() {
			t.Errorf("on record: %+v", got)
		}
		if len(steps(t, p, "k2")) != 0 {
			t.Error("another key has steps")
		}
	})
}

func TestAStepIsToldOnce(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		settings(t, p, "default", Settings{Count: CountLines, Width: 1})
		add(t, p, Key{Pool: "default", AppKey: "k1", Onboard: true})
		for range 2 {
			stepped(t, p, "k1", "role", worker.StepPassed, "li")
		}
		again := Change{ID: "m1", By: "li"}
		for range 2 {
			if _, err := p.Step(t.Context(), "default", "k1", "form", worker.StepPassed, again); err != nil {
				t.Fatal(err)
			}
			stepped(t, p, "k1", "company", worker.StepPassed, "li")
		}
		events, err := p.Events(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range events {
			if e.Kind == worker.EventOnboarded {
				told = append(told, e.AppKey+" "+e.Step+" "+e.Verdict+" "+e.By+" "+e.Why+" "+e.State)
			}
		}
		want := []string{"k1 role passed li because onboarding", "k1 form passed li  onboarding", "k1 company passed li because onboarding"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
		_, err = p.Step(t.Context(), "default", "k1", "form", worker.StepWaived, again)
		if denied, ok := errors.AsType[*worker.Denied](err); !ok || denied.Code != worker.DenyReused {
			t.Errorf("the same id for another step: %v", err)
		}
	})
}

func TestStepRefused(t *testing.T) {
	p := open(t, "redis://"+miniredis.RunT(t).Addr())
	add(t, p, Key{Pool: "default", AppKey: "k1", Onboard: true})
	for field, c := range map[string]struct {
		appKey, step string
		verdict      worker.StepVerdict
		by           string
	}{
		"step":    {"k1", "luck", worker.StepPassed, "li"},
		"verdict": {"k1", "role", "maybe", "li"},
		"by":      {"k1", "role", worker.StepPassed, " "},
		"app_key": {"k9", "role", worker.StepPassed, "li"},
	} {
		_, err := p.Step(t.Context(), "default", c.appKey, c.step, c.verdict, Change{By: c.by})
		if err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestOnboardingSurvivesALostRedis(t *testing.T) {
	backends(t, func(t *testing.T, p *Pool) {
		settings(t, p, "default", Settings{Count: CountLines, Width: 1})
		for _, appKey := range []string{"done", "open", "off"} {
			add(t, p, Key{Pool: "default", AppKey: appKey, Onboard: true})
		}
		onboarded(t, p, "done")
		onboarded(t, p, "open", "alipay")
		if _, err := p.Alter(t.Context(), "default", "off", Disable, Change{By: "li", Why: "not yet"}); err != nil {
			t.Fatal(err)
		}
		onboarded(t, p, "off")
		history := &stored{}
		history.flushed(t, p)
		before, said := keys(t, p, "default"), recorded(t, p)
		raw(t, p).FlushAll(t.Context())
		rebuild(t, p, history)
		if diff := cmp.Diff(before, keys(t, p, "default")); diff != "" {
			t.Errorf("keys: %s", diff)
		}
		if diff := cmp.Diff(said, recorded(t, p)); diff != "" {
			t.Errorf("steps: %s", diff)
		}
		stepped(t, p, "open", "alipay", worker.StepWaived, "li")
		wantKey(t, p, "default", "open", StateReady, 0, 0)
		if info, err := p.Alter(t.Context(), "default", "off", Enable, Change{By: "li"}); err != nil || info.State != StateReady {
			t.Errorf("a key that was onboarded while it was disabled: %+v, %v", info, err)
		}
	})
}

func recorded(t *testing.T, p *Pool) map[string]string {
	t.Helper()
	all, err := raw(t, p).HGetAll(t.Context(), namesOf("default").steps).Result()
	if err != nil || len(all) == 0 {
		t.Fatalf("steps %v, %v", all, err)
	}
	return all
}
