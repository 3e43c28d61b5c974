package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// maxAlarms is how many different alarms there may be at a time: four of the queue and one of each pool.
const maxAlarms = 1000

// Report tells of these findings what persons do not know yet; see worker.Finding.After. It is stored on
// purchase.alarm.<kind>.<what>, where the last message says what was told last. Each is stored under the condition that this is
// still so: however many instances find the same, and however often they are started again, it is told once. Errors say what
// could not be told; it may be reported again.
func (b *Bus) Report(ctx context.Context, findings ...worker.Finding) error {
	told, err := b.told(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, finding := range findings {
		last := told[alarmSubject(finding.Kind, finding.What)]
		if next, news := finding.After(last.Alarm, time.Now()); news {
			errs = append(errs, b.raise(ctx, next, last.sequence))
		}
	}
	return errors.Join(errs...)
}

// lastTold is what was told last of something.
type lastTold struct {
	worker.Alarm
	sequence uint64
}

// told gives what was told last, by subject. What cannot be read counts as nothing, and is replaced.
func (b *Bus) told(ctx context.Context) (map[string]lastTold, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	messages, err := b.batch(ctx, StreamAlarms, directGet{Last: []string{SubjectAlarms}, Batch: maxAlarms})
	if err != nil {
		return nil, fmt.Errorf("alarms on record: %w", err)
	}
	all := make(map[string]lastTold, len(messages))
	for _, msg := range messages {
		last := lastTold{sequence: msg.Sequence}
		_ = json.Unmarshal(msg.Data, &last.Alarm)
		all[msg.Subject] = last
	}
	return all, nil
}

// raise stores an alarm behind the one of that sequence, 0 for none. If another instance was faster, it is told.
func (b *Bus) raise(ctx context.Context, alarm worker.Alarm, behind uint64) error {
	body, err := json.Marshal(alarm)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	_, err = b.js.PublishMsg(ctx, message(alarmSubject(alarm.Kind, alarm.What), body),
		jetstream.WithExpectStream(StreamAlarms), jetstream.WithExpectLastSequencePerSubject(behind))
	if err == nil || wrongLast(err) {
		return nil
	}
	return fmt.Errorf("alarm %s %s: %w", alarm.Kind, alarm.What, err)
}

// Kept is how many messages a stream holds, and the sequence of the newest that it ever held.
func (b *Bus) Kept(ctx context.Context, name string) (count, newest uint64, err error) {
	stream, err := b.js.Stream(ctx, name)
	if err != nil {
		return 0, 0, fmt.Errorf("stream %s: %w", name, err)
	}
	state := stream.CachedInfo().State
	return state.Msgs, state.LastSeq, nil
}
