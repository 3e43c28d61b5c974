package alibaba

import (
	"encoding/json"

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
