package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"autopurchase/internal/hook"
	"autopurchase/internal/keypool"
	"autopurchase/worker"
)

// alarmSettings say how a person is told what a pool needs. The webhook's URL may hold a token: it comes from a file.
type alarmSettings struct {
	file string
	hook *hook.Hook // nil tells nobody

	every      time.Duration // between two looks
	relayAfter time.Duration
	queueAfter time.Duration
}

func (a *alarmSettings) bind(s *settings) {
	s.text(&a.file, "alarm-webhook-file", "", "file with the URL of a webhook, mode 0600: what a person must know is posted there as JSON, each once however many workers are given it, and again until it is taken: alarms of the pools (low, exhausted, a key benched, a key spent without a spare) and of the queue (purchase.alarm.>), and that they are over")
	s.duration(&a.every, "alarm-every", 10*time.Second, 100*time.Millisecond, "how often it is looked whether there is something on purchase.alarm.> to tell")
	s.duration(&a.relayAfter, "alarm-relay-after", time.Minute, 3*beatEvery, "how long no worker may have a relay before it is an alarm")
	s.duration(&a.queueAfter, "alarm-queue-after", 15*time.Minute, time.Second, "how long the oldest request may wait before it is an alarm")
	s.check(a.load)
}

func (a *alarmSettings) load(terminal) error {
	if a.file == "" {
		return nil
	}
	url, err := readPrivate(a.file)
	if err == nil {
		a.hook, err = hook.New(string(url))
	}
	if err != nil {
		return fmt.Errorf("--alarm-webhook-file %q: %w", a.file, err)
	}
	return nil
}

// tell begins to tell alarms, if there is somebody to tell them to.
func (a *alarmSettings) tell(ctx context.Context, s *stores) error {
	if a.hook == nil {
		return nil
	}
	pools := s.bus.Alarms(ctx, func(ctx context.Context, event worker.PoolEvent) error {
		if needless, err := s.needless(ctx, event); needless || err != nil {
			return err
		}
		return a.hook.Post(ctx, event)
	})
	queue := s.bus.QueueAlarms(ctx, func(ctx context.Context, alarm worker.Alarm) error {
		if alarm.Kind == worker.AlarmPool && alarm.State == worker.AlarmRaised {
			return nil // the pool's own event that no key has room tells it
		}
		return a.hook.Tell(ctx, alarm)
	})
	return errors.Join(pools, queue)
}

// needless says whether nobody needs to hear of an event: a key that is spent while another waits for its turn is daily business,
// and that no key at all has room is an event of its own.
func (s *stores) needless(ctx context.Context, event worker.PoolEvent) (bool, error) {
	if event.Kind != worker.EventSpent {
		return false, nil
	}
	infos, err := s.pool.Keys(ctx, event.Pool)
	ready := slices.ContainsFunc(infos, func(i keypool.Info) bool { return i.State == keypool.StateReady })
	return ready || event.Left == 0, err
}
