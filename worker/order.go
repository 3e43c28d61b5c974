package worker

// Order is one purchase as 1688 takes it: one seller, at most MaxSKUs lines, paid for with one app key.
type Order struct {
	Reference string  `json:"reference"` // our outOrderId, see Reference
	AppKey    string  `json:"app_key"`
	Flow      string  `json:"flow"`
	Message   string  `json:"message,omitempty"`
	TradeType string  `json:"trade_type,omitempty"` // one that its preview lists; "" leaves it to 1688
	DeliverTo Address `json:"deliver_to"`
	Lines     []Line  `json:"lines"`

	quoted Quote // by its preview, if that makes one order of it
}

// Verdict is what is known after asking 1688 for something.
type Verdict string

// The verdicts. Only Placed, Refused and Absent say something about 1688; the other two say how little is known.
const (
	Placed       Verdict = "placed"        // orders exist: Answer.Orders has at least one
	Refused      Verdict = "refused"       // 1688 looked at it and said no: no order exists
	Absent       Verdict = "absent"        // a look-up worked and found no order
	NotAttempted Verdict = "not_attempted" // provably never reached 1688's order book: may be tried again
	Unknown      Verdict = "unknown"       // it may or may not have happened
)

// Answer is what came back for an Order or for a look-up of its reference.
type Answer struct {
	Verdict Verdict       `json:"verdict"`
	Code    Code          `json:"code"`
	Reason  string        `json:"reason,omitempty"` // for people; never holds a secret or a buyer's data
	Orders  []PlacedOrder `json:"orders,omitempty"`
	Failed  []FailedOffer `json:"failed,omitempty"`   // lines 1688 left out of an order it placed
	Ordered []SKU         `json:"ordered,omitempty"`  // of a look-up: what Orders hold together; empty when 1688 did not say
	Retry   int           `json:"retry_ms,omitempty"` // NotAttempted: how long to wait, milliseconds; 0 when not said
	Proof   *Proof        `json:"proof,omitempty"`    // of a check or an authorization: what else was found out
	Quotes  []Quote       `json:"quotes,omitempty"`   // of a preview: the orders that 1688 would make
	Detail  *OrderDetail  `json:"detail,omitempty"`   // of a detail: the order as it is now
	Link    *PayLink      `json:"pay_link,omitempty"` // of a paylink, also one that is for no order
	Listed  []OrderDetail `json:"listed,omitempty"`   // of a list: its orders
	More    bool          `json:"more,omitempty"`     // of a list: there are further pages
}

// PlacedOrder is one order in 1688's books.
type PlacedOrder struct {
	ID      string `json:"id"`
	Total   Fen    `json:"total,omitempty"`   // goods and postage; 0 when 1688 did not say
	Postage Fen    `json:"postage,omitempty"` // 0 when 1688 did not say
	// Discount is what was taken off, and is not in Total; 0 when 1688 did not say, which it does of a look-up and a preview.
	Discount Fen   `json:"discount,omitempty"`
	Holds    []SKU `json:"holds,omitempty"` // of a look-up: what it holds; empty when 1688 did not say
	// Lines are those of our order that it holds, from 0, where 1688 made several orders of one; nil when that is not known.
	Lines []int `json:"-"`
}

// SKU names what is ordered.
type SKU struct {
	OfferID string `json:"offer_id"`
	SpecID  string `json:"spec_id,omitempty"`
}

// FailedOffer is a line that 1688 left out of an order.
type FailedOffer struct {
	OfferID string `json:"offer_id"`
	SpecID  string `json:"spec_id,omitempty"`
	Code    Code   `json:"code"`
	Reason  string `json:"reason,omitempty"`
	Tried   []Code `json:"-"` // why each of the line's alternatives that were tried was not to be had either
}
