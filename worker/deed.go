package worker

import "time"

// Deed is something that a person did to a request or a dead letter, for the record.
type Deed struct {
	What       DeedKind  `json:"what"`
	Tenant     string    `json:"tenant,omitempty"`
	RequestID  string    `json:"request_id,omitempty"`
	OutOrderID string    `json:"out_order_id,omitempty"` // the order, if it was about one
	OrderID    string    `json:"order_id,omitempty"`     // 1688's, if it was about one
	Letter     uint64    `json:"letter,omitempty"`       // sequence of the dead letter, if it was about one
	Entry      uint64    `json:"-"`                      // of a binding, in the register
	Text       string    `json:"text"`                   // one sentence for people
	By         string    `json:"by"`
	Why        string    `json:"why,omitempty"`
	At         time.Time `json:"at"`
}

// DeedKind is what was done.
type DeedKind string

// The deeds.
const (
	DeedCancelled DeedKind = "cancelled" // at least one order of the request was
	DeedClosed    DeedKind = "closed"    // at least one of its orders was, at 1688
	DeedRetried   DeedKind = "retried"   // asked again under another id
	DeedResolved  DeedKind = "resolved"  // a person said what became of an order that nobody knew of
	DeedBound     DeedKind = "bound"     // an order of 1688 is what a request asked for
	DeedUnbound   DeedKind = "unbound"   // it is not
	DeedFound     DeedKind = "found"     // an order of ours was found at 1688 that was parked, or of which nothing was known
	DeedReplayed  DeedKind = "replayed"  // a dead letter's request was handed out again
	DeedDropped   DeedKind = "dropped"   // a dead letter was removed

	DeedStopped DeedKind = "payments_stopped"
	DeedStarted DeedKind = "payments_started"
	DeedAgreed  DeedKind = "payment_agreed" // an order may be paid for although what is payable has changed
)

// Repeats says whether doing it again is a deed of its own.
func (d Deed) Repeats() bool {
	return d.What == DeedStopped || d.What == DeedStarted || d.What == DeedAgreed
}
