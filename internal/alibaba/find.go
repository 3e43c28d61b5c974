package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"autopurchase/worker"
)

const pageSize = 20

// Find looks for orders by our reference, the outOrderId they were created with. An order is trusted only if the platform
// says that this is its outOrderId, and it exists whatever its status is: one that was cancelled is Placed too.
//
// The list is asked first (official documentation: getBuyerOrderList takes outOrderId), and the detail when the list is
// empty; if that has one, the list is asked again. Verdicts: Placed, Absent (both worked and none is there), NotAttempted, and Unknown for anything that is not clear,
// such as a list that filters by something else. How soon a new order shows up is not known: Absent right after a create
// means little, and so does a line that the orders of Answer.Ordered lack.
func (c *Client) Find(ctx context.Context, cred Credentials, reference string) Reply {
	listed, err := c.list(ctx, cred, reference)
	if err != nil {
		return lookedUp(err)
	}
	found, open := listed.matching(reference)
	for _, id := range open {
		order, err := c.trade(ctx, cred, Param{"orderId", id})
		if err != nil {
			return lookedUp(err)
		}
		if string(order.Base.Reference) == reference {
			found = append(found, order)
		}
	}
	if len(found) > 0 {
		return foundOrders(found, listed.whole())
	}
	return c.findDetail(ctx, cred, reference, listed.whole())
}

// foundOrders is what the orders of a reference come to. What they hold is told if these are all.
func foundOrders(found []tradeInfo, all bool) Reply {
	answer := worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced}
	for _, t := range found {
		answer.Orders = append(answer.Orders, t.order())
	}
	if all {
		answer.Ordered = itemsOf(found)
	}
	return Reply{Answer: answer}
}

// findDetail asks for the one order with the reference. whole says that the list held everything there is.
func (c *Client) findDetail(ctx context.Context, cred Credentials, reference string, whole bool) Reply {
	order, err := c.trade(ctx, cred, Param{"outOrderId", reference})
	_, none := errors.AsType[*NotFoundError](err)
	switch {
	case err == nil && string(order.Base.Reference) == reference:
		return c.andWhatIsBesideIt(ctx, cred, reference, order)
	case err != nil && !none:
		return lookedUp(err)
	case !whole:
		return unknown("1688's order list does not hold all orders of the reference")
	default:
		return Reply{Answer: worker.Answer{Verdict: worker.Absent, Code: worker.CodeAbsent, Reason: "1688 lists no order with the reference"}}
	}
}

// andWhatIsBesideIt asks the list again about an order that it did not have and the detail has: the order may have come between
// the two, and the detail tells of one order only where the platform made several of the call. An order that the list still
// lacks exists all the same.
func (c *Client) andWhatIsBesideIt(ctx context.Context, cred Credentials, reference string, order tradeInfo) Reply {
	listed, err := c.list(ctx, cred, reference)
	if err != nil {
		return lookedUp(err)
	}
	found, _ := listed.matching(reference)
	known := slices.ContainsFunc(found, func(t tradeInfo) bool { return t.order().ID == order.order().ID })
	if !known {
		found = append(found, order)
	}
	return foundOrders(found, known && listed.whole())
}

// lookedUp is what a look-up came to that did not work. Nothing about the order follows from it, so never Refused.
func lookedUp(err error) Reply {
	gateway, ok := errors.AsType[*GatewayError](err)
	if !ok {
		return unanswered(err)
	}
	reply := gateway.reply()
	if reply.Verdict == worker.Refused {
		reply.Verdict, reply.Code = worker.Unknown, worker.CodeNoAnswer
	}
	return reply
}

// orderList is the answer of getBuyerOrderList.
type orderList struct {
	gatewayAnswer
	business
	Orders *[]tradeInfo `json:"result"`
	Total  text         `json:"totalRecord"`
}

