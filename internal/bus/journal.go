package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// Journal records pool events. Each pool's part of the stream is sorted by the events' own sequence, and the broker keeps it
// so: an event is only taken when the pool's last entry is the one that its publisher knows (a compare-and-set on
// keypool.event.<pool>.*). A message id alone would not do, since the broker forgets it after a while.
//
//	the pool's last entry is older   ours is stored behind it
//	it is ours                       done: it was stored before
//	it is newer                      ours is looked up among the older ones, by halves
//
// Any number of processes may record a pool's events at once, each in the order of their sequence.
type Journal struct {
	// OnStored is told of each event that the broker did not have before, so that of all processes one hears of it. May be nil.
	OnStored func(worker.PoolEvent)

	bus   *Bus
	mutex sync.Mutex
	last  map[string]uint64 // by pool: where its last known entry is in the stream
}

// Journal gives the journal.
func (b *Bus) Journal() *Journal { return &Journal{bus: b, last: map[string]uint64{}} }

// Record stores an event; see worker.Journal. Errors are *worker.Trouble: CodeNATSDown when it may or may not be stored and may
// be recorded again, CodeInternal when the journal has another event under that sequence: the pool's record and the journal
// have parted, and a person must look.
func (j *Journal) Record(ctx context.Context, event worker.PoolEvent) error {
	body, err := json.Marshal(event)
	if err != nil || worker.CheckName(event.Pool) != nil || worker.CheckName(string(event.Kind)) != nil {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "a pool event cannot be written", Err: err}
	}
	return persist(ctx, "record a pool event", func(ctx context.Context) error { return j.store(ctx, event, body) })
}

func (j *Journal) store(ctx context.Context, event worker.PoolEvent, body []byte) error {
	for {
		at, err := j.publish(ctx, event, body)
		if err == nil {
			j.know(event.Pool, at)
			return nil
		}
		if !wrongLast(err) {
			return err
		}
		if done, err := j.compare(ctx, event, body); done || err != nil {
			return err
		}
	}
}

func (j *Journal) publish(ctx context.Context, event worker.PoolEvent, body []byte) (uint64, error) {
	ack, err := j.bus.js.PublishMsg(ctx, message(eventSubject(event.Pool, event.Kind), body),
		jetstream.WithMsgID(eventID(event)),
		jetstream.WithExpectStream(StreamKeyPool),
		jetstream.WithExpectLastSequenceForSubject(j.known(event.Pool), poolSubjects(event.Pool)))
	if err != nil {
		return 0, err
	}
	if !ack.Duplicate && j.OnStored != nil {
		j.OnStored(event)
	}
	return ack.Sequence, nil
}

// compare looks at the pool's last entry and says whether the event is on record already.
func (j *Journal) compare(ctx context.Context, event worker.PoolEvent, body []byte) (bool, error) {
	last, err := j.bus.last(ctx, StreamKeyPool, poolSubjects(event.Pool))
	if err != nil {
		return false, err
	}
	if last == nil {
		j.know(event.Pool, 0)
		return false, nil
	}
	sequence, err := entrySequence(last)
	if err != nil {
		return false, err
	}
	j.know(event.Pool, last.Sequence)
	if sequence < event.Sequence {
		return false, nil
	}
	return true, j.verify(ctx, event, body, last.Sequence)
}

// verify returns nil if exactly this event is on record at or before the given place.
func (j *Journal) verify(ctx context.Context, event worker.PoolEvent, body []byte, last uint64) error {
	entry, err := j.find(ctx, event, last)
	if err != nil {
		return err
	}
	if entry == nil || !bytes.Equal(entry.Data, body) {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: fmt.Sprintf(
			"the journal of pool %s is past event %d and does not have this %s event under it", event.Pool, event.Sequence, event.Kind)}
	}
	return nil
}

// find looks an event up by its sequence: the pool's entries are sorted, so the half that it is in can be told.
func (j *Journal) find(ctx context.Context, event worker.PoolEvent, last uint64) (*jetstream.RawStreamMsg, error) {
	stream, err := j.bus.stream(ctx, StreamKeyPool)
	if err != nil {
		return nil, err
	}
	low, high := uint64(1), last // places in the stream between which it must be
	for low <= high {
		middle := low + (high-low)/2
		entry, err := stream.GetMsg(ctx, middle, jetstream.WithGetMsgSubject(poolSubjects(event.Pool)))
		if err != nil {
			return nil, err
		}
		sequence, err := entrySequence(entry)
		switch {
		case err != nil || sequence == event.Sequence:
			return entry, err
		case sequence < event.Sequence:
			low = entry.Sequence + 1
		default:
			high = middle - 1
		}
	}
	return nil, nil
}

func entrySequence(entry *jetstream.RawStreamMsg) (int64, error) {
	event, err := schemas.DecodePoolEvent(entry.Data)
	if err != nil {
		return 0, &worker.Trouble{Code: worker.CodeInternal, Err: err,
			Reason: fmt.Sprintf("entry %d of the journal on %s cannot be read", entry.Sequence, entry.Subject)}
	}
	return event.Sequence, nil
}

func (j *Journal) known(pool string) uint64 {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.last[pool]
}

func (j *Journal) know(pool string, at uint64) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.last[pool] = at
}
