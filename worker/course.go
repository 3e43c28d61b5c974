package worker

import (
	"slices"
	"strings"
	"time"
)

// Course is what is known of the orders of one request since they were placed. Statuses are taken in as they are stored; what is
// new is placed behind them. The zero Course knows nothing. It is not safe for concurrent use.
type Course struct {
	known  map[string]bool // events
	orders map[string]*OrderCourse
}

// OrderCourse is what is known of one order at 1688.
type OrderCourse struct {
	OrderID    string
	OutOrderID string
	AppKey     string
	State      OrderState
	Since      time.Time // when 1688 says it came into its state
	Moved      time.Time // when the latest thing happened: a state, or a parcel was seen
	PaidAt     time.Time // zero if it was not told
	ShippedAt  time.Time // in whole or in part; zero if it was not told
	TracedAt   time.Time // when a parcel was seen last; zero if none was
	HeardAt    time.Time // when anything was heard of it
	Status     string    // 1688's word, the latest that was no late one
	Parcels    []Parcel
}

// Take takes in a status as it is on record.
func (c *Course) Take(s Status) {
	if c.known == nil {
		c.known, c.orders = map[string]bool{}, map[string]*OrderCourse{}
	}
	c.known[s.key()] = true
	if s.Event == "" { // of a version before there were events
		if s.Event = eventOf(s.Topic, s.Status); s.State == "" {
			s = c.place(s)
		}
	}
	o := c.orders[s.OrderID]
	if o == nil {
		o = &OrderCourse{OrderID: s.OrderID}
		c.orders[s.OrderID] = o
	}
	o.take(s)
}

// Next says what is to be stored of a status that comes now, with the state of its order since then; false if it is stored already.
func (c *Course) Next(s Status) (Status, bool) {
	if c.known[s.key()] {
		return s, false
	}
	return c.place(s), true
}

// key is what makes two statuses the same event.
func (s Status) key() string { return s.AppKey + ":" + s.EventID }

// place gives a status the state of its order: it moves along the graph or stays where it is.
func (c *Course) place(s Status) Status {
	var before OrderCourse
	if o := c.orders[s.OrderID]; o != nil {
		before = *o
	}
	s.State, s.Late = before.State, false
	told := OrderState(s.Event)
	if !slices.Contains(OrderStates(), told) {
		if told = StateOf(s.Status); s.Event == EventPaymentFailed || !before.State.leads(told, s.At.After(before.Since)) {
			told = before.State
		}
	}
	switch {
	case told == "" || told == before.State:
	case before.State.leads(told, s.At.After(before.Since)):
		s.State = told
	default:
		s.Late = true
	}
	return s
}

// take moves the order along.
func (o *OrderCourse) take(s Status) {
	o.OutOrderID, o.AppKey = orElse(s.OutOrderID, o.OutOrderID), orElse(s.AppKey, o.AppKey)
	o.HeardAt = laterOf(o.HeardAt, s.At)
	if s.State != o.State {
		o.State, o.Since, o.Moved = s.State, s.At, laterOf(o.Moved, s.At)
	}
	if s.Status != "" && !s.Late && StateOf(s.Status) != "" {
		o.Status = s.Status
	}
	switch OrderState(s.Event) {
	case StatePaid:
		o.PaidAt = firstOf(o.PaidAt, s.At)
	case StateShippedInPart, StateShipped:
		o.ShippedAt = firstOf(o.ShippedAt, s.At)
	}
	if s.Event == EventTrace {
		o.TracedAt, o.Moved = laterOf(o.TracedAt, s.At), laterOf(o.Moved, s.At)
	}
	for _, parcel := range s.Parcels {
		o.Parcels = withParcel(o.Parcels, parcel, !s.At.Before(o.TracedAt))
	}
}

// withParcel adds what is known of a parcel, which replaces another or is told of once more.
func withParcel(parcels []Parcel, p Parcel, newest bool) []Parcel {
	if p.Replaces != "" {
		parcels = slices.DeleteFunc(parcels, func(old Parcel) bool { return old.Number == p.Replaces })
	}
	for i := range parcels {
		if old := &parcels[i]; old.Number == p.Number {
			old.Carrier, old.CarrierCode = orElse(p.Carrier, old.Carrier), orElse(p.CarrierCode, old.CarrierCode)
			if newest || old.Trace == "" {
				old.Trace = orElse(p.Trace, old.Trace)
			}
			return parcels
		}
		if parcels[i].Replaces == p.Number { // told of late: it has been replaced meanwhile
			return parcels
		}
	}
	return append(parcels, p)
}

// Tracked adds parcels to a list of them as a Summary has it.
func Tracked(list []string, parcels []Parcel) []string {
	for _, p := range parcels {
		list = slices.DeleteFunc(slices.Clone(list), func(known string) bool {
			number, carrier, _ := strings.Cut(known, " ")
			return number == p.Replaces || number == p.Number && (carrier == "" || p.Carrier != "")
		})
		if !slices.ContainsFunc(list, func(known string) bool { return known == p.Number || strings.HasPrefix(known, p.Number+" ") }) && len(list) < maxTracked {
			list = append(list, strings.TrimSpace(p.Number+" "+orElse(p.Carrier, p.CarrierCode)))
		}
	}
	return list
}

// maxTracked is how many parcels a Summary names.
const maxTracked = 100

// Order gives what is known of an order; false if nothing is.
func (c *Course) Order(id string) (OrderCourse, bool) {
	if o := c.orders[id]; o != nil {
		return *o, true
	}
	return OrderCourse{OrderID: id}, false
}

// latest is the state of the order that moved last, "" if none has one.
func (c *Course) latest() string {
	var last OrderCourse
	for _, o := range c.orders {
		if o.State != "" && (last.State == "" || o.Moved.After(last.Moved) || o.Moved.Equal(last.Moved) && o.OrderID > last.OrderID) {
			last = *o
		}
	}
	return string(last.State)
}

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func firstOf(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
