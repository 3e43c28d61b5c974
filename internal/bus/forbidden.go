package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// ErrForbidden is returned, wrapped, when the user may not do what was asked.
var ErrForbidden = errors.New("this user may not do that")

// refusals tell those who wait for an answer that the broker has forbidden the question. It says so beside the call, which would
// hear nothing and wait for as long as it may.
type refusals struct {
	mutex   sync.Mutex
	waiting map[*asker]struct{}
}

type asker struct {
	subject string
	cancel  context.CancelCauseFunc
}

// heard takes the broker's words, in which the subject stands in quotation marks.
func (r *refusals) heard(words string) {
	parts := strings.Split(words, `"`)
	if len(parts) < 3 {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for a := range r.waiting {
		if a.subject == parts[1] {
			a.cancel(ErrForbidden)
		}
	}
}

// permitted takes a step that asks on a subject, and ends it with ErrForbidden as soon as the broker forbids that.
func (r *refusals) permitted(ctx context.Context, subject string, step func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &asker{subject, cancel}
	r.mutex.Lock()
	if r.waiting == nil {
		r.waiting = map[*asker]struct{}{}
	}
	r.waiting[a] = struct{}{}
	r.mutex.Unlock()
	err := step(ctx)
	r.mutex.Lock()
	delete(r.waiting, a)
	r.mutex.Unlock()
	if err != nil && errors.Is(context.Cause(ctx), ErrForbidden) {
		return fmt.Errorf("%w: %s", ErrForbidden, subject)
	}
	return err
}
