package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"autopurchase/internal/bus"
	"autopurchase/internal/dashboard"
	"autopurchase/worker"
)

// Dead asks for a part of the dead letters.
func (w window) Dead(ctx context.Context, f dashboard.LetterFilter, after string, most int) (dashboard.Letterbox, error) {
	ask := bus.ListDead{Tenant: f.Tenant, Text: f.Text, Limit: most}
	if f.Code != "" {
		ask.Codes = []worker.Code{f.Code}
	}
	if after != "" {
		var err error
		if ask.After, err = strconv.ParseUint(after, 10, 64); err != nil {
			return dashboard.Letterbox{}, &worker.Invalid{Field: "after", Reason: "must be a dead letter's number"}
		}
	}
	got, err := bus.DeadList.Ask(ctx, w.bus, ask)
	box := dashboard.Letterbox{Letters: got.Letters}
	if got.Next > 0 {
		box.Next = strconv.FormatUint(got.Next, 10)
	}
	return box, err
}

// ChangeLetters asks for each letter by itself, since one that cannot be changed must not keep the others from it.
func (w window) ChangeLetters(ctx context.Context, c dashboard.LetterChange) (string, error) {
	done, wrong := 0, []error{}
	for _, sequence := range c.Sequences {
		if err := w.changeLetter(ctx, c.Do, bus.ChangeDead{Sequence: sequence, By: c.By, Why: c.Why}); err != nil {
			wrong = append(wrong, fmt.Errorf("dead letter %d: %w", sequence, err))
			continue
		}
		done++
	}
	return fmt.Sprintf("Done for %d of %d dead letters.", done, len(c.Sequences)), errors.Join(wrong...)
}

func (w window) changeLetter(ctx context.Context, do string, ask bus.ChangeDead) (err error) {
	switch do {
	case "replay":
		_, err = bus.DeadReplay.Ask(ctx, w.bus, ask)
	case "drop":
		_, err = bus.DeadDrop.Ask(ctx, w.bus, ask)
	default:
		err = errNotYet
	}
	return err
}

var _ dashboard.Letters = window{}
