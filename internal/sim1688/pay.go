package sim1688

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Payment is money that the platform took for an order.
type Payment struct {
	OpRequestID string    `json:"op_request_id"`
	Fen         int64     `json:"fen"`
	At          time.Time `json:"at"`
}

const statusPaid = "waitsellersend"

// preparePay takes the money at once. It does so for an order that is paid already too, and for an opRequestId that it has seen:
// whether the platform would refuse either is not known, and the books then show more than one payment.
func (g *gateway) preparePay(c *call) answer {
	var asked struct {
		OrderID     jsontext.Value `json:"orderId"`
		Channel     string         `json:"payChannel"`
		Amount      int64          `json:"payAmount"`
		OpRequestID string         `json:"opRequestId"`
	}
	text := c.get("tradeWithholdPreparePayParam")
	if text == "" {
		return missing("tradeWithholdPreparePayParam")
	}
	if decode([]byte(text), &asked) != nil || len(asked.OrderID) == 0 || asked.OpRequestID == "" || !strings.EqualFold(asked.Channel, "alipay") {
		return denied(invalid("tradeWithholdPreparePayParam"))
	}
	shape := g.faults.strike(stageShape, c)
	if shape.Kind == "not_paid" {
		return payAnswer(false)
	}
	late := g.faults.strike(stageVisibility, c).delay()
	e, refused := g.books.pay(c.account.Member, idIn(asked.OrderID), Payment{OpRequestID: asked.OpRequestID, Fen: asked.Amount}, late)
	if refused != nil {
		return denied(refused)
	}
	g.courier.orderChanged(e, "ORDER_BUYER_VIEW_ORDER_PAY")
	return payAnswer(shape.Kind != "paid_beside_failure")
}

func payAnswer(paid bool) answer {
	return ok(map[string]any{"success": true, "result": map[string]any{"paySuccess": paid}})
}

// pay takes the money for an order; the detail shows it only after late.
func (b *books) pay(member, orderID string, p Payment, late time.Duration) (entry, *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byID[orderID]
	switch {
	case e == nil || e.Member != member:
		return entry{}, refuse("SIM_ORDER_NOT_FOUND", -1)
	case !b.payers[member]:
		return entry{}, refuse("SIM_NO_AGREEMENT", -1)
	case e.Status == statusCancelled:
		return entry{}, refuse("SIM_ORDER_NOT_UNPAID", -1)
	case p.Fen != e.TotalFen:
		return entry{}, refuse("SIM_WRONG_AMOUNT", -1)
	}
	p.At = b.now()
	e.Payments = append(slices.Clip(e.Payments), p)
	if e.Status == statusUnpaid {
		e.Status, e.paidShows = statusPaid, b.steady().Add(late)
	}
	return *e, nil
}

// idIn reads an id that came as an integer, or as text.
func idIn(value jsontext.Value) string { return strings.Trim(string(value), `"`) }

// shown is the order as the buyer sees it now.
func (e *entry) shown(now time.Time) entry {
	seen := *e
	if seen.Status == statusPaid && now.Before(e.paidShows) {
		seen.Status = statusUnpaid
	}
	return seen
}

// maxPayLink is how many orders one link may be for.
const maxPayLink = 100

// payLink gives the address where a person pays for orders; those that cannot be paid for are left out and named.
func (g *gateway) payLink(c *call) answer {
	var asked []jsontext.Value
	text := c.get("orderIdList")
	switch {
	case text == "":
		return missing("orderIdList")
	case decode([]byte(text), &asked) != nil || len(asked) == 0 || len(asked) > maxPayLink:
		return denied(invalid("orderIdList"))
	}
	good, failed := []string{}, []string{}
	for _, value := range asked {
		id := idIn(value)
		e, found := g.books.buyerOrder(c.account.Member, id)
		if found && e.Status == statusUnpaid {
			good = append(good, id)
		} else {
			failed = append(failed, id)
		}
	}
	result := map[string]any{"success": len(good) > 0}
	if len(good) > 0 {
		result["payUrl"] = "https://pay.invalid/cashier?orders=" + strings.Join(good, ",")
	}
	if len(failed) > 0 {
		result["erroMsg"] = strconv.Itoa(len(failed)) + " orders cannot be paid for" // sic
		result["payFailureOrderList"] = failed
	}
	return ok(result)
}

// unpaid is an order that waits to be paid for. The lock must be held.
func (b *books) unpaid(orderID string) (*entry, *refusal) {
	e := b.byID[orderID]
	switch {
	case e == nil:
		return nil, refuse("SIM_ORDER_NOT_FOUND", -1)
	case e.Status != statusUnpaid:
		return nil, refuse("SIM_ORDER_NOT_UNPAID", -1)
	}
	return e, nil
}

// closeOrder is a seller's end of an unpaid order.
func (b *books) closeOrder(orderID string) (entry, *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, refused := b.unpaid(orderID)
	if refused != nil {
		return entry{}, refused
	}
	e.Status = statusCancelled
	b.giveBack(e.Lines)
	return *e, nil
}

// setOrderPrice is the seller's new price for an unpaid order, postage included, which the platform pushes.
func (b *books) setOrderPrice(orderID string, total, post int64) (entry, *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, refused := b.unpaid(orderID)
	switch {
	case refused != nil:
		return entry{}, refused
	case total <= 0 || post < 0 || post > total:
		return entry{}, invalid("total_fen or post_fen")
	}
	e.TotalFen, e.PostFen = total, post
	return *e, nil
}
