package worker

import "context"

// Charge asks 1688 to take the money for one order without a password.
type Charge struct {
	AppKey      string `json:"app_key"`
	OrderID     string `json:"order_id"`
	Amount      Fen    `json:"amount"`
	OpRequestID string `json:"op_request_id"` // the same for a repetition of the same try, another one for the next
}

// OrderDetail is an order in 1688's books now.
type OrderDetail struct {
	OrderID   string `json:"order_id"`
	Reference string `json:"out_order_id,omitempty"` // "" if 1688 does not say
	Status    string `json:"status,omitempty"`       // 1688's word, an open set: waitbuyerpay, cancel, ...
	Total     Fen    `json:"total,omitempty"`        // payable: goods and postage; 0 when 1688 did not say
	Postage   Fen    `json:"postage,omitempty"`
	Made      int64  `json:"made_ms,omitempty"` // milliseconds of Unix time; 0 when 1688 did not say
	// Items are what it holds; none when 1688 did not say.
	Items   []Goods  `json:"items,omitempty"`
	Parcels []Parcel `json:"parcels,omitempty"` // what was sent
}

// PayLink is an address where a person pays for orders by hand.
type PayLink struct {
	URL    string   `json:"url,omitempty"`    // "" if there is none
	Failed []string `json:"failed,omitempty"` // order ids that it is not for
	Said   string   `json:"said,omitempty"`   // what 1688 said about them
}

// MaxPayLink is for how many orders 1688 gives one link (official documentation: alipay.url.get).
const MaxPayLink = 100

// Teller is 1688 as a cashier sees it: the order channel. Every call ends by ctx's deadline or its own, whichever is sooner.
type Teller interface {
	// Check finds out whether the buyer account of a key pays without a password, given CheckAgreement: Placed, Refused with what is
	// missing, NotAttempted or Unknown.
	Check(ctx context.Context, appKey string, what Check) Answer
	// Detail shows one order by 1688's order id: Placed with Answer.Detail, Absent, NotAttempted or Unknown.
	Detail(ctx context.Context, appKey, orderID string) Answer
	// Pay asks for the money once. Placed: 1688 says that it has it. Refused: it says that it has not, which is no proof. Unknown: it may
	// have it. NotAttempted: it was provably never asked.
	Pay(ctx context.Context, charge Charge) Answer
}

// StatusUnpaid is 1688's word for an order that waits to be paid for. The words are an open set.
const StatusUnpaid = "waitbuyerpay"

// PaidFor says whether an order with that status of 1688 was surely paid for. That it is not known is no.
func PaidFor(status string) bool { return StateOf(status).Reached(StatePaid) }

// Closed says whether an order with that status of 1688 has ended before its time.
func Closed(status string) bool { return StateOf(status).Closed() }
