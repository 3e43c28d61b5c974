package alibaba

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"autopurchase/worker"
)

// Now shows one order as it is now to the buyer who authorized the key: Placed with its detail, NotAttempted, Unknown, or Absent when
// the platform answered and gave none, which it does not tell from an order of another buyer.
func (c *Client) Now(ctx context.Context, cred Credentials, orderID string) Reply {
	t, err := c.trade(ctx, cred, Param{"orderId", orderID})
	if none, ok := errors.AsType[*NotFoundError](err); ok {
		return Reply{Answer: worker.Answer{Verdict: worker.Absent, Code: worker.CodeAbsent, Reason: none.Error()}}
	}
	if err != nil {
		return lookedUp(err)
	}
	order := t.inFull()
	if order.OrderID != orderID {
		return unknown("1688 shows another order than the one that it was asked for")
	}
	return Reply{Answer: worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Detail: &order}}
}

// gatewayForm is how the platform's calls write a moment.
const gatewayForm = "20060102150405.000-0700"

// List shows a page of the buyer's orders that were made between two moments: Placed with them, or Absent for a page without any.
// An order that is outside of them all the same is left out, and one that cannot be read makes the page Unknown. In which order
// the platform lists is not known; the moments stay the same from page to page, so that no new order shifts them.
func (c *Client) List(ctx context.Context, cred Credentials, leaf worker.Leaf) Reply {
	params := Params{{"createStartTime", gatewayTime(leaf.From)}, {"createEndTime", gatewayTime(leaf.To)},
		{"page", strconv.Itoa(leaf.Page)}, {"pageSize", strconv.Itoa(pageSize)}}
	list, err := c.orders(ctx, cred, params)
	if err != nil {
		return lookedUp(err)
	}
	if list.Orders == nil {
		return Reply{Answer: worker.Answer{Verdict: worker.Absent, Code: worker.CodeAbsent}}
	}
	var listed []worker.OrderDetail
	for _, t := range *list.Orders {
		if id, err := t.orderID(); err != nil || id == "" {
			return unknown("1688 lists an order whose id cannot be read")
		}
		if d := t.inFull(); d.Made == 0 || leaf.From <= d.Made && d.Made <= leaf.To {
			listed = append(listed, d)
		}
	}
	return shown(listed, list.goesOn(leaf.Page))
}

// goesOn says whether there are pages behind this one.
func (l orderList) goesOn(page int) bool {
	if total, err := strconv.Atoi(string(l.Total)); err == nil {
		return total > page*pageSize
	}
	return len(*l.Orders) == pageSize
}

func shown(listed []worker.OrderDetail, more bool) Reply {
	answer := worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Listed: listed, More: more}
	if len(listed) == 0 {
		answer.Verdict, answer.Code = worker.Absent, worker.CodeAbsent
	}
	return Reply{Answer: answer}
}

// inFull is the order as it is told to those who compare it. Its id was read before.
func (t tradeInfo) inFull() worker.OrderDetail {
	order := t.order()
	d := worker.OrderDetail{OrderID: order.ID, Reference: string(t.Base.Reference), Status: string(t.Base.Status), Total: order.Total, Postage: order.Postage}
	if made := t.Base.Made.moment(); !made.IsZero() {
		d.Made = made.UnixMilli()
	}
	d.Parcels = t.Sent.parcels()
	for _, item := range t.Items {
		offer, err := item.OfferID.orderID()
		if err != nil || offer == "" {
			d.Items = nil
			break
		}
		d.Items = append(d.Items, worker.Goods{OfferID: offer, SpecID: string(item.SpecID), Quantity: item.Quantity.pieces()})
	}
	return d
}

// pieces reads a quantity such as 2, 2.0 or "2"; 0 when it is no whole number.
func (t text) pieces() int64 {
	whole, rest, _ := strings.Cut(string(t), ".")
	if strings.Trim(rest, "0") != "" {
		return 0
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// gatewayTime writes a moment as the platform's calls do: 20180807153006000+0800.
func gatewayTime(ms int64) string {
	china := time.FixedZone("", 8*60*60)
	return strings.Replace(time.UnixMilli(ms).In(china).Format(gatewayForm), ".", "", 1)
}
