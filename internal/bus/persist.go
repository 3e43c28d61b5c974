package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

const (
	// attemptTimeout bounds one try: a broker whose leader has just died does not answer at all.
	attemptTimeout = 2 * time.Second
	// attempts is how often a step is tried. Together with the pauses it is about as long as a fail-over takes at best; who
	// calls again goes on from there.
	attempts = 4
	// firstPause is doubled after each try.
	firstPause = 50 * time.Millisecond
)

// persist takes a step until it succeeds, is refused, or has failed often enough. Its error is a *worker.Trouble with
// CodeNATSDown, or ctx's cause: the step may have happened all the same.
func persist(ctx context.Context, what string, step func(context.Context) error) error {
	return repeat(ctx, what, func() error { return try1(ctx, step) })
}

// repeat is persist for a step that bounds itself by attemptTimeout.
func repeat(ctx context.Context, what string, step func() error) error {
	var err error
	pause := firstPause
	for try := range attempts {
		if try > 0 && !wait(ctx, pause<<try) {
			break
		}
		if err = step(); err == nil || refused(err) {
			break
		}
	}
	if err == nil {
		return nil
	}
	return natsDown(what, err)
}

func try1(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return step(ctx)
}

func natsDown(what string, err error) *worker.Trouble {
	if trouble, ok := errors.AsType[*worker.Trouble](err); ok {
		return trouble
	}
	return &worker.Trouble{Code: worker.CodeNATSDown, Reason: what, Err: err}
}

// inProcess is a broker's answer to a message that another process stores in this moment: whether it will is not known yet.
const inProcess jetstream.ErrorCode = 10158

// refused says whether the broker answered, so that the same step would get the same answer.
func refused(err error) bool {
	if _, ok := errors.AsType[*worker.Trouble](err); ok {
		return true
	}
	if errors.Is(err, ErrForbidden) {
		return true
	}
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.Code < 500 && api.ErrorCode != inProcess || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrMaxPayload)
}

// wait returns false if ctx ended first.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// isCode says whether the broker answered with one of these error codes.
func isCode(err error, codes ...jetstream.ErrorCode) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode == code {
			return true
		}
	}
	return false
}
