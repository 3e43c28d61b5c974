package alibaba

import (
	"context"
	"errors"
	"fmt"

	"autopurchase/worker"
)

// Detail is an order in the platform's books, as far as it matters here.
type Detail struct {
	OrderID   string
	Reference string // its outOrderId; "" if the platform does not say
	Status    string // the platform's word, an open set: waitbuyerpay, cancel, ...
	Total     worker.Fen
	Postage   worker.Fen
}

// NotFoundError is returned when the platform answered a detail call and gave no order: it is not there, or not this
// buyer's.
type NotFoundError struct{ Reason string }

// Error gives the platform's words.
func (e *NotFoundError) Error() string { return "1688 shows no such order; " + e.Reason }

type detailAnswer struct {
	gatewayAnswer
	business
	Order *tradeInfo `json:"result"`
}

// Detail asks for one order by 1688's order id. Errors: *NotFoundError, *GatewayError, *CallError.
func (c *Client) Detail(ctx context.Context, cred Credentials, orderID string) (Detail, error) {
	t, err := c.trade(ctx, cred, Param{"orderId", orderID})
	if err != nil {
		return Detail{}, err
	}
	return t.detail(), nil
}

// trade asks for one order, which has an id then.
func (c *Client) trade(ctx context.Context, cred Credentials, which Param) (tradeInfo, error) {
	got, err := c.call(ctx, cred, trade+"alibaba.trade.get.buyerView", Params{{"webSite", "1688"}, which})
	if err != nil {
		return tradeInfo{}, err
	}
	return readTrade(got, cred.private())
}

func readTrade(got response, private []string) (tradeInfo, error) {
	var answer detailAnswer
	if err := decode(got.body, &answer); err != nil {
		return tradeInfo{}, &CallError{Sent: true, Err: fmt.Errorf("HTTP %d: %w", got.status, err)}
	}
	if gateway := answer.err(private); gateway != nil {
		return tradeInfo{}, gateway
	}
	if answer.Order != nil {
		id, err := answer.Order.orderID()
		if err != nil {
			return tradeInfo{}, &CallError{Sent: true, Err: err}
		}
		if id != "" {
			return *answer.Order, nil
		}
	}
	why := answer.complaint()
	if got.status < 500 && answer.Success.no() && why.code != "" && !isFault(why.code) {
		return tradeInfo{}, &NotFoundError{Reason: why.words(private)}
	}
	return tradeInfo{}, &CallError{Sent: true, Err: errors.New("no order and no reason in its answer")}
}

func (t tradeInfo) detail() Detail {
	return Detail{
		OrderID:   t.order().ID,
		Reference: string(t.Base.Reference),
		Status:    string(t.Base.Status),
		Total:     t.Base.Total.yuan(),
		Postage:   t.Base.Postage.yuan(),
	}
}

// UnmarshalJSON takes an order, or nothing in any form.
func (t *tradeInfo) UnmarshalJSON(raw []byte) error {
	if empty(raw) {
		return nil
	}
	type plain tradeInfo
	return decode(raw, (*plain)(t))
}
