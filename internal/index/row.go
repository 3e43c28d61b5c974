package index

import (
	"cmp"
	"slices"
	"time"

	"autopurchase/worker"
)

// kind says what a side of a request is.
type kind int

const (
	sideKey kind = iota + 1
	sideSeller
	sideOffer
	sideOrder
)

// row is a request as it is stored, made of the latest of each of its messages.
type row struct {
	id int64 // 0: not stored yet
	worker.Summary
	asked, answered             time.Time // by the broker's clock
	askedIn, decidedIn, movedIn uint64
	movedAt                     time.Time
	deadIn                      uint64
	dead                        string // why its latest dead letter was written
}

// listed says whether it has a place in lists: a status or a dead letter alone gives it none.
func (r *row) listed() bool { return r.askedIn > 0 || r.decidedIn > 0 }

// at is its place in lists.
func (r *row) at() int64 {
	if r.asked.IsZero() {
		return nanos(r.DecidedAt)
	}
	return nanos(r.asked)
}

// words are what a text is looked for in. None of them has a line's end.
func (r *row) words() string { return r.RequestID + "\n" + r.numbers() }

// numbers are the words that are not its own: of its orders and parcels.
func (r *row) numbers() string { return lines(slices.Concat(r.OrderIDs, r.Tracking)) }

// take takes in what a message says. What is older than what is known already changes nothing.
func (r *row) take(e worker.Entry) {
	switch {
	case e.Request != nil && e.Sequence > r.askedIn:
		r.askedIn, r.asked = e.Sequence, e.At
		r.Ask(*e.Request, e.At)
	case e.Result != nil && e.Sequence > r.decidedIn:
		r.decidedIn, r.answered = e.Sequence, e.At
		r.Decide(*e.Result)
	case e.Dead != nil:
		r.deadIn, r.dead = e.Sequence, e.Dead.Reason
	case e.Status != nil:
		r.Tracking = worker.Tracked(r.Tracking, e.Status.Parcels)
		if !e.Status.Late && e.Status.State != "" && r.moved(e) {
			r.movedIn, r.movedAt, r.Latest = e.Sequence, e.Status.At, string(e.Status.State)
		}
	}
}

// moved says whether a status is later than the latest. 1688 pushes in any order.
func (r *row) moved(e worker.Entry) bool {
	return cmp.Or(e.Status.At.Compare(r.movedAt), cmp.Compare(e.Sequence, r.movedIn)) > 0
}

// sides are the values that it can be found by exactly.
func (r *row) sides() map[kind][]string {
	return map[kind][]string{sideKey: r.AppKeys, sideSeller: r.Sellers, sideOffer: r.Offers, sideOrder: r.OrderIDs}
}

// nanos are those since 1970; 0 for no time.
func nanos(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
