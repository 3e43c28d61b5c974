package alibaba

import (
	"context"
	"fmt"
	"strings"

	"autopurchase/worker"
)

const cancelCall = trade + "alibaba.trade.cancel"

// tooFast ends the code of an order that is younger than ten seconds: it is closed when it is asked for again later (official
// documentation).
const tooFast = "CLOSE_ORDER_TOO_FAST"

// Cancel closes an order that is not paid for (official documentation: alibaba.trade.cancel). Verdicts: Placed, the platform has
// closed it; Refused; NotAttempted, with the time to wait for an order that is too young; Unknown otherwise. What the platform answers
// about an order that is closed already is not known.
func (c *Client) Cancel(ctx context.Context, cred Credentials, orderID string) Reply {
	params := Params{{"webSite", "1688"}, {"tradeID", orderID}, {"cancelReason", "buyerCancel"}}
	got, err := c.call(ctx, cred, cancelCall, params)
	if err != nil {
		return unanswered(err)
	}
	return readCancel(got, cred.private())
}

func readCancel(got response, private []string) Reply {
	var answer struct {
		gatewayAnswer
		business
	}
	if err := decode(got.body, &answer); err != nil {
		return unknown(fmt.Sprintf("1688: HTTP %d: %v", got.status, err))
	}
	if gateway := answer.err(private); gateway != nil {
		return gateway.reply()
	}
	why := answer.complaint()
	switch {
	case strings.HasSuffix(why.code, tooFast):
		return Reply{Answer: worker.Answer{Verdict: worker.NotAttempted, Code: worker.CodeThrottled, Reason: why.words(private),
			Retry: int(worker.YoungestToClose.Milliseconds())}}
	case answer.Success.yes() && (why.code == "" || why.isOK()):
		return Reply{Answer: worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced}}
	case got.status >= 500 || why.code == "" || why.isOK() || isFault(why.code):
		return unknown("1688 does not say whether it closed the order; " + why.words(private))
	}
	return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: worker.CodeRefused, Reason: why.words(private)}}
}
