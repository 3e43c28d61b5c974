package worker

import "slices"

// Booking is what one order counts on one key.
type Booking struct {
	AppKey     string
	AlsoOn     []string // the other keys on which it counts too, since it is not known which of them took it
	OutOrderID string
	OrderIDs   []string // in 1688's books; several if 1688 split it
	Products   int64    // in the pool's unit
}

// Tally adds results up as they are on record: the sum of its bookings on a key, less what was cleared by resets, is what the
// key has used. A result that replaces an unknown one of the same request, or one of which something was not bought, counts only
// what that one did not; one that is Aside or Unbound counts nothing. It keeps what such results booked until they are replaced, and
// nothing of the others. It is not safe for concurrent use.
type Tally struct {
	open map[string][]Booking // by request whose result may be replaced
}

// Take gives what a result books beyond the one that it replaces. Products are below 0 where it books less.
func (t *Tally) Take(r Result) []Booking {
	if r.Aside {
		return nil
	}
	name, now := r.Tenant+"."+r.RequestID, bookings(r)
	before := t.open[name]
	delete(t.open, name)
	if (r.Outcome == OutcomeUnknown || len(r.Failed) > 0) && len(now) > 0 {
		if t.open == nil {
			t.open = map[string][]Booking{}
		}
		t.open[name] = slices.Clone(now)
	}
	switch {
	case r.Unbound:
		return nil
	case before == nil:
		return now
	}
	return beyond(before, now)
}

// bookings lists what a result says, order by order and key by key.
func bookings(r Result) []Booking {
	var all []Booking
	for at := 0; at < len(r.Orders); {
		order, b := r.Orders[at], Booking{}
		for ; at < len(r.Orders) && r.Orders[at].OutOrderID == order.OutOrderID; at++ {
			b.Products += r.Orders[at].Products
			b.OrderIDs = append(b.OrderIDs, r.Orders[at].OrderID)
		}
		b.OutOrderID = order.OutOrderID
		keys := order.Keys()
		for i, appKey := range keys {
			b.AppKey = appKey
			if len(keys) > 1 {
				b.AlsoOn = slices.Delete(slices.Clone(keys), i, i+1)
			}
			all = append(all, b)
		}
	}
	return all
}

// beyond takes off now what was booked before.
func beyond(before, now []Booking) []Booking {
	var news []Booking
	for _, b := range now {
		if old := slices.IndexFunc(before, b.same); old >= 0 {
			b.Products -= before[old].Products
			if b.Products == 0 {
				continue
			}
		}
		news = append(news, b)
	}
	for _, b := range before {
		if !slices.ContainsFunc(now, b.same) {
			b.Products = -b.Products
			news = append(news, b)
		}
	}
	return news
}

func (b Booking) same(other Booking) bool {
	return b.AppKey == other.AppKey && b.OutOrderID == other.OutOrderID
}

// Keys lists the keys on which the order counts: one, unless the ledger lost which of them took it.
func (o ResultOrder) Keys() []string { return append([]string{o.AppKey}, o.AlsoOn...) }
