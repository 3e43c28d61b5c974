package bus

import (
	"fmt"
	"time"

	"autopurchase/worker"
)

// OrdersImport compares a page of what 1688 has of our orders with what is on record. Who asks goes on at Next until there is none.
var OrdersImport = Verb[ImportOrders, ImportedOrders]{subject: SubjectOrdersImport, request: "order-import", reply: "orders-imported", patience: bindTime}

// ImportOrders asks for a page.
type ImportOrders struct {
	Pool   string    `json:"pool,omitempty"`    // default "default"
	From   time.Time `json:"from"`              // made then or later
	To     time.Time `json:"to"`                // made then or before
	Next   *NextLeaf `json:"next,omitempty"`    // where the answer before said to go on; left out begins
	DryRun bool      `json:"dry_run,omitempty"` // only say what would happen
	By     string    `json:"by"`
	Why    string    `json:"why,omitempty"`
}

// NextLeaf is a page of the orders of one buyer account.
type NextLeaf struct {
	AppKey string `json:"app_key"` // a key of it
	Page   int    `json:"page"`    // from 1
}

// maxImport is how long a time is compared at once.
const maxImport = 366 * 24 * time.Hour

func (o ImportOrders) checked() (ImportOrders, *worker.Invalid) {
	if o.Pool == "" {
		o.Pool = "default"
	}
	switch {
	case worker.CheckName(o.Pool) != nil:
		return o, &worker.Invalid{Field: "pool", Reason: worker.CheckName(o.Pool).Error()}
	case o.From.IsZero() || !o.From.Before(o.To):
		return o, &worker.Invalid{Field: "from", Reason: "must be before to"}
	case o.To.Sub(o.From) > maxImport:
		return o, &worker.Invalid{Field: "from", Reason: fmt.Sprintf("must be at most %d days before to", maxImport/(24*time.Hour))}
	case o.Next != nil && (o.Next.AppKey == "" || !visible(o.Next.AppKey, 64) || o.Next.Page < 1):
		return o, &worker.Invalid{Field: "next", Reason: "must be what the answer before said"}
	}
	return o, accountable(o.By, o.Why)
}

// Importing is what is asked for, as the domain has it.
func (o ImportOrders) Importing() worker.Importing {
	ask := worker.Importing{Pool: o.Pool, From: o.From, To: o.To, Page: 1, DryRun: o.DryRun, By: o.By, Why: o.Why}
	if o.Next != nil {
		ask.AppKey, ask.Page = o.Next.AppKey, o.Next.Page
	}
	return ask
}

// ImportedOrders is what became of a page.
type ImportedOrders struct {
	AppKey   string          `json:"app_key"`  // whose buyer account it is about
	Account  int             `json:"account"`  // which of the accounts that is, from 1
	Accounts int             `json:"accounts"` // how many there are
	Orders   []ImportedOrder `json:"orders"`
	Foreign  int             `json:"foreign"`          // orders that carry no reference of ours
	Unread   string          `json:"unread,omitempty"` // why orders of this account could not be compared
	Next     *NextLeaf       `json:"next,omitempty"`   // where it goes on; left out at the end
}

// ImportedOrder is an order at 1688 that carries a reference of ours.
type ImportedOrder struct {
	OrderID    string             `json:"order_id"`
	OutOrderID string             `json:"out_order_id"`
	State      worker.ImportState `json:"state"`
	Status     string             `json:"status,omitempty"` // 1688's word
	Total      string             `json:"total,omitempty"`  // yuan
	Reason     string             `json:"reason,omitempty"`
}

// Imported writes what became of a page as it is answered.
func Imported(i worker.Imported) ImportedOrders {
	answer := ImportedOrders{AppKey: i.AppKey, Account: i.Account, Accounts: i.Accounts, Orders: []ImportedOrder{}, Foreign: i.Foreign, Unread: i.Unread}
	if i.NextKey != "" {
		answer.Next = &NextLeaf{i.NextKey, i.NextPage}
	}
	for _, o := range i.Orders {
		order := ImportedOrder{OrderID: o.OrderID, OutOrderID: o.Reference, State: o.State, Status: o.Status, Reason: o.Reason}
		if o.Total > 0 {
			order.Total = o.Total.Yuan()
		}
		answer.Orders = append(answer.Orders, order)
	}
	return answer
}
