package alibaba

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"autopurchase/worker"
)

const trade = "1/com.alibaba.trade/"

// call is the create call's path between protocol and app key.
func (a API) call() string {
	if a == Cross {
		return trade + "alibaba.trade.createCrossOrder"
	}
	return trade + "alibaba.trade.fastCreateOrder"
}

// Create places one order, once. Its verdicts are Placed, Refused, NotAttempted and Unknown; see the package comment for
// what decides. Never call it again for an order whose verdict was Unknown: look it up with Find.
func (c *Client) Create(ctx context.Context, cred Credentials, order worker.Order) Reply {
	params, err := createParams(order)
	if err != nil {
		return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: worker.CodeInvalid, Reason: err.Error()}}
	}
	got, err := c.call(ctx, cred, cred.API.call(), params)
	if err != nil {
		return unanswered(err)
	}
	return readCreate(order, got, append(cred.private(), personal(order)...))
}

// personal lists what identifies a buyer, or may.
func personal(order worker.Order) []string {
	a := order.DeliverTo
	return []string{order.Message, a.FullName, a.Mobile, a.Phone, a.Address, a.AddressID}
}

func createParams(order worker.Order) (Params, error) {
	params, err := goods(order)
	if err != nil {
		return nil, err
	}
	return params.with("message", order.Message).with("tradeType", order.TradeType).with("outOrderId", order.Reference), nil
}

// goods are what is ordered and where it goes, as the create calls and the preview take it.
func goods(order worker.Order) (Params, error) {
	cargo := make([]cargoParam, len(order.Lines))
	for i, line := range order.Lines {
		if strings.Trim(line.OfferID, "0123456789") != "" || line.OfferID == "" {
			return nil, fmt.Errorf("lines[%d].offer_id: must be a whole number", i)
		}
		cargo[i] = cargoParam{OfferID: json.Number(line.OfferID), SpecID: line.SpecID, Quantity: line.Quantity}
	}
	cargoText, err := compact(cargo)
	if err != nil {
		return nil, fmt.Errorf("lines: a value cannot be written as JSON")
	}
	address, err := compact(addressParam{
		AddressID: json.Number(order.DeliverTo.AddressID), DistrictCode: order.DeliverTo.DistrictCode,
		FullName: order.DeliverTo.FullName, Mobile: order.DeliverTo.Mobile, Phone: order.DeliverTo.Phone,
		PostCode: order.DeliverTo.PostCode, Province: order.DeliverTo.Province, City: order.DeliverTo.City,
		Area: order.DeliverTo.Area, Town: order.DeliverTo.Town, Address: order.DeliverTo.Address,
	})
	if err != nil {
		return nil, fmt.Errorf("deliver_to.address_id: must be a whole number")
	}
	flow := order.Flow
	if flow == "" {
		flow = "general"
	}
	return make(Params, 0, 9).with("flow", flow).with("addressParam", address).with("cargoParamList", cargoText), nil
}

type cargoParam struct {
	OfferID  json.Number `json:"offerId"`
	SpecID   string      `json:"specId,omitempty"` // left out for an offer without SKUs, never ""
	Quantity int64       `json:"quantity"`
}

type addressParam struct {
	AddressID    json.Number `json:"addressId,omitempty"`
	DistrictCode string      `json:"districtCode,omitempty"`
	FullName     string      `json:"fullName,omitempty"`
	Mobile       string      `json:"mobile,omitempty"`
	Phone        string      `json:"phone,omitempty"`
	PostCode     string      `json:"postCode,omitempty"`
	Province     string      `json:"provinceText,omitempty"`
	City         string      `json:"cityText,omitempty"`
	Area         string      `json:"areaText,omitempty"`
	Town         string      `json:"townText,omitempty"`
	Address      string      `json:"address,omitempty"`
}

// compact writes JSON as the official clients do: characters as they are, and no newline behind it. What is signed is what
// is sent.
func compact(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(b.String(), "\n"), err
}
