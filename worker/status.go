package worker

import (
	"strings"
	"time"
)

// Status is one thing that happened to an order after it was placed, as 1688 told it, and where the order stands since.
type Status struct {
	Tenant     string      `json:"-"`
	Ref        string      `json:"-"`
	RequestID  string      `json:"request_id"`
	OrderID    string      `json:"order_id"`
	OutOrderID string      `json:"out_order_id,omitempty"`
	AppKey     string      `json:"app_key,omitempty"`
	EventID    string      `json:"event_id"` // 1688's id of the push, or one made of what a look at the order showed: a repeat is stored once
	Topic      string      `json:"topic"`    // 1688's name of the event, such as ORDER_BUYER_VIEW_ORDER_PAY; TopicDetail
	Event      OrderEvent  `json:"event,omitempty"`
	State      OrderState  `json:"state,omitempty"` // of the order, since then; Course sets it
	Late       bool        `json:"late,omitempty"`  // it tells of a state that the order had left behind already
	Status     string      `json:"status,omitempty"`
	Parcels    []Parcel    `json:"parcels,omitempty"`
	Source     EventSource `json:"source,omitempty"`
	Raw        string      `json:"raw,omitempty"` // 1688's own text of an event that is not known
	At         time.Time   `json:"at"`
}

// Parcel is something that was sent for an order.
type Parcel struct {
	Number      string `json:"number"`                 // tracking number
	Carrier     string `json:"carrier,omitempty"`      // its name
	CarrierCode string `json:"carrier_code,omitempty"` // 1688's code of it
	Trace       string `json:"trace,omitempty"`        // what was last seen of it: CONSIGN, ACCEPT, TRANSPORT, DELIVERING, AGENT_SIGN, SIGN, FAILED…
	Replaces    string `json:"replaces,omitempty"`     // tracking number that is not valid any more
}

// TopicDetail is the topic of what was not pushed: it was seen in the order's detail.
const TopicDetail = "alibaba.trade.get.buyerView"

// EventSource says how an event came to be known.
type EventSource string

// The sources of events.
const (
	SourcePush   EventSource = "push"   // by the message websocket
	SourceList   EventSource = "list"   // in the list of pushes that were not confirmed
	SourceDetail EventSource = "detail" // seen in the order's detail
)

// OrderEvent is what happened, in our words. The first ones are also states.
type OrderEvent string

// The events beside the states: they move no order along.
const (
	EventPaidInPart    OrderEvent = "paid_in_part"   // a step of a payment in steps; what is open is not known
	EventPaymentFailed OrderEvent = "payment_failed" // of several orders that were paid at once, this one was not
	EventPriceChanged  OrderEvent = "price_changed"
	EventMemo          OrderEvent = "memo"
	EventTrace         OrderEvent = "trace"    // a parcel was seen somewhere
	EventTracking      OrderEvent = "tracking" // which parcels there are became known, or their numbers changed
	EventOther         OrderEvent = "other"    // not known: Raw has what 1688 said
)

// Say tells it to people.
func (s Status) Say() string {
	text := strings.ReplaceAll(string(s.Event), "_", " ")
	switch {
	case s.Event == "", s.Event == EventOther:
		text = joined(s.Topic, s.Status)
	case s.Late:
		text += ", told when it was " + strings.ReplaceAll(string(s.State), "_", " ") + " already"
	case s.Event == EventPaymentFailed:
		text = joined(text, s.Status)
	}
	for _, p := range s.Parcels {
		text = joined(text, p.Say())
	}
	return text
}

// Say tells it to people: its number, who carries it, and where it was seen.
func (p Parcel) Say() string {
	text := "parcel " + p.Number
	if carrier := orElse(p.Carrier, p.CarrierCode); carrier != "" {
		text += " with " + carrier
	}
	if p.Trace != "" {
		text += ", " + p.Trace
	}
	if p.Replaces != "" {
		text += ", in place of " + p.Replaces
	}
	return text
}

// Push is a message that 1688 sent about an app key, as the relay hands it on.
type Push struct {
	ID      string `json:"id"`
	AppKey  string `json:"app_key"`
	Topic   string `json:"topic"`
	OrderID string `json:"order_id,omitempty"` // as far as the content names one
	// Reference is the outOrderId of the order, as far as the relay could find it.
	Reference string      `json:"reference,omitempty"`
	Unseen    bool        `json:"unseen,omitempty"` // 1688 did not show the order when the relay looked for its reference: it may be too new
	Status    string      `json:"status,omitempty"`
	Parcels   []Parcel    `json:"parcels,omitempty"`
	Source    EventSource `json:"source,omitempty"`
	Raw       string      `json:"raw,omitempty"` // the content, 1688's own JSON text
	At        int64       `json:"at_ms"`         // when 1688 sent it, milliseconds of Unix time
}

// Stray is a push that belongs to no request of ours, as far as that is known: it is kept apart.
type Stray struct {
	EventID   string      `json:"event_id"`
	AppKey    string      `json:"app_key"`
	Why       StrayReason `json:"why"`
	Topic     string      `json:"topic,omitempty"`
	OrderID   string      `json:"order_id,omitempty"`
	Reference string      `json:"reference,omitempty"` // the order's outOrderId, which is not ours
	Status    string      `json:"status,omitempty"`
	Parcels   []Parcel    `json:"parcels,omitempty"`
	Source    EventSource `json:"source,omitempty"`
	Raw       string      `json:"raw,omitempty"`
	At        time.Time   `json:"at"`
}

// StrayReason says why a push is kept apart.
type StrayReason string

// The reasons.
const (
	StrayForeign StrayReason = "foreign"  // the order is not one that was placed here
	StrayUnseen  StrayReason = "unseen"   // 1688 does not show the order: it is looked for again for a while
	StrayNoOrder StrayReason = "no_order" // it names no order
)

// Sort says where a push belongs: to the request that its order was placed for, or apart. Exactly one of the two is there.
func (p Push) Sort() (*Status, *Stray) {
	tenant, ref, _, ours := ParseReference(p.Reference)
	if !ours || p.OrderID == "" {
		return nil, p.stray()
	}
	id, _ := DecodeRef(ref) // a reference of ours has one
	status := &Status{
		Tenant: tenant, Ref: ref, RequestID: id, OrderID: p.OrderID, OutOrderID: p.Reference, AppKey: p.AppKey, EventID: p.ID, Topic: p.Topic,
		Event: eventOf(p.Topic, p.Status), Status: p.Status, Parcels: p.Parcels, Source: p.Source, At: time.UnixMilli(p.At).UTC(),
	}
	if status.Event == EventOther {
		status.Raw = p.Raw
	}
	if status.Topic == "" {
		status.Topic = "unknown"
	}
	return status, nil
}

func (p Push) stray() *Stray {
	why := StrayForeign
	switch {
	case p.OrderID == "":
		why = StrayNoOrder
	case p.Unseen:
		why = StrayUnseen
	}
	return &Stray{
		EventID: p.ID, AppKey: p.AppKey, Why: why, Topic: p.Topic, OrderID: p.OrderID, Reference: p.Reference, Status: p.Status,
		Parcels: p.Parcels, Source: p.Source, Raw: p.Raw, At: time.UnixMilli(p.At).UTC(),
	}
}

// Push gives back the push, with the reference that was found meanwhile.
func (s Stray) Push(reference string) Push {
	return Push{
		ID: s.EventID, AppKey: s.AppKey, Topic: s.Topic, OrderID: s.OrderID, Reference: reference, Status: s.Status, Parcels: s.Parcels,
		Source: s.Source, Raw: s.Raw, At: s.At.UnixMilli(),
	}
}
