package worker

import "time"

// Summary is one request as a list of requests has it. It holds no buyer's data.
type Summary struct {
	Tenant    string    `json:"tenant"`
	RequestID string    `json:"request_id"`
	State     LifeState `json:"state"`
	Code      Code      `json:"code,omitempty"`   // of the result
	Reason    string    `json:"reason,omitempty"` // of the result
	Pool      string    `json:"pool,omitempty"`
	AppKeys   []string  `json:"app_keys,omitempty"`
	OrderIDs  []string  `json:"order_ids,omitempty"` // at 1688
	Sellers   []string  `json:"sellers,omitempty"`
	Offers    []string  `json:"offers,omitempty"`
	Lines     int       `json:"lines"`
	Products  int64     `json:"products"` // counted on keys
	Attempt   int       `json:"attempt,omitempty"`
	Latest    string    `json:"latest,omitempty"`   // state of the order that moved last
	Tracking  []string  `json:"tracking,omitempty"` // what was sent: numbers, each with its carrier behind a blank
	AskedAt   time.Time `json:"asked_at,omitzero"`  // zero if only its result is still on record
	DecidedAt time.Time `json:"decided_at,omitzero"`
}

// LifeState is where a request stands: LifeWaiting, or how it ended.
type LifeState string

// The states of a request.
const (
	LifeWaiting   LifeState = "waiting" // no result yet: not taken, under way or waiting for its next try
	LifePlaced    LifeState = LifeState(OutcomePlaced)
	LifePartial   LifeState = LifeState(OutcomePartial)
	LifeRefused   LifeState = LifeState(OutcomeRefused)
	LifeCancelled LifeState = LifeState(OutcomeCancelled)
	LifeUnknown   LifeState = LifeState(OutcomeUnknown)
)

// LifeStates lists the states.
func LifeStates() []LifeState {
	return []LifeState{LifeWaiting, LifePlaced, LifePartial, LifeRefused, LifeCancelled, LifeUnknown}
}

// Filter picks requests. What is left out does not restrict; several values of one field are alternatives.
type Filter struct {
	States []LifeState `json:"states,omitempty"`
	Codes  []Code      `json:"codes,omitempty"`
	Tenant string      `json:"tenant,omitempty"`
	AppKey string      `json:"app_key,omitempty"`
	Seller string      `json:"seller,omitempty"`
	Offer  string      `json:"offer_id,omitempty"`
	Order  string      `json:"order_id,omitempty"` // at 1688
	Text   string      `json:"text,omitempty"`     // part of the request id, of an order id at 1688, of the reason, or of the latest dead letter's
	From   time.Time   `json:"from,omitzero"`      // asked for then or later
	To     time.Time   `json:"to,omitzero"`        // asked for before
}

// Life is all that is known of one request, the newest knowledge of each store.
type Life struct {
	Summary
	Sequence   uint64     `json:"sequence"` // in the stream of requests
	Parts      []LifePart `json:"parts"`    // its orders
	Steps      []LifeStep `json:"steps"`    // what happened, the oldest first
	WaitingFor string     `json:"waiting_for,omitempty"`
}

// LifePart is one of the orders that a request is split into.
type LifePart struct {
	Reference string     `json:"out_order_id"`
	Seller    string     `json:"seller,omitempty"`
	Lines     []int      `json:"lines"` // of the request, from 0
	Claim     ClaimState `json:"claim,omitempty"`
	AppKey    string     `json:"app_key,omitempty"`
	AlsoOn    []string   `json:"also_on,omitempty"`
	Products  int64      `json:"products"` // held or counted
	Attempt   int        `json:"attempt,omitempty"`
	SentAt    time.Time  `json:"sent_at,omitzero"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
	Code      Code       `json:"code,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	OrderIDs  []string   `json:"order_ids,omitempty"`
	State     OrderState `json:"state,omitempty"`   // of the order; of several at 1688, the last one's
	Status    string     `json:"status,omitempty"`  // 1688's word, the latest
	Parcels   []Parcel   `json:"parcels,omitempty"` // what was sent
}

// LifeStep is one thing that happened to a request.
type LifeStep struct {
	At        time.Time `json:"at"`
	What      string    `json:"what"` // asked, sent, settled, result, status, dead, replayed, cancelled, bound…
	Reference string    `json:"out_order_id,omitempty"`
	Code      Code      `json:"code,omitempty"`
	Text      string    `json:"text"` // one sentence for people
	Attempt   int       `json:"attempt,omitempty"`
	By        string    `json:"by,omitempty"`
}

// Dead is a dead letter as a list of them has it.
type Dead struct {
	Sequence  uint64    `json:"sequence"` // in the stream of dead letters, which names it
	Tenant    string    `json:"tenant,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Subject   string    `json:"subject"`
	Stored    uint64    `json:"stored"` // sequence of the message in the stream of requests
	Code      Code      `json:"code"`
	Field     string    `json:"field,omitempty"`
	Reason    string    `json:"reason"`
	Attempt   int       `json:"attempt"`
	Replays   int       `json:"replays"`          // how often the request had been replayed when it came here
	Origin    uint64    `json:"origin,omitempty"` // sequence of the letter that was replayed then
	At        time.Time `json:"at"`
}
