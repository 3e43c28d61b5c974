package worker

import "time"

// ClaimState is how far a claim got: drawn → sent → placed | partial | refused, sent → unknown → placed | refused,
// drawn → cancelled. A claim never goes back, but for sent → drawn when the order provably never left, or is surely absent and
// the policy says Resend; and for what persons bind to it, see Binder.
type ClaimState string

// The states of a claim.
const (
	ClaimDrawn     ClaimState = "drawn"     // quota is held on a key; nothing was sent
	ClaimSent      ClaimState = "sent"      // written before the order leaves: from here on an order may exist
	ClaimPlaced    ClaimState = "placed"    // ended: counted
	ClaimPartial   ClaimState = "partial"   // ended: counted what was ordered, gave back the rest
	ClaimRefused   ClaimState = "refused"   // ended: gave everything back
	ClaimCancelled ClaimState = "cancelled" // ended before it was sent: gave everything back
	ClaimUnknown   ClaimState = "unknown"   // parked for a person; the quota stays held
)

// Settled says whether the claim has ended, as far as a worker is concerned.
func (s ClaimState) Settled() bool { return s != ClaimDrawn && s != ClaimSent }

// Size is how much of a key's limit something takes: the pool's setting decides which of the two counts as products.
type Size struct {
	Lines int64 `json:"lines"` // order lines
	Units int64 `json:"units"` // sum of the quantities
}

// Fits says whether there is room for it.
func (s Size) Fits(room Size) bool { return s.Lines <= room.Lines && s.Units <= room.Units }

// SizeOf measures order lines.
func SizeOf(lines []Line) Size {
	size := Size{Lines: int64(len(lines))}
	for _, line := range lines {
		size.Units += line.Quantity
	}
	return size
}

// Draw asks the ledger for a claim: room on one key for one order.
type Draw struct {
	Pool        string
	Payer              // which of the pool's keys
	Seller      string // whose goods they are; one that is known to take business accounts only gets such a key
	Reference   string // names the claim
	Fingerprint string // of the request's meaning: another one under the same reference is a conflict
	Size        Size
	Owner       string    // unique to this delivery in this process; the same owner may repeat a draw whose reply was lost
	Attempt     int       // which delivery of the request this is, from 1; a higher one takes the claim over
	Published   time.Time // when the request was published: a ledger younger than this may have lost its claim
	// OnKeys binds it as sent, whatever their room: an order was found there and is a fact. It is on one of several; the ledger
	// leaves out those of which it knows that they cannot have taken it, and counts it on every other.
	OnKeys []string
	// Sole says whether nobody else can have been handed the request until now: a ledger that forgot whether somebody sent the
	// order asks it. nil: that is not known.
	Sole func() bool
	// Stays says that the order may go to no other account than it was drawn from first: its address is in that one's address book.
	Stays bool
	// Preview says whether an order without a claim is to be previewed before it is drawn for: then nothing is drawn.
	Preview Previewing
}

// Turn is what the holder of a claim does next.
type Turn string

// The turns.
const (
	TurnSend   Turn = "send"    // the claim was marked sent for this owner, who alone sends the order, now
	TurnLookUp Turn = "look_up" // it was sent by somebody whose answer is not known
	TurnDone   Turn = "done"    // it ended; Claim.Part says how
	// TurnPreview: there is no claim, and the order is to be previewed with Claim.AppKey, which it would have been drawn from. If
	// the pool's setting asks for it, only if the request's expected sum is above Claim.Above.
	TurnPreview Turn = "preview"
)

// Claim binds one order to one key and records how far the purchase got. It is ledger, deduplication and quota in one.
type Claim struct {
	Pool      string
	Reference string
	AppKey    string
	AlsoOn    []string // other keys that may have taken it instead, since the ledger lost which: it counts on each
	State     ClaimState
	Turn      Turn
	Products  int64 // held, or counted once settled, in the pool's unit
	Owner     string
	Attempt   int
	Resent    int       // how often it was surely absent and made drawn again, to be sent once more
	SentAt    time.Time // by the ledger's clock
	Now       time.Time // the ledger's clock at this reply
	Part      Part      // of a settled claim
	Above     Fen       // of TurnPreview
}

// size is what the claim counts, in whichever of the two units the pool counts.
func (c Claim) size() Size { return Size{Lines: c.Products, Units: c.Products} }

// Keys lists the keys that the claim is on: one, unless the ledger lost which of them took the order.
func (c Claim) Keys() []string { return append([]string{c.AppKey}, c.AlsoOn...) }

// Part is how one order of a request ended.
type Part struct {
	State  ClaimState // the settled state
	Code   Code
	Reason string
	Orders []PlacedOrder
	Failed []FailedOffer
	At     time.Time // by the ledger's clock; set by the ledger
}
