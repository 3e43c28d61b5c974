package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

// OrderRecord is what was told of orders since they were placed. Errors are *Trouble with CodeNATSDown; what failed may be repeated.
type OrderRecord interface {
	// PublishStatus stores an event of an order, once; see Course.
	PublishStatus(ctx context.Context, status Status) error
	// Course gives what is known of the orders of a request.
	Course(ctx context.Context, tenant, id string) (Course, error)
}

// Apart is where pushes are kept that belong to no request. Errors are *Trouble with CodeNATSDown; what failed may be repeated.
type Apart interface {
	// Replace writes down anew why a push is kept apart.
	Replace(ctx context.Context, stray Stray) error
	// Settle removes a push that has found its request.
	Settle(ctx context.Context, stray Stray) error
}

// OrderView shows an order as 1688 has it now; see Bookshop.
type OrderView interface {
	Detail(ctx context.Context, appKey, orderID string) Answer
}

// Tracker finds out from the details of orders what pushes do not tell: which parcels were sent, whose order a push is about, and what
// happened when nothing was pushed. It keeps nothing and is safe for concurrent use: what it could not do is to be tried again.
type Tracker struct {
	Orders OrderView
	Record OrderRecord
	Apart  Apart
	// CallTimeout bounds one look at an order.
	CallTimeout time.Duration
}

var (
	errNoParcel = errors.New("1688 shows no parcel of the order yet")
	errUnseen   = errors.New("1688 does not show the order yet")
)

// Shipped has the parcels of an order stored once a status says that some were sent, or that one has another number. The error says
// why they are not known yet.
func (t *Tracker) Shipped(ctx context.Context, s Status) error {
	told := s.Event == OrderEvent(StateShipped) || s.Event == OrderEvent(StateShippedInPart) || s.Event == EventTracking && s.Source != SourceDetail
	if !told || s.AppKey == "" {
		return nil
	}
	detail, err := t.look(ctx, s.AppKey, s.OrderID)
	switch {
	case err != nil:
		return err
	case len(detail.Parcels) == 0:
		return errNoParcel
	}
	s.At = time.Now().UTC()
	return t.Record.PublishStatus(ctx, parcelsOf(s, detail))
}

// Sort looks whose order a push is about that 1688 did not show when it came: the push is moved to its request, or is known to be of
// others. The error says why that is not known yet.
func (t *Tracker) Sort(ctx context.Context, stray Stray) error {
	if stray.Why != StrayUnseen {
		return nil
	}
	detail, err := t.look(ctx, stray.AppKey, stray.OrderID)
	if err != nil {
		return err
	}
	status, still := stray.Push(detail.Reference).Sort()
	if still != nil {
		return t.Apart.Replace(ctx, *still)
	}
	if err := t.Record.PublishStatus(ctx, *status); err != nil {
		return err
	}
	return t.Apart.Settle(ctx, stray)
}

// Look asks 1688 for an order of which nothing was heard, and stores what is new: its state, and its parcels. It says what is known then.
func (t *Tracker) Look(ctx context.Context, tenant, id string, order OrderCourse) (OrderCourse, error) {
	detail, err := t.look(ctx, order.AppKey, order.OrderID)
	if err != nil {
		return order, err
	}
	s := Status{
		Tenant: tenant, Ref: EncodeRef(id), RequestID: id, OrderID: order.OrderID, OutOrderID: order.OutOrderID, AppKey: order.AppKey,
		EventID: "detail:" + order.OrderID + ":" + detail.Status, Topic: TopicDetail, Event: OrderEvent(StateOf(detail.Status)),
		Status: detail.Status, Source: SourceDetail, At: time.Now().UTC(),
	}
	course, err := t.Record.Course(ctx, tenant, id)
	if err != nil {
		return order, err
	}
	for _, seen := range []Status{s, parcelsOf(s, detail)} {
		if seen.Event == "" || seen.Event == EventTracking && len(seen.Parcels) == 0 {
			continue
		}
		next, news := course.Next(seen)
		before, _ := course.Order(order.OrderID)
		if !news || next.State == before.State && (next.Event != EventTracking || !before.lacks(seen.Parcels)) {
			continue
		}
		if err := t.Record.PublishStatus(ctx, seen); err != nil {
			return order, err
		}
		course.Take(next)
	}
	order, _ = course.Order(order.OrderID)
	return order, nil
}

// lacks says whether a parcel is not known of, or not who carries it.
func (o OrderCourse) lacks(parcels []Parcel) bool {
	return slices.ContainsFunc(parcels, func(p Parcel) bool {
		return !slices.ContainsFunc(o.Parcels, func(known Parcel) bool {
			return known.Number == p.Number && (known.Carrier != "" || p.Carrier == "")
		})
	})
}

// look gives the order as 1688 has it now.
func (t *Tracker) look(ctx context.Context, appKey, orderID string) (OrderDetail, error) {
	ctx, cancel := context.WithTimeout(ctx, t.CallTimeout)
	defer cancel()
	answer := t.Orders.Detail(ctx, appKey, orderID)
	switch {
	case answer.Verdict == Placed && answer.Detail != nil:
		return *answer.Detail, nil
	case answer.Verdict == Absent:
		return OrderDetail{}, errUnseen
	}
	return OrderDetail{}, &Trouble{Code: answer.Code, Reason: answer.Reason}
}

// parcelsOf is the event that tells what was sent. The same parcels are the same event.
func parcelsOf(s Status, detail OrderDetail) Status {
	var all []string
	for _, p := range detail.Parcels {
		all = append(all, p.Number+"\x00"+p.Carrier)
	}
	slices.Sort(all)
	digest := sha256.Sum256([]byte(strings.Join(all, "\x01")))
	s.EventID, s.Topic, s.Event = "parcels:"+s.OrderID+":"+hex.EncodeToString(digest[:8]), TopicDetail, EventTracking
	s.Status, s.Parcels, s.Source, s.Raw = detail.Status, detail.Parcels, SourceDetail, ""
	return s
}
