package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"autopurchase/internal/bus"
	"autopurchase/worker"
)

// queueSettings say what is shown of the queue, and how.
type queueSettings struct {
	nats       natsSettings
	follow     bool
	json       bool
	failPaused bool
}

// newQueue shows how the queue is.
func newQueue(term terminal) *cobra.Command {
	var set queueSettings
	return command(term, &cobra.Command{
		Use:   "queue",
		Short: "Show what the queue does, or why it stands still and what to do",
		Long: "Says first, in one sentence, what is going on or why the queue stands still, and what to do about it; then the figures, the pools\n" +
			"of keys, the tenants and the workers. Where no worker is alive it says what NATS alone knows.\n" +
			"Exit 1 if the queue cannot be asked.",
		Example: "  autopurchase queue\n  autopurchase queue --follow\n  autopurchase queue --json --fail-when-paused",
	}, func(s *settings) {
		set.nats.bindClient(s)
		s.flag(&set.follow, "follow", "go on: paint the screen anew on a terminal, and write one line each time a worker says how it is elsewhere")
		s.flag(&set.json, "json", "print one JSON object a line")
		s.flag(&set.failPaused, "fail-when-paused", "exit 1 if no worker takes requests")
	}, func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		return set.nats.connected(ctx, "autopurchase-queue", func(b *bus.Bus) error {
			if set.follow {
				return followQueue(ctx, b, set.show(term.out), term.err)
			}
			return set.once(ctx, b, term)
		})
	})
}

func (q *queueSettings) once(ctx context.Context, b *bus.Bus, term terminal) error {
	status, unseen, err := askQueue(ctx, b)
	if err != nil {
		return err
	}
	if unseen != nil {
		fmt.Fprintln(term.err, "autopurchase:", unseen)
	}
	show := showQueue
	if q.json {
		show = encodeQueue
	}
	if err := show(term.out, status); err != nil {
		return err
	}
	if q.failPaused && (status.Paused || status.Workers == 0) {
		return errSaid
	}
	return nil
}

// show is how each of several is shown.
func (q *queueSettings) show(out io.Writer) func(worker.QueueStatus) error {
	const home = "\x1b[H\x1b[2J" // an empty screen
	switch {
	case q.json:
		return func(s worker.QueueStatus) error { return encodeQueue(out, s) }
	case isTerminal(out):
		return func(s worker.QueueStatus) error {
			if _, err := io.WriteString(out, home); err != nil {
				return err
			}
			return showQueue(out, s)
		}
	}
	return func(s worker.QueueStatus) error { return lineOfQueue(out, s) }
}

func encodeQueue(out io.Writer, s worker.QueueStatus) error { return json.NewEncoder(out).Encode(s) }

// askQueue asks the workers how the queue is, and NATS alone where none answers; unseen is why that does not say all then.
func askQueue(ctx context.Context, b *bus.Bus) (status worker.QueueStatus, unseen, err error) {
	status, err = b.QueueStatus(ctx)
	if err == nil || errors.Is(err, bus.ErrForbidden) || ctx.Err() != nil || b.Ready(ctx) != nil {
		return status, nil, err
	}
	status = worker.QueueStatus{At: time.Now().UTC(), Unasked: []string{worker.UnaskedRedis}}
	if !errors.Is(err, bus.ErrNobody) {
		status.Unasked = append(status.Unasked, worker.UnaskedOthers)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := b.Measure(ctx, &status); errors.Is(err, bus.ErrNoQueue) {
		return status, nil, noQueue(err)
	} else if err != nil {
		status.Unasked = append(status.Unasked, worker.UnaskedNATS)
		unseen = fmt.Errorf("without a worker it cannot be seen what waits: %w", err)
		if errors.Is(err, bus.ErrForbidden) {
			unseen = fmt.Errorf("%w. NATS shows the consumer, which counts that, to users of the account of the streams alone, such as a worker's", unseen)
		}
	}
	status.Merge(nil)
	return status, unseen, nil
}

// followQueue shows the queue again whenever a worker says how it is, at most once a second, and now and then if none does.
func followQueue(ctx context.Context, b *bus.Bus, show func(worker.QueueStatus) error, said io.Writer) error {
	beats := make(chan struct{}, 1)
	listening, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range b.Beats(listening, nil) {
			select {
			case beats <- struct{}{}:
			default: // it is about to be shown
			}
		}
	}()
	defer func() { stop(); <-done }()
	told := ""
	for ctx.Err() == nil {
		status, unseen, err := askQueue(ctx, b)
		if unseen != nil && unseen.Error() != told { // once
			told = unseen.Error()
			fmt.Fprintln(said, "autopurchase:", told)
		}
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, bus.ErrForbidden):
			return err
		case err != nil:
			fmt.Fprintln(said, "autopurchase:", err)
		default:
			if err := show(status); err != nil {
				return err
			}
		}
		await(ctx, time.Second, nil)
		await(ctx, beatEvery, beats)
	}
	return nil
}

// await waits for news, for a time at most.
func await(ctx context.Context, longest time.Duration, news <-chan struct{}) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
	case <-ctx.Done():
	}
}
