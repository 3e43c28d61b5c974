package alibaba

import (
	"context"
	"encoding/json"
	"fmt"

	"autopurchase/worker"
)

const payCall = trade + "alibaba.trade.pay.protocolPay.preparePay"

// Pay asks the platform to take the money for an order by the buyer account's agreement with Alipay (official documentation:
// preparePay). Verdicts: Placed, the platform says that it has the money; Refused, it says that it has not, which may be untrue
// after a time-out of its own; NotAttempted, the gateway turned the call down before it was executed; Unknown otherwise.
func (c *Client) Pay(ctx context.Context, cred Credentials, charge worker.Charge) Reply {
	id, err := text(charge.OrderID).orderID()
	if err != nil || id == "" {
		return Reply{Answer: worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeInternal, Reason: "the order id is none of 1688's"}}
	}
	param, err := json.Marshal(struct {
		OrderID json.Number `json:"orderId"`
		Channel string      `json:"payChannel"`
		Amount  worker.Fen  `json:"payAmount"`
		Op      string      `json:"opRequestId"`
	}{json.Number(id), "alipay", charge.Amount, charge.OpRequestID})
	if err != nil {
		return Reply{Answer: worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeInternal, Reason: "the payment cannot be written"}}
	}
	got, err := c.call(ctx, cred, payCall, Params{{"tradeWithholdPreparePayParam", string(param)}})
	if err != nil {
		return unanswered(err)
	}
	return readPay(got, cred.private())
}

// paid is the answer of a payment. Whether its fields are nested is not known: both are read.
type paid struct {
	gatewayAnswer
	business
	Paid   text    `json:"paySuccess"`
	Result textual `json:"result"`
}

func readPay(got response, private []string) Reply {
	var answer paid
	if err := decode(got.body, &answer); err != nil {
		return unknown(fmt.Sprintf("1688: HTTP %d: %v", got.status, err))
	}
	if gateway := answer.err(private); gateway != nil {
		return gateway.reply()
	}
	yes, no, why := answer.said()
	reason := why.words(private)
	switch {
	case yes && !no:
		return Reply{Answer: worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced}}
	case got.status >= 500 || !no && (why.code == "" || isFault(why.code)):
		return unknown("1688 does not say whether it took the money; " + reason)
	}
	return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: worker.CodeRefused, Reason: reason}}
}

// said is what the answer and what is nested in it say about the money, and the first complaint among them.
func (p paid) said() (yes, no bool, why complaint) {
	for range 3 {
		yes, no = yes || p.Paid.yes(), no || p.Paid.no()
		if c := p.complaint(); why.code == "" && !c.isOK() {
			why = c
		}
		var inner paid
		if !p.Result.object(&inner) {
			break
		}
		p = inner
	}
	return yes, no, why
}
