package worker

import (
	"slices"
	"time"
)

// WatchRules say how long an order may stand still before a person must know of it; 0 watches nothing.
type WatchRules struct {
	Unshipped time.Duration // paid, and nothing was sent
	Untraced  time.Duration // sent, and no parcel was seen
	Unmoved   time.Duration // neither received nor ended, and nothing happened
}

// Watched lists the alarms about orders.
func Watched() []AlarmKind { return []AlarmKind{AlarmUnshipped, AlarmUntraced, AlarmUnmoved} }

// limit is how long an order may stand still by one rule.
func (r WatchRules) limit(kind AlarmKind) time.Duration {
	switch kind {
	case AlarmUnshipped:
		return r.Unshipped
	case AlarmUntraced:
		return r.Untraced
	}
	return r.Unmoved
}

// still says since when an order stands still in the sense of a rule; zero if it does not. placed is when it was placed.
func (o OrderCourse) still(kind AlarmKind, placed time.Time) time.Time {
	sent := o.State == StateShipped || o.State == StateShippedInPart
	switch {
	case kind == AlarmUnshipped && o.State == StatePaid:
		return o.Since
	case kind == AlarmUntraced && sent && o.TracedAt.IsZero():
		return orTime(o.ShippedAt, o.Since)
	case kind == AlarmUnmoved && !o.State.Final() && o.State != StateReceived:
		return laterOf(placed, o.Moved)
	}
	return time.Time{}
}

// Late says by which rules an order stands still for too long, with since when, and when it will next by another.
func (r WatchRules) Late(o OrderCourse, placed, now time.Time) (late map[AlarmKind]time.Time, next time.Time) {
	late = map[AlarmKind]time.Time{}
	for _, kind := range Watched() {
		since, limit := o.still(kind, placed), r.limit(kind)
		if since.IsZero() || limit == 0 {
			continue
		}
		if due := since.Add(limit); due.After(now) {
			next = firstOf(next, due)
		} else {
			late[kind] = since
		}
	}
	return late, next
}

func orTime(at, other time.Time) time.Time {
	if at.IsZero() {
		return other
	}
	return at
}

// stillness counts the orders that stand still by one rule.
type stillness struct {
	count  int64
	newest time.Time // since when the one that stands still for the shortest time does
	named  []string
}

// fewNamed is how many orders an alarm names.
const fewNamed = 3

func (s *stillness) add(name string, since time.Time) {
	s.count++
	s.newest = laterOf(s.newest, since)
	if s.named = append(s.named, name); len(s.named) > fewNamed {
		slices.Sort(s.named)
		s.named = s.named[:fewNamed]
	}
}
