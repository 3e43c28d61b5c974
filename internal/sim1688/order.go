package sim1688

import (
	"strings"
	"time"
)

// Order is one order that exists at the simulated platform. Money is fen.
type Order struct {
	OrderID    string    `json:"order_id"` // digits, above 2^53: no float holds it
	OutOrderID string    `json:"out_order_id"`
	AppKey     string    `json:"app_key"`
	Member     string    `json:"member"`
	Call       int64     `json:"call"`                    // number of the create call that made it; a call the platform splits makes several
	District   string    `json:"district_code,omitempty"` // where it goes, if its address has the code
	Products   int64     `json:"products"`                // lines or units, as Config.Count says
	Lines      []Line    `json:"lines"`
	Status     string    `json:"status"`
	TotalFen   int64     `json:"total_fen"` // postage included
	PostFen    int64     `json:"post_fen"`
	Discount   int64     `json:"discount_fen"` // no longer in total_fen
	CreatedAt  time.Time `json:"created_at"`
	Payments   []Payment `json:"payments"` // every one that was taken; more than one is money lost
	Parcels    []Parcel  `json:"parcels"`  // what was sent
}

// Line is one SKU of an order at the price it was ordered for.
type Line struct {
	OfferID  string `json:"offer_id"`
	SpecID   string `json:"spec_id,omitempty"` // empty for an offer without SKUs
	Quantity int64  `json:"quantity"`
	PriceFen int64  `json:"price_fen"`
}

// OrderFilter narrows a list of orders; empty fields match everything.
type OrderFilter struct {
	OutOrderID string // the whole reference, or what follows its first dot
	AppKey     string
}

// KeyBook is what the simulator counted for one key.
type KeyBook struct {
	AppKey    string `json:"app_key"`
	Products  int64  `json:"products"`
	Orders    int64  `json:"orders"`
	Refreshes int64  `json:"refreshes"` // access tokens issued
	Limit     int64  `json:"limit"`
	OverDrawn int64  `json:"over_drawn"` // products beyond the limit
}

// Order statuses the simulator itself sets; the platform's set is open.
const (
	statusUnpaid    = "waitbuyerpay"
	statusCancelled = "cancel"
)

// entry is an order on file. Its Order is changed under the books' lock only; seller never changes.
type entry struct {
	Order
	seller  string
	visible time.Time // from when it shows by outOrderId, by the steady clock
	// paidShows is from when its payment shows, by the steady clock.
	paidShows time.Time
}

// tail is what follows the first dot of a reference, or the whole of one without a dot. Orders are filed under it, so that one
// index answers for the whole reference and for its tail.
func tail(ref string) string {
	if _, after, found := strings.Cut(ref, "."); found {
		return after
	}
	return ref
}
