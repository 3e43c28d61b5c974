package worker

import (
	"context"
	"time"
)

// Payment is one entry of the record of an order's payment: how far it got. The record is what keeps an order from being paid for
// twice: each entry is stored only behind the one that its writer knows, intent before the call that takes the money, outcome
// after it.
//
//	          ┌──────────► waits ──(agreed)──┐
//	(nothing) ┼─► intended ─► sent ─► paid   │
//	          │      ▲         └─► unknown ─► paid | unpaid | given_up | (agreed)
//	          └──────┴─ unpaid ◄───────┘
type Payment struct {
	Tenant      string      `json:"-"` // in the subject
	RequestID   string      `json:"request_id"`
	Reference   string      `json:"out_order_id"`
	OrderID     string      `json:"order_id"` // at 1688
	AppKey      string      `json:"app_key"`
	Account     string      `json:"account,omitempty"` // whose ceilings it counts against: the key's buyer account, or else the key
	Step        PaymentStep `json:"step"`
	Try         int         `json:"try"`                     // of PaymentTries: sent, or about to be
	OpRequestID string      `json:"op_request_id,omitempty"` // 1688's, of this try
	Amount      Fen         `json:"amount_fen,omitempty"`    // payable when it was last looked at
	Ordered     Fen         `json:"ordered_fen,omitempty"`   // what the order came to when it was placed; 0 when 1688 did not say
	Agreed      Fen         `json:"agreed_fen,omitempty"`    // the most that a person agreed to; 0 for nothing
	Code        WaitCode    `json:"code,omitempty"`          // of PaymentWaits and PaymentGivenUp
	Reason      string      `json:"reason,omitempty"`        // in words
	Status      string      `json:"status,omitempty"`        // 1688's word for the order then
	Day         string      `json:"day,omitempty"`           // against whose ceiling it counts, in China
	Intent      uint64      `json:"intent,omitempty"`        // place of the entry that this try was intended by
	Denied      bool        `json:"denied,omitempty"`        // 1688 answered this try: it has not the money
	By          string      `json:"by,omitempty"`            // who agreed
	Why         string      `json:"why,omitempty"`
	Listed      bool        `json:"listed,omitempty"` // it has wanted a person since it began
	Entry       string      `json:"entry"`            // differs between any two entries
	At          time.Time   `json:"at"`
}

// PaymentStep is how far a payment got.
type PaymentStep string

// The steps.
const (
	PaymentIntended PaymentStep = "intended" // it is about to be sent: nothing was yet
	PaymentSent     PaymentStep = "sent"     // from here on the money may be taken
	PaymentPaid     PaymentStep = "paid"     // ended
	PaymentUnknown  PaymentStep = "unknown"  // sent, and not known to be taken: 1688's status of the order decides
	PaymentUnpaid   PaymentStep = "unpaid"   // not taken, as 1688's status says, or provably not sent: may be tried again
	PaymentWaits    PaymentStep = "waits"    // for a person, or for what Code says to pass
	PaymentAgreed   PaymentStep = "agreed"   // a person said that up to Agreed may be paid
	PaymentGivenUp  PaymentStep = "given_up" // ended: the order was closed at 1688 before it was paid for
)

// PaymentSteps lists the steps.
func PaymentSteps() []PaymentStep {
	return []PaymentStep{PaymentIntended, PaymentSent, PaymentPaid, PaymentUnknown, PaymentUnpaid, PaymentWaits, PaymentAgreed, PaymentGivenUp}
}

// Ended says whether nothing more happens to the payment.
func (s PaymentStep) Ended() bool { return s == PaymentPaid || s == PaymentGivenUp }

// flying says whether the money may have been taken, and it is not known.
func (s PaymentStep) flying() bool { return s == PaymentSent || s == PaymentUnknown }

// Wants says whether the payment wants a person, or something else that does not come by itself.
func (p Payment) Wants() bool { return p.Code != "" && !p.Step.Ended() }

// WaitCode is why a payment waits, or was given up: a closed vocabulary.
type WaitCode string

// Why a payment waits.
const (
	WaitPrice     WaitCode = "price_changed"   // what is payable is not what was ordered or agreed
	WaitAgreement WaitCode = "no_agreement"    // the buyer account does not pay without a password
	WaitOrder     WaitCode = "order_ceiling"   // it is above the account's ceiling for one order
	WaitDay       WaitCode = "day_ceiling"     // it is above what is left of the account's ceiling for the day
	WaitTries     WaitCode = "tries"           // it was tried PaymentTries times
	WaitAnswer    WaitCode = "unanswered"      // 1688 never said whether it has the money, and shows the order as unpaid
	WaitStatus    WaitCode = "status"          // 1688 shows no such order, or in a state that nobody knows
	WaitRequest   WaitCode = "request_missing" // its request is no longer on record, and with it what was agreed
	WaitClosed    WaitCode = "closed"          // given up: the order was closed at 1688
)

// WaitCodes lists the vocabulary.
func WaitCodes() []WaitCode {
	return []WaitCode{WaitPrice, WaitAgreement, WaitOrder, WaitDay, WaitTries, WaitAnswer, WaitStatus, WaitRequest, WaitClosed}
}

// PaymentTries is how often one order's payment is tried at most (official documentation: preparePay).
const PaymentTries = 3

// PaymentBook is the record of payments. Errors are *Trouble with CodeNATSDown, and what is named below.
type PaymentBook interface {
	// Payment gives the last entry about an order and its place; the zero Payment and 0 if there is none.
	Payment(ctx context.Context, tenant, requestID, orderID string) (Payment, uint64, error)
	// Enter stores an entry behind the one at that place, 0 for none, and gives its own place. One that wants a person (Wants) is
	// put on the list of those too, and taken off by what follows. Trouble: CodeFenced when another one stands there meanwhile: nothing was
	// stored.
	Enter(ctx context.Context, p Payment, behind uint64) (uint64, error)
}

// Till counts what is paid by account and day, so that no ceiling is passed whoever pays. What is taken is named by its intent.
// Repeating a call changes nothing. Errors are *Trouble with CodeNATSDown.
type Till interface {
	// Take counts the payment's amount; false if that would pass the ceiling: nothing was counted. 0 is no ceiling.
	Take(ctx context.Context, p Payment, ceiling Fen) (bool, error)
	// GiveBack counts it no longer.
	GiveBack(ctx context.Context, p Payment) error
}

// Switch is what a person said last about paying at all.
type Switch struct {
	Stopped bool      `json:"stopped"`
	By      string    `json:"by,omitempty"`
	Why     string    `json:"why,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Ceilings are what an account pays without a person, in fen; 0 is no ceiling.
type Ceilings struct {
	Order Fen // for one order
	Day   Fen // from midnight to midnight in China
}

// told says who stopped payments, and why.
func (s Switch) told() string {
	text := "payments are stopped by " + s.By
	if s.Why != "" {
		text += " (" + s.Why + ")"
	}
	return text
}
