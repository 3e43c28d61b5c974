package alibaba

import (
	"context"
	"fmt"

	"autopurchase/worker"
)

const previewCall = trade + "alibaba.createOrder.preview"

// Preview asks what the platform would make of an order, and orders nothing. Its verdicts are Placed, with Quotes and without an
// order, Refused, NotAttempted and Unknown; the last two are the same for whoever asks, since it may be asked again.
func (c *Client) Preview(ctx context.Context, cred Credentials, order worker.Order) Reply {
	params, err := goods(order)
	if err != nil {
		return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: worker.CodeInvalid, Reason: err.Error()}}
	}
	got, err := c.call(ctx, cred, previewCall, params)
	if err != nil {
		return unanswered(err)
	}
	return readPreview(order, got, append(cred.private(), personal(order)...))
}

// previewed is the answer of a preview: an entry for each order that the platform would make. Its sums are fen, the prices of goods
// yuan (official documentation).
type previewed struct {
	gatewayAnswer
	business
	Orders []previewedOrder `json:"orderPreviewResuslt"` // sic
}

type previewedOrder struct {
	business
	Total      text             `json:"sumPayment"`
	Postage    text             `json:"sumCarriage"`
	Discount   text             `json:"discountFee"`
	TradeTypes []text           `json:"tradeModeNameList"`
	Lines      []previewedCargo `json:"cargoList"`
}

type previewedCargo struct {
	business
	OfferID text `json:"offerId"`
	SpecID  text `json:"specId"`
	Price   text `json:"finalUnitPrice"`
}

// readPreview decides what a preview says. A refusal must be as definite as that of a create call; anything else that names no
// orders says nothing.
func readPreview(order worker.Order, got response, private []string) Reply {
	var answer previewed
	if err := decode(got.body, &answer); err != nil {
		return unknown(fmt.Sprintf("1688: preview: HTTP %d: %v", got.status, err))
	}
	if gateway := answer.err(private); gateway != nil {
		return gateway.reply()
	}
	why := answer.complaint()
	code, known := refusal(why.code)
	definite := known || answer.Success.no() && why.code != "" && !isFault(why.code)
	switch {
	case got.status >= 500:
		return unknown(fmt.Sprintf("1688: preview: HTTP %d", got.status))
	case definite && !answer.Success.yes():
		refused := worker.Answer{Verdict: worker.Refused, Code: code, Reason: why.words(private)}
		for _, o := range answer.Orders {
			refused.Failed = append(refused.Failed, o.failed(order.Lines, private)...)
		}
		return Reply{Answer: refused}
	case answer.Success.no() || len(answer.Orders) == 0:
		return unknown("1688's preview names no order and no definite reason; " + why.words(private))
	}
	return quotes(order, answer.Orders, private)
}

// quotes puts the orders into the domain's words. One without a sum cannot be compared with anything.
func quotes(order worker.Order, orders []previewedOrder, private []string) Reply {
	answer := worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced}
	for _, o := range orders {
		if !o.Total.whole() {
			return unknown("1688's preview names no sum")
		}
		quote := worker.Quote{Total: o.Total.fen(), Postage: o.Postage.fen(), Discount: o.Discount.fen(), Lines: o.lines(order.Lines, private)}
		for _, name := range o.TradeTypes {
			if name != "" {
				quote.TradeTypes = append(quote.TradeTypes, words(string(name), nil))
			}
		}
		answer.Quotes = append(answer.Quotes, quote)
	}
	return Reply{Answer: answer}
}

// lines gives the order's lines. What codes 1688 has for a line that is in order is not documented: only one that is known as a
// refusal counts as one.
func (o previewedOrder) lines(ordered []worker.Line, private []string) (lines []worker.QuotedLine) {
	for _, cargo := range o.Lines {
		line := worker.QuotedLine{OfferID: string(cargo.OfferID), SpecID: string(cargo.SpecID), UnitPrice: cargo.Price.yuanUp()}
		if line.SpecID == "" {
			line.SpecID = onlySpec(ordered, line.OfferID)
		}
		if why := cargo.complaint(); why.code+why.message != "" && !why.isOK() {
			line.Reason = why.words(private)
			if code, known := refusal(why.code); known {
				line.Code = code
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// failed lists the lines of which the platform says why it would not take them.
func (o previewedOrder) failed(ordered []worker.Line, private []string) (failed []worker.FailedOffer) {
	for _, line := range o.lines(ordered, private) {
		if line.Code != "" {
			failed = append(failed, worker.FailedOffer{OfferID: line.OfferID, SpecID: line.SpecID, Code: line.Code, Reason: line.Reason})
		}
	}
	return failed
}
