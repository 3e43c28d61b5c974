package sim1688

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// cargo is one element of cargoParamList.
type cargo struct {
	OfferID  jsontext.Value `json:"offerId"`  // an integer; digits as text are read too
	SpecID   *string        `json:"specId"`   // left out for an offer without SKUs; "" is not the same
	Quantity jsontext.Value `json:"quantity"` // may be fractional
}

// readLines reads cargoParamList.
func readLines(text string) ([]Line, *refusal) {
	var list []cargo
	if err := decode([]byte(text), &list); err != nil || len(list) == 0 {
		return nil, invalid("cargoParamList")
	}
	if len(list) > maxSKUs {
		return nil, refuse("SIM_TOO_MANY_SKUS", -1)
	}
	lines := make([]Line, len(list))
	for i, c := range list {
		line, err := c.line(i)
		if err != nil {
			return nil, err
		}
		lines[i] = line
	}
	return lines, nil
}

func (c cargo) line(i int) (Line, *refusal) {
	id := strings.Trim(string(c.OfferID), `"`)
	if !offerIDForm.MatchString(id) {
		return Line{}, invalid("cargoParamList.offerId")
	}
	quantity, err := strconv.ParseFloat(string(c.Quantity), 64)
	switch {
	case err != nil || quantity <= 0 || quantity > 1e12:
		return Line{}, invalid("cargoParamList.quantity")
	case quantity != float64(int64(quantity)): // the catalogue sells whole pieces only
		return Line{}, refuse("QUANTITY_UNMATCH_SELLUNIT_SCALE", i)
	}
	line := Line{OfferID: id, Quantity: int64(quantity)}
	if c.SpecID != nil {
		if *c.SpecID == "" {
			return Line{}, refuse("500_003", i)
		}
		line.SpecID = *c.SpecID
	}
	return line, nil
}

// address is addressParam: an address on file, or one in texts.
type address struct {
	AddressID jsontext.Value `json:"addressId"`
	FullName  string         `json:"fullName"`
	Address   string         `json:"address"`
	District  string         `json:"districtCode"`
}

const (
	maxMessage = 500 // characters
	maxAddress = 200 // characters
)

// checkDelivery checks what a create says beside its goods.
func checkDelivery(c *call) *refusal {
	var to address
	if err := decode([]byte(c.get("addressParam")), &to); err != nil {
		return invalid("addressParam")
	}
	switch {
	case len(to.AddressID) == 0 && (to.FullName == "" || to.Address == ""):
		return invalid("addressParam: neither addressId nor fullName and address")
	case utf8.RuneCountInString(to.Address) > maxAddress:
		return refuse("SIM_ADDRESS_TOO_LONG", -1)
	case utf8.RuneCountInString(c.get("message")) > maxMessage:
		return refuse("SIM_MESSAGE_TOO_LONG", -1)
	case c.get("tradeType") != "" && c.get("tradeType") != tradeMode:
		return refuse("SIM_TRADE_TYPE_NOT_IN_THE_PREVIEW", -1)
	}
	c.district = to.District
	return nil
}

// tradeMode is the one trade mode the simulated suppliers offer.
const tradeMode = "fxassure"
