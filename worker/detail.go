package worker

import "context"

// Goods is what an order holds of one SKU.
type Goods struct {
	OfferID  string `json:"offer_id"`
	SpecID   string `json:"spec_id,omitempty"`
	Quantity int64  `json:"quantity,omitempty"` // 0 when it is not a whole number, or 1688 did not say
}

// Leaf is a page of the orders that a key's buyer made between two moments.
type Leaf struct {
	AppKey string `json:"app_key"`
	From   int64  `json:"from_ms"` // made then or later; milliseconds of Unix time
	To     int64  `json:"to_ms"`   // made then or before
	Page   int    `json:"page"`    // from 1
}

// Bookshop shows orders as 1688 has them, whoever made them.
type Bookshop interface {
	// Detail shows one order to the buyer who authorized the key: Placed, with Answer.Detail, or Absent, if it does not exist or is
	// not that buyer's. NotAttempted and Unknown are the same here: nothing is known, and it may be repeated.
	Detail(ctx context.Context, appKey, orderID string) Answer
	// List shows a page of the buyer's orders: Placed, with Answer.Listed, or Absent for a page without any. Answer.More says
	// whether there are further pages. Who reads page by page may see an order twice.
	List(ctx context.Context, leaf Leaf) Answer
}
