package alibaba

import (
	"context"
	"encoding/json"
	"fmt"

	"autopurchase/worker"
)

// PayLink asks for an address where a person pays for up to worker.MaxPayLink orders by hand (official documentation:
// alipay.url.get). Placed with Answer.Link, which may be for a part of them; Refused if it is for none; NotAttempted, Unknown.
func (c *Client) PayLink(ctx context.Context, cred Credentials, orderIDs []string) Reply {
	var ids []json.Number
	for _, given := range orderIDs {
		id, err := text(given).orderID()
		if err != nil || id == "" {
			return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: worker.CodeInvalid, Reason: fmt.Sprintf("order id %q is none of 1688's", given)}}
		}
		ids = append(ids, json.Number(id))
	}
	if len(ids) == 0 || len(ids) > worker.MaxPayLink {
		return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: worker.CodeInvalid,
			Reason: fmt.Sprintf("%d orders: 1688 gives one link for 1 to %d", len(ids), worker.MaxPayLink)}}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return unknown("the order ids cannot be written")
	}
	got, err := c.call(ctx, cred, trade+"alibaba.alipay.url.get", Params{{"orderIdList", string(list)}})
	if err != nil {
		return lookedUp(err)
	}
	return readPayLink(got, cred.private())
}

type linked struct {
	gatewayAnswer
	business
	URL    text    `json:"payUrl"`
	Failed textual `json:"payFailureOrderList"`
	Result textual `json:"result"`
}

func readPayLink(got response, private []string) Reply {
	var answer linked
	if err := decode(got.body, &answer); err != nil {
		return unknown(fmt.Sprintf("1688: HTTP %d: %v", got.status, err))
	}
	if gateway := answer.err(private); gateway != nil {
		return lookedUp(gateway)
	}
	if inner := (linked{}); answer.URL == "" && answer.Result.object(&inner) {
		answer = inner
	}
	link := worker.PayLink{URL: string(answer.URL), Failed: failedOrders(answer.Failed)}
	if why := answer.complaint(); why.message != "" || why.code != "" && !why.isOK() {
		link.Said = why.words(private)
	}
	switch {
	case link.URL != "":
		return Reply{Answer: worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Link: &link}}
	case link.Said == "" && len(link.Failed) == 0:
		return unknown(fmt.Sprintf("1688: HTTP %d: no link and no reason in its answer", got.status))
	}
	return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: worker.CodeRefused, Reason: link.Said, Link: &link}}
}

// failedOrders reads the orders that a link is not for. Whether the list holds ids or objects with an id is not known: both are
// read.
func failedOrders(list textual) (ids []string) {
	var entries []json.RawMessage
	if json.Unmarshal(list, &entries) != nil {
		return nil
	}
	for _, raw := range entries {
		var id text
		var entry struct {
			OrderID text `json:"orderId"`
			ID      text `json:"id"`
		}
		if json.Unmarshal(raw, &entry) == nil {
			id = text(firstText(entry.OrderID, entry.ID))
		} else if json.Unmarshal(raw, &id) != nil {
			continue
		}
		if exact, err := id.orderID(); err == nil && exact != "" {
			ids = append(ids, exact)
		}
	}
	return ids
}
