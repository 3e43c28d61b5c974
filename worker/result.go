package worker

import "time"

// Result is the one outcome of a request. It echoes nothing of the request but its id.
type Result struct {
	Tenant    string
	RequestID string
	Outcome   Outcome
	Code      Code
	Reason    string
	Orders    []ResultOrder
	Failed    []FailedLine
	Unknown   []OpenOrder // orders of which it is not known whether they exist; a person decides
	AppKey    string      // of the first order
	Products  int64       // counted on keys for this request
	Attempt   int         // delivery that decided it
	DecidedAt time.Time
	Pay       string // PayAuto if the request asks for it, else ""

	// MergedInto is the request that it was bought with, see Mark: its orders are that one's, which alone counts and pays for them.
	// Of what Orders, Unknown, AppKey and Products would say nothing is here. "" for a request that was bought alone.
	MergedInto   string
	MergedOrders []ResultOrder // what this request has of those orders: its lines, and its part of money and products

	// Aside marks a result about a message that is not the request stored under its id: a conflict, or a request on a
	// subject that does not fit its id. It must not take the place of that request's own result.
	Aside bool
	// Resolves says that its orders were settled after an unknown result was stored: only then may it stand behind that one, or
	// the ledger would still have as open, and hold, what the result calls decided.
	Resolves bool
	// Unbound says that it comes of a binding that was taken back: what its orders count was told by the results before.
	Unbound bool
	// ByHand names the binding that it comes of: it may stand behind any other result of the request.
	ByHand string
	// Replay is the replay that it comes of, see Delivery.Replay.
	Replay int
}

// Provisional says whether a replay of the request may still decide it: nothing was ever drawn for it, since it broke a rule, or
// its handling was given up and no order of it is known to be open.
func (r Result) Provisional() bool {
	return r.Outcome == OutcomeRefused && r.Code == CodeInvalid || r.Outcome == OutcomeUnknown && r.Code == CodeInternal && len(r.Unknown) == 0
}

// ResultOrder is one order in 1688's books.
type ResultOrder struct {
	OrderID    string
	OutOrderID string
	AppKey     string
	AlsoOn     []string // other keys that may have taken it instead: it counts on each
	Products   int64    // counted for the reference; on its first order if 1688 split it
	Total      Fen      // goods and postage, less the discount; 0 when 1688 did not say
	Postage    Fen
	Discount   Fen
	// Lines of the request that it holds, from 0; those that the reference covers if it is the only order for it, or 1688 did not
	// say which of its orders holds what.
	Lines        []int
	Alternatives []Chosen // what it holds for those of these lines for which an alternative was chosen
	Shares       []Share  // what each line has of the money; none when it cannot be told
}

// Share is what one line has of an order's money. Those of all lines add up to the order's, to the fen.
type Share struct {
	Line     int // of the request, from 0
	Goods    Fen // what is paid for it, without postage
	Postage  Fen
	Discount Fen
}

// FailedLine is a line of the request that was not bought.
type FailedLine struct {
	Line        int // in the request, from 0
	OfferID     string
	SpecID      string
	Alternative int // of the line's, from 1, if that was chosen and is what OfferID and SpecID say; 0: they say what was asked for
	Code        Code
	Reason      string
	Tried       []Code // why each of the line's alternatives that were tried was not to be had either
}

// OpenOrder is an order of which it is not known whether it exists. Its products stay held on the key.
type OpenOrder struct {
	OutOrderID string
	AppKey     string
	AlsoOn     []string // other keys that may have taken it instead: it is held on each
	Products   int64
	Lines      []int
	// Alternatives are what it is for, for those of these lines for which an alternative was chosen.
	Alternatives []Chosen
}

// letter is a dead letter about this delivery.
func (d *Delivery) letter(requestID string, code Code, reason string) DeadLetter {
	return DeadLetter{Tenant: d.Tenant, Subject: d.Subject, Sequence: d.Sequence, RequestID: requestID, Code: code, Reason: reason,
		Attempt: d.Attempt, At: d.Published, Replays: d.Replay, Origin: d.Letter}
}

// DeadLetter records a request that could not be read or was given up. It points to the stored message and does not repeat
// its body, which holds a buyer's data.
type DeadLetter struct {
	Tenant    string // "" when the subject names none
	Subject   string
	Sequence  uint64 // in the stream of requests
	RequestID string // as far as it could be read
	Code      Code
	Field     string
	Reason    string
	Attempt   int
	At        time.Time
	Replays   int    // how often the request had been replayed when it came here
	Origin    uint64 // sequence of the dead letter that was replayed then; 0 for none
}
