package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"autopurchase/worker"
)

// Register keeps which orders of 1688 persons bound to requests: the last message on an order's subject says whose it is, and the
// broker itself refuses the second of two that bind it at once. It is safe for concurrent use.
type Register struct{ *Outbox }

// Register gives the register.
func (b *Bus) Register() *Register { return &Register{b.Outbox()} }

// Bond gives who an order is bound to; see worker.Register. Errors are *worker.Trouble.
func (r *Register) Bond(ctx context.Context, orderID string) (deed worker.Deed, entry uint64, err error) {
	deed, entry, err = r.read(ctx, orderID)
	if err != nil || !holds(deed) {
		return worker.Deed{}, 0, err
	}
	deed.Entry = entry
	return deed, entry, nil
}

// read gives the last entry of an order, of either kind; 0 for none.
func (r *Register) read(ctx context.Context, orderID string) (deed worker.Deed, entry uint64, err error) {
	msg, err := r.bus.last(ctx, StreamJournal, bondSubject(orderID))
	if err != nil {
		return deed, 0, natsDown("read whose order "+orderID+" is", err)
	}
	if msg == nil {
		return deed, 0, nil
	}
	if err := json.Unmarshal(msg.Data, &deed); err != nil {
		return deed, 0, fmt.Errorf("%s, sequence %d: %w", msg.Subject, msg.Sequence, err)
	}
	return deed, msg.Sequence, nil
}

// holds says whether an entry makes an order somebody's.
func holds(deed worker.Deed) bool {
	return deed.What == worker.DeedBound || deed.What == worker.DeedResolved
}

// Enter puts a bond or its end on record; see worker.Register.
func (r *Register) Enter(ctx context.Context, deed worker.Deed) (entry uint64, err error) {
	var taken *worker.Invalid
	err = persist(ctx, "enter a bond", func(ctx context.Context) (err error) {
		for range rivals {
			if entry, taken, err = r.enter(ctx, deed); !errors.Is(err, errFaster) {
				break
			}
		}
		return err
	})
	if err == nil && taken != nil {
		return 0, taken
	}
	return entry, err
}

// enter compares with what is on record and stores the deed behind it.
func (r *Register) enter(ctx context.Context, deed worker.Deed) (entry uint64, taken *worker.Invalid, err error) {
	before, entry, err := r.read(ctx, deed.OrderID)
	switch {
	case err != nil:
		return 0, nil, err
	case entry != 0 && holds(before) == holds(deed) && before.OutOrderID == deed.OutOrderID, entry == 0 && !holds(deed):
		return entry, nil, nil
	case holds(before) && before.OutOrderID != deed.OutOrderID:
		return 0, &worker.Invalid{RequestID: deed.RequestID, Field: "order_id", Reason: before.Holds()}, nil
	}
	body, err := json.Marshal(deed)
	if err != nil {
		return 0, nil, err
	}
	ack, err := r.bus.js.PublishMsg(ctx, message(bondSubject(deed.OrderID), body), jetstream.WithExpectStream(StreamJournal),
		jetstream.WithExpectLastSequencePerSubject(entry))
	switch {
	case wrongLast(err):
		return 0, nil, errFaster
	case err != nil:
		return 0, nil, err
	}
	return ack.Sequence, nil, nil
}

// Keep puts on record what was done; see Bus.Keep.
func (r *Register) Keep(ctx context.Context, deed worker.Deed) error { return r.bus.Keep(ctx, deed) }

var _ worker.Register = (*Register)(nil)
