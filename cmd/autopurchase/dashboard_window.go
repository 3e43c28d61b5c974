package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"autopurchase/internal/bus"
	"autopurchase/internal/dashboard"
	"autopurchase/worker"
)

// window is what the dashboard sees of the queue, and changes of it: all by the messages that any other program may send.
type window struct {
	bus   *bus.Bus
	index *indexPart // nil if none is kept here
}

// Status is what a worker answers.
func (w window) Status(ctx context.Context) (worker.QueueStatus, error) {
	return w.bus.QueueStatus(ctx)
}

// Keys lists a pool's.
func (w window) Keys(ctx context.Context, pool string) ([]dashboard.Key, error) {
	listed, err := bus.KeysList.Ask(ctx, w.bus, bus.ListKeys{Pool: pool})
	keys := make([]dashboard.Key, len(listed))
	for i, key := range listed {
		keys[i] = dashboard.Key(key)
	}
	return keys, err
}

// Key gives its checklist.
func (w window) Key(ctx context.Context, pool, appKey string) (dashboard.Onboarding, error) {
	got, err := bus.KeysOnboard.Ask(ctx, w.bus, bus.OnboardKey{Pool: pool, AppKey: appKey})
	o := dashboard.Onboarding{Key: dashboard.Key(got.Key), Done: got.Done}
	for _, step := range got.Steps {
		o.Steps = append(o.Steps, dashboard.OnboardingStep(step))
	}
	return o, err
}

// Forecast says how long a pool lasts.
func (w window) Forecast(ctx context.Context, pool string) (worker.Forecast, error) {
	return bus.KeysForecast.Ask(ctx, w.bus, bus.AskForecast{Pool: pool})
}

// Statement writes what a key's count is made of.
func (w window) Statement(ctx context.Context, pool, appKey string, to io.Writer) error {
	whole, err := readStatement(ctx, w.bus, bus.AskStatement{Pool: pool, AppKey: appKey})
	if err != nil {
		return err
	}
	for i := range whole.Rows {
		harmless(&whole.Rows[i])
	}
	return writeStatement(to, whole)
}

// harmless keeps what others wrote from being taken for a formula by a spreadsheet, in which the file is likely to be opened.
func harmless(r *worker.Row) {
	for _, text := range []*string{&r.RequestID, &r.OutOrderID, &r.Account, &r.By, &r.Why} {
		if strings.HasPrefix(*text, "=") || strings.HasPrefix(*text, "+") || strings.HasPrefix(*text, "-") || strings.HasPrefix(*text, "@") {
			*text = "'" + *text
		}
	}
}

// ChangeKey asks for what may be done with a key.
func (w window) ChangeKey(ctx context.Context, c dashboard.KeyChange) (string, error) {
	change := bus.Change{ID: c.ID, By: c.By, Why: c.Why, Version: c.Version}
	var key bus.KeyInfo
	err := errors.New("do: is nothing that can be done with a key")
	if c.Do == bus.KeysLimit.Name() {
		key, err = bus.KeysLimit.Ask(ctx, w.bus, bus.LimitKey{Pool: c.Pool, AppKey: c.AppKey, Limit: c.Limit, Change: change})
	}
	for _, known := range keyChanges {
		if known.verb.Name() == c.Do {
			key, err = known.verb.Ask(ctx, w.bus, bus.ChangeKey{Pool: c.Pool, AppKey: c.AppKey, Change: change})
		}
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("App key %s is %s now: %d of %d products ordered, %d held.", key.AppKey, key.State, key.Used, key.Limit, key.Held), nil
}

// ChangeStep takes a person's word on a step, and has everything checked that 1688 can prove.
func (w window) ChangeStep(ctx context.Context, c dashboard.StepChange) (string, error) {
	got, err := bus.KeysOnboard.Ask(ctx, w.bus, bus.OnboardKey{Pool: c.Pool, AppKey: c.AppKey, Step: c.Step, Verdict: c.Verdict, Change: bus.Change{ID: c.ID, By: c.By, Why: c.Why}})
	if err != nil {
		return "", err
	}
	open := 0
	for _, step := range got.Steps {
		if step.Verdict == worker.StepOpen {
			open++
		}
	}
	if open == 0 {
		return fmt.Sprintf("App key %s is %s: nothing is open.", got.Key.AppKey, got.Key.State), nil
	}
	return fmt.Sprintf("It is on record. Of app key %s %d of %d steps are open.", got.Key.AppKey, open, len(got.Steps)), nil
}

var (
	_ dashboard.Queue    = window{}
	_ dashboard.Pools    = window{}
	_ dashboard.Requests = window{}
	_ dashboard.Desk     = window{}
)
