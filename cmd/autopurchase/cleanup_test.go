package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestStoppedBeforeItHadBegun: who is told to stop meanwhile has not failed; who fails for another reason has.
func TestStoppedBeforeItHadBegun(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	broken, cut := errors.New("the broker is away"), fmt.Errorf("consumer cashier: %w", context.Canceled)
	for _, c := range []struct {
		ctx       context.Context
		err, want error
	}{
		{stopped, cut, nil}, {stopped, broken, broken}, {t.Context(), cut, cut}, {t.Context(), broken, broken},
	} {
		if got := unbegun(c.ctx, c.err); !errors.Is(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%v becomes %v, want %v", c.err, got, c.want)
		}
	}
}
