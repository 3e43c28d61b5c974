package worker

import (
	"fmt"
	"strings"
	"time"
)

// Alarm is what a person must know of the queue: that something is wrong, and later that it is over.
type Alarm struct {
	Kind  AlarmKind  `json:"kind"`
	What  string     `json:"what"` // the pool of AlarmPool, "all" of the other kinds
	State AlarmState `json:"state"`
	Text  string     `json:"text"`            // one sentence for people
	Count int64      `json:"count,omitempty"` // how many of it there are
	Mark  uint64     `json:"mark,omitempty"`  // sequence of the newest of them that is counted, in its stream; of orders, since when it stands still, ms
	Since time.Time  `json:"since"`           // when it began
	At    time.Time  `json:"at"`              // when this was told
}

// AlarmKind says what is wrong.
type AlarmKind string

// The kinds of alarms.
const (
	AlarmUnknown AlarmKind = "unknown" // requests are parked for a person
	AlarmDead    AlarmKind = "dead"    // requests could not be read or were given up
	AlarmRelay   AlarmKind = "relay"   // no worker has a relay
	AlarmQueue   AlarmKind = "queue"   // requests wait for too long
	AlarmPool    AlarmKind = "pool"    // no key of a pool has room
	AlarmPrice   AlarmKind = "price"   // orders are not paid for since what is payable has changed
	AlarmPayment AlarmKind = "payment" // orders are not paid for, for another reason that wants a person

	AlarmUnshipped AlarmKind = "unshipped" // orders are paid, and nothing was sent for too long
	AlarmUntraced  AlarmKind = "untraced"  // orders were sent, and no parcel was seen for too long
	AlarmUnmoved   AlarmKind = "unmoved"   // nothing happened to orders for too long
)

// AlarmState says whether something is wrong or over.
type AlarmState string

// The states of an alarm.
const (
	AlarmRaised AlarmState = "raised"
	AlarmOver   AlarmState = "over"
)

// Everything is What of an alarm that is about the whole queue.
const Everything = "all"

const (
	// quietFor is how long no more is told of a growing number, unless it has grown tenfold.
	quietFor = time.Hour
	tenfold  = 10
)

// Finding is how it is now with what an alarm may be about.
type Finding struct {
	Kind    AlarmKind
	What    string
	State   AlarmState // AlarmRaised: it is wrong; AlarmOver: it is not; "": that is not sure
	Count   int64
	Mark    uint64        // of alarms about orders: since when the newest of them stands still, milliseconds of Unix time
	Waiting time.Duration // of AlarmQueue and AlarmRelay: for how long; of alarms about orders: how long they may
	Named   []string      // of alarms about orders: some of them
}

// After says what there is to tell, given what was told last about the same; the zero Alarm if that is nothing. It returns false
// if a person knows already. What is told once is not told again until it is over, but for a number that has grown: by new ones
// after an hour, or tenfold at once.
func (f Finding) After(last Alarm, now time.Time) (Alarm, bool) {
	next := Alarm{Kind: f.Kind, What: f.What, State: f.State, Count: f.Count, Mark: f.Mark, Since: now.Add(-f.Waiting).UTC(), At: now.UTC()}
	raised := last.State == AlarmRaised
	switch {
	case f.State == AlarmOver && raised:
		next.Since = last.Since
		next.Text = f.over(now.Sub(last.Since))
		return next, true
	case f.State != AlarmRaised:
		return next, false
	case raised:
		next.Since = last.Since
		grown := f.Mark > last.Mark && (now.Sub(last.At) >= quietFor || f.Count >= tenfold*last.Count)
		next.Text = f.wrong()
		return next, grown
	}
	next.Text = f.wrong()
	return next, true
}

func (f Finding) wrong() string {
	switch f.Kind {
	case AlarmUnknown:
		return fmt.Sprintf("%d requests are parked as unknown: look at 1688 and say what became of their orders, autopurchase orders parked", f.Count)
	case AlarmDead:
		return fmt.Sprintf("%d dead letters: requests that could not be read or were given up are on purchase.dead.>", f.Count)
	case AlarmRelay:
		return fmt.Sprintf("no worker has had a relay for %s: nothing is bought", about(f.Waiting))
	case AlarmQueue:
		return fmt.Sprintf("%d requests wait, the oldest for %s", f.Count, about(f.Waiting))
	case AlarmPrice:
		return fmt.Sprintf("price change waits for a person: %d orders are not paid for, autopurchase orders unpaid", f.Count)
	case AlarmPayment:
		return fmt.Sprintf("%d payments want a person: autopurchase orders unpaid", f.Count)
	case AlarmUnshipped:
		return fmt.Sprintf("%d orders were paid for more than %s ago and are not shipped%s", f.Count, about(f.Waiting), f.named())
	case AlarmUntraced:
		return fmt.Sprintf("%d orders were shipped more than %s ago and no parcel was seen%s", f.Count, about(f.Waiting), f.named())
	case AlarmUnmoved:
		return fmt.Sprintf("nothing has happened to %d orders for more than %s%s", f.Count, about(f.Waiting), f.named())
	default:
		return "app key pool " + f.What + ": no key has room: add a key"
	}
}

func (f Finding) over(lasted time.Duration) string {
	after := " after " + about(lasted)
	switch f.Kind {
	case AlarmUnknown:
		return "no unknown order is left" + after
	case AlarmDead:
		return "no dead letter is left" + after
	case AlarmRelay:
		return "relay is back" + after
	case AlarmQueue:
		return "the queue is on time again" + after
	case AlarmPrice:
		return "no price change waits for a person" + after
	case AlarmPayment:
		return "no payment wants a person" + after
	case AlarmUnshipped:
		return "no order waits to be shipped for too long any more" + after
	case AlarmUntraced:
		return "no shipped order lacks a trace for too long any more" + after
	case AlarmUnmoved:
		return "no order stands still for too long any more" + after
	default:
		return "app key pool " + f.What + " has room again" + after
	}
}

// named names some of the orders.
func (f Finding) named() string {
	if len(f.Named) == 0 {
		return ""
	}
	text := ": " + strings.Join(f.Named, ", ")
	if more := f.Count - int64(len(f.Named)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + ": autopurchase orders show"
}

// about is a duration as people say it.
func about(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
