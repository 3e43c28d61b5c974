package bus

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/schemas"
	"autopurchase/worker"
)

// PublishStatus stores what happened to an order after it was placed, with the state that the order has since then; see
// worker.Course. The same event is stored once, however late it is repeated: each is stored under the condition that nothing is
// on the request's subject but what was looked at, a compare-and-set of the broker's. Errors are *worker.Trouble.
func (o *Outbox) PublishStatus(ctx context.Context, status worker.Status) error {
	if _, err := worker.DecodeRef(status.Ref); err != nil || worker.CheckName(status.Tenant) != nil {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "status names no request"}
	}
	status = schemas.LegibleStatus(status)
	return persist(ctx, "publish a status", func(ctx context.Context) (err error) {
		for range rivals {
			if err = o.advance(ctx, status); !errors.Is(err, errFaster) {
				break
			}
		}
		return err
	})
}

// rivals is how often in a row others may be faster: the events of a request come to several workers at once.
const rivals = 16

// advance places the status behind those on record. Another process that is faster makes it be placed anew.
func (o *Outbox) advance(ctx context.Context, status worker.Status) error {
	subject := statusSubject(status.Tenant, status.Ref)
	c := o.bus.courses.of(subject)
	c.Lock()
	defer c.Unlock()
	if !c.read {
		course, last, err := o.bus.course(ctx, subject)
		if err != nil {
			return err
		}
		c.course, c.last, c.read = course, last, true
	}
	next, news := c.course.Next(status)
	if !news {
		return nil
	}
	ack, err := o.bus.js.PublishMsg(ctx, traced(ctx, message(subject, schemas.AppendStatus(nil, next))), jetstream.WithMsgID(statusID(next)),
		jetstream.WithExpectStream(StreamStatus), jetstream.WithExpectLastSequencePerSubject(c.last))
	switch {
	case err == nil && !ack.Duplicate:
		c.course.Take(next)
		c.last = ack.Sequence
		return nil
	case err == nil:
		c.read = false // it was stored, and its acknowledgement lost
		return nil
	case wrongLast(err):
		c.read, err = false, errFaster
	default:
		c.read = false
	}
	return err
}

// course reads what is on record about a request's orders, and the sequence of the last of it, 0 for none.
func (b *Bus) course(ctx context.Context, subject string) (course worker.Course, last uint64, err error) {
	entries, err := b.entries(ctx, StreamStatus, directGet{Sequence: 1, Next: subject}, 0)
	for _, e := range entries {
		last = e.Sequence
		if e.Status != nil {
			course.Take(*e.Status)
		}
	}
	return course, last, err
}

// maxCourses is how many requests' courses are remembered, so that a run of events reads each but once.
const maxCourses = 1024

// courses remember what was last seen on subjects. It saves looks: what is not so any more the broker turns down.
type courses struct {
	mu    sync.Mutex
	known map[string]*courseOf
}

type courseOf struct {
	sync.Mutex
	read   bool
	course worker.Course
	last   uint64
}

func (c *courses) of(subject string) *courseOf {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[subject] == nil {
		if c.known == nil || len(c.known) == maxCourses {
			c.known = make(map[string]*courseOf)
		}
		c.known[subject] = &courseOf{}
	}
	return c.known[subject]
}

// Course gives what is known of the orders of a request since they were placed. Errors are *worker.Trouble.
func (o *Outbox) Course(ctx context.Context, tenant, id string) (worker.Course, error) {
	course, _, err := o.bus.course(ctx, statusSubject(tenant, worker.EncodeRef(id)))
	return course, err
}

// TakePush stores what 1688 said: beside the request whose order it is about, or apart. Errors are *worker.Trouble.
func (o *Outbox) TakePush(ctx context.Context, push worker.Push) error {
	status, stray := push.Sort()
	if stray != nil && push.OrderID != "" { // it may be one that a person bound to a request
		bond, entry, err := (&Register{o}).Bond(ctx, push.OrderID)
		if err != nil {
			return err
		}
		if entry != 0 {
			push.Reference = bond.OutOrderID
			status, stray = push.Sort()
		}
	}
	if stray != nil {
		return o.KeepApart(ctx, *stray)
	}
	return o.PublishStatus(ctx, *status)
}

// KeepApart stores a push that belongs to no request, once. Errors are *worker.Trouble.
func (o *Outbox) KeepApart(ctx context.Context, stray worker.Stray) error {
	body, err := json.Marshal(stray)
	if err != nil {
		return &worker.Trouble{Code: worker.CodeInternal, Reason: "a push cannot be written", Err: err}
	}
	subject := straySubject(stray.AppKey, stray.EventID)
	return persist(ctx, "keep a push apart", func(ctx context.Context) error {
		_, err := o.bus.js.PublishMsg(ctx, traced(ctx, message(subject, body)),
			jetstream.WithExpectStream(StreamStray), jetstream.WithExpectLastSequencePerSubject(0))
		if wrongLast(err) {
			return nil // it is there
		}
		return err
	})
}
