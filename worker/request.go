package worker

import "time"

// MaxSKUs is how many order lines 1688 takes in one order (official documentation of the create calls).
const MaxSKUs = 50

// Request is a purchase somebody asked for: what to buy, where to send it, on whose account. It has been decoded strictly,
// so every rule of the request schema holds for it.
type Request struct {
	ID     string // as its publisher wrote it, see CheckID
	Tenant string // from the subject
	Pool   string // pool of app keys that pays for it
	Payer         // which of the pool's keys

	DeliverTo Address
	Lines     []Line

	// Priority is the lane that it is to wait in; "" that of its subject. It says how soon, not what: it is no part of the fingerprint.
	Priority Lane

	Note           string        // message to the seller, at most 500 characters
	Flow           string        // 1688's order flow, such as "general"
	MaxTotal       Fen           // the most that goods and postage may cost; 0 when not said
	Preview        Previewing    // PreviewNever, PreviewAlways, or as the rule of PreviewAsPool says
	PriceTolerance string        // percent by which a price may exceed the expected one, decimal text; "" when not said
	NotBefore      time.Time     // never bought before it; zero when not said
	HoldFor        time.Duration // in which it may be taken back before it is bought, from when it was published; 0 when not said
	Deadline       time.Time     // never bought after it; zero when not said
	Pay            string        // "none" or "auto"
	Merge          bool          // it may be bought together with others, as one order

	// Choice is what was chosen of its lines' alternatives, as it is on record; nil while nothing was. It is no part of what was
	// published, and of the Fingerprint.
	Choice *Choice
}

// Address is where 1688's seller ships to: an address id of the buyer account, or texts passed through as given.
type Address struct {
	AddressID    string `json:"address_id,omitempty"`
	FullName     string `json:"full_name,omitempty"`
	Mobile       string `json:"mobile,omitempty"`
	Phone        string `json:"phone,omitempty"`
	PostCode     string `json:"post_code,omitempty"`
	Province     string `json:"province,omitempty"`
	City         string `json:"city,omitempty"`
	Area         string `json:"area,omitempty"`
	Town         string `json:"town,omitempty"`
	Address      string `json:"address,omitempty"`
	DistrictCode string `json:"district_code,omitempty"`
}

// Line is one thing to buy. OfferID and SpecID are text: 1688's ids exceed what a float can hold.
type Line struct {
	OfferID   string `json:"offer_id"`
	SpecID    string `json:"spec_id,omitempty"` // "" for an offer without SKUs
	Quantity  int64  `json:"quantity"`
	UnitPrice Fen    `json:"-"` // expected price, 0 when not said
	MaxPrice  Fen    `json:"-"` // the most that one may cost, whatever is tolerated; 0 when not said, as of all that is asked for
	Seller    string `json:"-"` // lines of different sellers go into different orders

	// Alternatives are what may be bought instead, what is preferred first.
	Alternatives []Alternative `json:"-"`
}
