package worker

import "time"

// Entry is one message of a stream, read: the request that it is about, and what it says of it. Of Request, Result, Status, Payment,
// Deed, Choice and Dead at most one is there; none if it cannot be read or is about no request.
type Entry struct {
	Stream   string
	Sequence uint64    // in the stream
	At       time.Time // when it was stored, by the broker's clock

	Tenant    string
	RequestID string
	Request   *Request // without anything but Tenant and ID if Fault is there
	Fault     *Invalid // why the request cannot be taken
	Result    *Result
	Status    *Status
	Payment   *Payment
	Deed      *Deed
	Choice    *Choice
	Dead      *DeadLetter
}

// Place is how far a reader has read a stream: the last message that it read. The zero place is before the first.
type Place struct {
	Stream   string
	Sequence uint64
	At       time.Time // when that message was stored: another one of the same sequence is in a stream that was made anew
}
