package alibaba

import (
	"encoding/json"
	"fmt"

	"autopurchase/worker"
)

// created is the answer of a create call. The platform nests its fields under "result", or does not; single fields are
// filled for one order, the list for several.
type created struct {
	gatewayAnswer
	business
	OrderID text           `json:"orderId"`
	Total   text           `json:"totalSuccessAmount"` // fen
	Postage text           `json:"postFee"`            // fen
	Orders  []createdOrder `json:"orderList"`
	Failed  []failedOffer  `json:"failedOfferList"`
	Result  *nested        `json:"result"`
}

type createdOrder struct {
	business
	OrderID text `json:"orderId"`
	Total   text `json:"orderAmmount"` // sic; fen
	Postage text `json:"postFee"`      // fen
}

type failedOffer struct {
	business
	OfferID text `json:"offerId"`
	SpecID  text `json:"specId"`
}

// nested is a result; where it holds nothing it may come as "", [] or false instead of an object.
type nested struct{ created }

// UnmarshalJSON takes an object, or nothing in any form.
func (n *nested) UnmarshalJSON(raw []byte) error {
	if empty(raw) {
		return nil
	}
	return json.Unmarshal(raw, &n.created)
}

// levels lists the answer and what is nested in it, from the outside in.
func (c *created) levels() []*created {
	levels := []*created{c}
	for c.Result != nil {
		c = &c.Result.created
		levels = append(levels, c)
	}
	return levels
}

// readCreate decides what a create call came to. An order id decides before anything else that the answer says.
func readCreate(order worker.Order, got response, private []string) Reply {
	var answer created
	if err := decode(got.body, &answer); err != nil {
		return unknown(fmt.Sprintf("1688: HTTP %d: %v", got.status, err))
	}
	levels := answer.levels()
	orders, err := ordersIn(levels)
	failed := failedIn(levels, order.Lines, private)
	why := complaintIn(levels)
	switch gateway := answer.err(private); {
	case err != nil:
		return unknown("1688: " + err.Error())
	case len(orders) > 0:
		return placed(levels, orders, failed, why, private)
	case gateway != nil:
		return gateway.reply()
	case got.status >= 500:
		return unknown(fmt.Sprintf("1688: HTTP %d", got.status))
	default:
		return notPlaced(levels, failed, why, private)
	}
}

// ordersIn collects every order that the answer names, each once.
func ordersIn(levels []*created) (orders []worker.PlacedOrder, err error) {
	seen := map[string]bool{"": true}
	add := func(id text, total, postage text) {
		exact, bad := id.orderID()
		if bad != nil {
			err = bad
		}
		if !seen[exact] {
			seen[exact] = true
			orders = append(orders, worker.PlacedOrder{ID: exact, Total: total.fen(), Postage: postage.fen()})
		}
	}
	for _, level := range levels {
		for _, o := range level.Orders {
			add(o.OrderID, o.Total, o.Postage)
		}
	}
	for _, level := range levels {
		add(level.OrderID, level.Total, level.Postage)
	}
	return orders, err
}

// failedIn collects the lines that the platform left out. One that names the offer alone means the line of that offer, if
// there is only one.
func failedIn(levels []*created, lines []worker.Line, private []string) (failed []worker.FailedOffer) {
	for _, level := range levels {
		for _, f := range level.Failed {
			why := f.complaint()
			code, _ := refusal(why.code)
			offer := worker.FailedOffer{OfferID: string(f.OfferID), SpecID: string(f.SpecID), Code: code, Reason: why.words(private)}
			if offer.SpecID == "" {
				offer.SpecID = onlySpec(lines, offer.OfferID)
			}
			failed = append(failed, offer)
		}
	}
	return failed
}

func onlySpec(lines []worker.Line, offerID string) string {
	spec, count := "", 0
	for _, line := range lines {
		if line.OfferID == offerID {
			spec, count = line.SpecID, count+1
		}
	}
	if count > 1 {
		return ""
	}
	return spec
}

// complaintIn gives the most telling complaint: a known code before any other, an outer one before an inner one.
func complaintIn(levels []*created) (found complaint) {
	for _, c := range complaints(levels) {
		if _, known := refusal(c.code); known {
			return c
		}
		if found.code == "" && !c.isOK() {
			found = c
		}
	}
	return found
}

func complaints(levels []*created) (all []complaint) {
	for _, level := range levels {
		all = append(all, level.complaint())
	}
	for _, level := range levels {
		for _, o := range level.Orders {
			all = append(all, o.complaint())
		}
	}
	return all
}

// isOK says that a code is none: calls that went well carry one too.
func (c complaint) isOK() bool {
	switch c.code {
	case "200", "0", "SUCCESS", "success", "ok", "OK":
		return true
	}
	return false
}

func placed(levels []*created, orders []worker.PlacedOrder, failed []worker.FailedOffer, why complaint, private []string) Reply {
	answer := worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Orders: orders, Failed: failed}
	if len(failed) > 0 {
		answer.Code = worker.CodePartial
	}
	if succeeded(levels) == saidNo {
		answer.Reason = "ordered, although it says success:false: check it; " + why.words(private)
	}
	return Reply{Answer: answer}
}

// notPlaced tells a refusal from an answer that says nothing definite.
func notPlaced(levels []*created, failed []worker.FailedOffer, why complaint, private []string) Reply {
	code, known := refusal(why.code)
	reason, coded := why.words(private), why.code != "" || len(failed) > 0
	if why.code == "" && len(failed) > 0 {
		code, reason = failed[0].Code, failed[0].Reason
		known = code != worker.CodeRefused
	}
	went := succeeded(levels)
	if went == saidYes || !known && (went != saidNo || !coded || isFault(why.code)) {
		return unknown("1688's answer names no order and no definite reason; " + reason)
	}
	return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: code, Reason: reason, Failed: failed}}
}

type went int

const (
	saidNothing went = iota
	saidYes
	saidNo
)

// succeeded gives what the answer says about itself: one no outweighs a yes.
func succeeded(levels []*created) went {
	said := saidNothing
	for _, level := range levels {
		switch {
		case level.Success.no():
			return saidNo
		case level.Success.yes():
			said = saidYes
		}
	}
	return said
}
