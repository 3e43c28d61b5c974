package bus

import (
	"fmt"
	"strings"

	"autopurchase/worker"
)

// What may be asked about payments.
var (
	PayStop   = Verb[TurnPayments, worker.Switch]{subject: ordersPrefix + "pay.stop", request: "pay-turn", reply: "pay-switch"}
	PayStart  = Verb[TurnPayments, worker.Switch]{subject: ordersPrefix + "pay.start", request: "pay-turn", reply: "pay-switch"}
	PayAgree  = Verb[AgreeToPay, worker.Payment]{subject: ordersPrefix + "pay.agree", request: "pay-agree", reply: "payment"}
	PayLink   = Verb[LinkToPay, LinksToPay]{subject: ordersPrefix + "pay.link", request: "pay-link", reply: "pay-links", patience: booksTimeout}
	PayUnpaid = Verb[ListUnpaid, []worker.Payment]{subject: ordersPrefix + "pay.unpaid", reply: "unpaid"}
)

// TurnPayments stops all payments, or lets them go on.
type TurnPayments struct {
	By  string `json:"by"` // who decides
	Why string `json:"why,omitempty"`
}

func (t TurnPayments) checked() (TurnPayments, *worker.Invalid) { return t, accountable(t.By, t.Why) }

// AgreeToPay says that an order may be paid for although what is payable has changed, or that a payment which 1688 never answered may be
// tried once more. It is named by OutOrderID, or by Tenant and
// RequestID if the request has only one, and by OrderID too if 1688 split it.
type AgreeToPay struct {
	Tenant     string     `json:"tenant,omitempty"`
	RequestID  string     `json:"request_id,omitempty"`
	OutOrderID string     `json:"out_order_id,omitempty"`
	OrderID    string     `json:"order_id,omitempty"` // at 1688
	Most       worker.Fen `json:"most_fen"`           // what may be paid at most
	By         string     `json:"by"`                 // who agrees
	Why        string     `json:"why,omitempty"`
}

// Agreement is what is said, as the domain has it.
func (a AgreeToPay) Agreement() worker.Agreement {
	return worker.Agreement{Tenant: a.Tenant, RequestID: a.RequestID, Reference: a.OutOrderID, OrderID: a.OrderID, Most: a.Most, By: a.By, Why: a.Why}
}

func (a AgreeToPay) checked() (AgreeToPay, *worker.Invalid) {
	if wrong := named(&a.Tenant, &a.RequestID, a.OutOrderID); wrong != nil {
		return a, wrong
	}
	switch {
	case a.Most <= 0 || a.Most > maxAgreed:
		return a, &worker.Invalid{RequestID: a.RequestID, Field: "most_fen", Reason: fmt.Sprintf("must be 1 to %d fen", int64(maxAgreed))}
	case a.OrderID != "" && worker.CheckID(a.OrderID) != nil:
		return a, &worker.Invalid{RequestID: a.RequestID, Field: "order_id", Reason: worker.CheckID(a.OrderID).Error()}
	}
	return a, accountable(a.By, a.Why)
}

const maxAgreed worker.Fen = 100_000_000_000

// LinkToPay asks for addresses where a person pays for orders, each named by its outOrderId, or all of a request as tenant/id.
type LinkToPay struct {
	Orders []string `json:"orders"`
}

func (l LinkToPay) checked() (LinkToPay, *worker.Invalid) {
	if len(l.Orders) == 0 || len(l.Orders) > worker.MaxPayLink {
		return l, TooManyToPay(len(l.Orders))
	}
	for i, name := range l.Orders {
		if _, _, _, ok := NamedOrder(name); !ok {
			return l, &worker.Invalid{Field: fmt.Sprintf("orders[%d]", i), Reason: "must be an order, such as acme.PR-1-1, or a request as tenant/id"}
		}
	}
	return l, nil
}

// TooManyToPay says that there are none, or too many.
func TooManyToPay(orders int) *worker.Invalid {
	return &worker.Invalid{Field: "orders", Reason: fmt.Sprintf("%d orders: must be 1 to %d at once", orders, worker.MaxPayLink)}
}

// NamedOrder reads how an order is named: by its outOrderId, or with all others of its request as tenant/id, and then outOrderID is "".
func NamedOrder(name string) (tenant, requestID, outOrderID string, ok bool) {
	if tenant, requestID, slash := strings.Cut(name, "/"); slash {
		return tenant, requestID, "", worker.CheckName(tenant) == nil && worker.CheckID(requestID) == nil
	}
	tenant, ref, _, ours := worker.ParseReference(name)
	requestID, _ = worker.DecodeRef(ref)
	return tenant, requestID, name, ours
}

// LinksToPay are the addresses, one for each app key: an address is for orders of one buyer.
type LinksToPay struct {
	Links   []LinkOfKey    `json:"links"`
	LeftOut []LeftOutToPay `json:"left_out,omitempty"`
}

// LinkOfKey is where a person pays for orders of one app key.
type LinkOfKey struct {
	AppKey string       `json:"app_key"`
	URL    string       `json:"url,omitempty"`    // left out if 1688 gave none
	Orders []OrderToPay `json:"orders"`           // that were asked about
	Failed []string     `json:"failed,omitempty"` // order ids at 1688 that it is not for
	Said   string       `json:"said,omitempty"`   // what 1688 said about them
}

// OrderToPay is one order.
type OrderToPay struct {
	OutOrderID string `json:"out_order_id"`
	OrderID    string `json:"order_id"` // at 1688
}

// LeftOutToPay is what 1688 was not asked about, and why.
type LeftOutToPay struct {
	Name   string `json:"name"` // as it was asked, or the order's outOrderId
	Reason string `json:"reason"`
}

// ListUnpaid asks for the payments that want a person.
type ListUnpaid struct{}

func (l ListUnpaid) checked() (ListUnpaid, *worker.Invalid) { return l, nil }