// tradeInfo is an order as the list and the detail show it.
type tradeInfo struct {
	Base struct {
		ID        text `json:"id"`
		IDOfStr   text `json:"idOfStr"`
		Status    text `json:"status"`
		Total     text `json:"totalAmount"` // yuan
		Postage   text `json:"shippingFee"` // yuan
		Discount  text `json:"discount"`    // fen
		Reference text `json:"outOrderId"`
		Made      text `json:"createTime"`
	} `json:"baseInfo"`
	Items productItems `json:"productItems"`
	Sent  sent         `json:"nativeLogistics"`
}

// productItems are none where they cannot be read: an order exists all the same.
type productItems []productItem

// UnmarshalJSON takes a list, or nothing in any form.
func (p *productItems) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, (*[]productItem)(p)) != nil {
		*p = nil
	}
	return nil
}

// productItem is what an order holds of one SKU. The platform may name the specId of an offer that has only one.
type productItem struct {
	OfferID  text `json:"productID"`
	SpecID   text `json:"specId"`
	Quantity text `json:"quantity"` // a decimal number
}

// itemsOf lists what orders hold together, or nothing if one of them does not say.
func itemsOf(orders []tradeInfo) (skus []worker.SKU) {
	for _, t := range orders {
		if len(t.Items) == 0 {
			return nil
		}
		for _, item := range t.Items {
			offer, err := item.OfferID.orderID()
			if err != nil || offer == "" {
				return nil
			}
			skus = append(skus, worker.SKU{OfferID: offer, SpecID: string(item.SpecID)})
		}
	}
	return skus
}

// order is the order in short. Its id was read before.
func (t tradeInfo) order() worker.PlacedOrder {
	id, _ := t.orderID()
	return worker.PlacedOrder{ID: id, Total: t.Base.Total.yuan(), Postage: t.Base.Postage.yuan(), Discount: t.Base.Discount.fen(), Holds: itemsOf([]tradeInfo{t})}
}

// orderID prefers the id in text: the other one may have gone through a float on its way.
func (t tradeInfo) orderID() (string, error) {
	if id, err := t.Base.IDOfStr.orderID(); err != nil || id != "" {
		return id, err
	}
	return t.Base.ID.orderID()
}

func (c *Client) list(ctx context.Context, cred Credentials, reference string) (orderList, error) {
	return c.orders(ctx, cred, Params{{"outOrderId", reference}, {"page", "1"}, {"pageSize", strconv.Itoa(pageSize)}})
}

// orders asks for a page of the buyer's order list.
func (c *Client) orders(ctx context.Context, cred Credentials, params Params) (orderList, error) {
	var list orderList
	got, err := c.call(ctx, cred, trade+"alibaba.trade.getBuyerOrderList", params)
	if err != nil {
		return list, err
	}
	if err := decode(got.body, &list); err != nil {
		return list, &CallError{Sent: true, Err: fmt.Errorf("HTTP %d: %w", got.status, err)}
	}
	if gateway := list.err(cred.private()); gateway != nil {
		return list, gateway
	}
	if got.status != 200 || list.Success.no() || list.Orders == nil && list.Total != "0" {
		return list, &CallError{Sent: true, Err: fmt.Errorf("HTTP %d: no order list; %s", got.status, list.complaint().words(cred.private()))}
	}
	return list, nil
}

// matching gives the orders that carry the reference, and the ids of those that do not say which they carry.
func (l orderList) matching(reference string) (found []tradeInfo, open []string) {
	if l.Orders == nil {
		return nil, nil
	}
	for _, t := range *l.Orders {
		id, err := t.orderID()
		switch {
		case err != nil || id == "":
		case string(t.Base.Reference) == reference:
			found = append(found, t)
		case t.Base.Reference == "":
			open = append(open, id)
		}
	}
	return found, open
}

// whole says that nothing was left on later pages and every entry could be read.
func (l orderList) whole() bool {
	if l.Orders == nil {
		return true
	}
	for _, t := range *l.Orders {
		if id, err := t.orderID(); err != nil || id == "" {
			return false
		}
	}
	total, err := strconv.Atoi(string(l.Total))
	if err != nil {
		return len(*l.Orders) < pageSize
	}
	return total <= len(*l.Orders)
}
