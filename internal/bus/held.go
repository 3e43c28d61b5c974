package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// A request whose time has not come is kept by the broker's own clock: a message with a schedule, which it turns into another one once
// that is due, over restarts too.
//
//	request ─► Hold ─► purchase.held.<tenant>.<ref> ─ at its time ─► purchase.due.<tenant>.<ref>
//	                                                                           │ consumer "due"
//	              its lane: …<tenant>.<ref>.due, once ◄─────────────── release ┘
//
// Schedules need a stream of their own, since one that refuses messages, as that of requests does, may have none. What is held names
// the request and does not repeat it.

// held is what is kept of a request whose time has not come, and comes back then.
type held struct {
	Sequence uint64    `json:"sequence"` // of the request
	Attempt  int       `json:"attempt"`  // the delivery by which it was held
	Until    time.Time `json:"until"`
}

const (
	headerSchedule = "Nats-Schedule"
	headerTarget   = "Nats-Schedule-Target"

	// dueToken is behind the subject of a request that is handed out again since its time has come.
	dueToken = "due"
	// originHeld is in front of the sequence of that request, in HeaderOrigin.
	originHeld = "held/"
)

// ConsumerDue is the durable consumer that all workers share on StreamHeld.
const ConsumerDue = "due"

// Hold keeps a request until its time; see worker.Shelf. It must come within nine tenths of the time that requests are kept for.
func (b *Bus) Hold(ctx context.Context, d worker.Delivery, until time.Time) error {
	if latest := d.Published.Add(b.config.Retention.Requests / 10 * 9); until.After(latest) {
		return &worker.Invalid{Field: "not_before", Reason: "must be before " + latest.UTC().Format(time.RFC3339) + ": requests are not kept for longer"}
	}
	body, err := json.Marshal(held{Sequence: d.Sequence, Attempt: d.Attempt, Until: until.UTC()})
	if err != nil {
		return err
	}
	msg := message(heldSubject(d.Tenant, d.Ref), body)
	msg.Header = nats.Header{headerSchedule: {"@at " + until.UTC().Format(time.RFC3339Nano)}, headerTarget: {dueSubject(d.Tenant, d.Ref)}}
	return persist(ctx, "hold a request", func(ctx context.Context) error {
		_, err := b.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(StreamHeld))
		return err
	})
}

// Forget drops what is held of a request: it has ended before its time. Nothing depends on it but the count of what is held.
func (b *Bus) Forget(ctx context.Context, tenant, id string) error {
	stream, err := b.stream(ctx, StreamHeld)
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(heldSubject(tenant, worker.EncodeRef(id))))
}

// HandOutDue hands out what was held, once its time has come, until ctx ends or the bus is closed. Of all who do so one hands each out.
// Its error says that the consumer could not be made.
func (b *Bus) HandOutDue(ctx context.Context) error {
	config := durable(ConsumerDue, "Requests that were held and whose time has come.")
	config.FilterSubject = dueSubjects
	return b.handOut(ctx, handout{
		stream: StreamHeld, config: config, atOnce: dueAtOnce, pause: repairEvery, maxPause: handoutWait, attempts: 1 << 62,
		undone: "a request that was held could not be handed out", do: b.release,
	})
}

// dueAtOnce is how many are handed out at the same time by one process.
const dueAtOnce = 4

// release hands a request out in its lane. The broker takes that once, whatever is repeated.
func (b *Bus) release(ctx context.Context, due jetstream.Msg) error {
	var h held
	if err := json.Unmarshal(due.Data(), &h); err != nil {
		return garbled{err}
	}
	stored, err := b.message(ctx, StreamRequests, h.Sequence)
	switch {
	case err != nil:
		return err
	case stored == nil:
		return fmt.Errorf("the request %d that was held until %v is not on record", h.Sequence, h.Until)
	}
	msg := h.message(stored)
	before, err := b.again(ctx, msg)
	if err != nil || !before {
		return err
	}
	there, err := b.last(ctx, StreamRequests, msg.Subject)
	if err == nil && there != nil && there.Header.Get(HeaderOrigin) != msg.Header.Get(HeaderOrigin) {
		return garbled{errors.New("somebody else has put a message on " + msg.Subject + ": its request is not handed out")}
	}
	return err
}

// message is the request as it was stored, with what its next delivery has to know.
func (h held) message(stored *Message) *nats.Msg {
	msg := message(stored.Subject+"."+dueToken, stored.Data)
	msg.Header = nats.Header{HeaderOrigin: {originHeld + strconv.FormatUint(h.Sequence, 10)}, headerAttempt: {strconv.Itoa(h.Attempt)},
		headerPublished: {stored.Time.UTC().Format(time.RFC3339Nano)}}
	carryOn(msg.Header, stored.Header)
	return msg
}

// shelf is what is held, as it was last counted. It is safe for concurrent use.
type shelf struct {
	mutex sync.Mutex
	n     uint64
	next  time.Time
	until time.Time // it need not be counted again before
}

// Held is how many requests wait for their time, and when that of the first is; zero if there are so many that this is not looked for.
// It is counted every few seconds at most.
func (b *Bus) Held(ctx context.Context) (n uint64, next time.Time, err error) {
	s := &b.shelf
	s.mutex.Lock()
	defer s.mutex.Unlock()
	start := time.Now()
	if start.Before(s.until) {
		return s.n, s.next, nil
	}
	if n, next, err = b.countHeld(ctx); err == nil {
		s.n, s.next, s.until = n, next, time.Now().Add(tenantsRest*time.Since(start))
	}
	return n, next, err
}

// mostHeld is among how many the first is looked for.
const mostHeld = 2000

func (b *Bus) countHeld(ctx context.Context) (n uint64, next time.Time, err error) {
	ask := directGet{Sequence: 1, Next: heldSubjects, Batch: tailBatch, MaxBytes: tailBytes}
	for seen := uint64(0); ; {
		messages, err := b.batch(ctx, StreamHeld, ask)
		if err != nil || len(messages) == 0 {
			return n, next, err
		}
		if seen == 0 {
			n = messages[0].more() + 1
		}
		if n > mostHeld {
			return n, time.Time{}, nil
		}
		for _, msg := range messages {
			var h held
			if json.Unmarshal(msg.Data, &h) == nil && (next.IsZero() || h.Until.Before(next)) {
				next = h.Until
			}
		}
		if seen += uint64(len(messages)); seen >= n {
			return n, next, nil
		}
		ask.Sequence = messages[len(messages)-1].Sequence + 1
	}
}

// errNoSchedules says that the broker is too old.
var errNoSchedules = errors.New("the server does not know message schedules, by which requests are held until their time: it must be nats-server 2.12 or later")
