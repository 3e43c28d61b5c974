package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// cleanup is a stack of named steps that undo what was set up, run in reverse. A step that fails does not keep the others
// from running.
type cleanup struct {
	steps []step
}

type step struct {
	name string
	undo func(context.Context) error
}

func (c *cleanup) add(name string, undo func(context.Context) error) {
	c.steps = append(c.steps, step{name, undo})
}

// run undoes everything within the budget and reports every step that failed.
func (c *cleanup) run(budget time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	var problems []error
	for i := len(c.steps) - 1; i >= 0; i-- {
		if err := c.steps[i].undo(ctx); err != nil {
			problems = append(problems, fmt.Errorf("stopping %s: %w", c.steps[i].name, err))
		}
	}
	c.steps = nil
	return errors.Join(problems...)
}

// unbegun is the error of what could not begin: none if that is because it was told to stop meanwhile.
func unbegun(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
