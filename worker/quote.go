package worker

import "math"

// Previewing says whether an order is previewed before anything is drawn for it.
type Previewing string

// The ways of previewing. A request says never or always; one that says nothing has a preview if it names what only a preview can
// keep, max_total or price_tolerance, or choose, alternatives, and else goes by its pool's setting.
const (
	PreviewAsPool Previewing = ""
	PreviewNever  Previewing = "never"
	PreviewAlways Previewing = "always"
	PreviewAbove  Previewing = "above" // of a pool: if the request's expected sum is above a bound, or not known
)

// Quote is one order as 1688 would make it of what was previewed, which it may split into several.
type Quote struct {
	Total      Fen          `json:"total"` // goods and postage, less the discount
	Postage    Fen          `json:"postage,omitempty"`
	Discount   Fen          `json:"discount,omitempty"`
	TradeTypes []string     `json:"trade_types,omitempty"` // how it can be paid for; none: it cannot be ordered by API
	Lines      []QuotedLine `json:"lines,omitempty"`
}

// QuotedLine is one line of a Quote.
type QuotedLine struct {
	OfferID   string `json:"offer_id"`
	SpecID    string `json:"spec_id,omitempty"`
	UnitPrice Fen    `json:"unit_price,omitempty"` // rounded up to the fen; 0 when 1688 did not say
	Code      Code   `json:"code,omitempty"`       // a refusal that 1688 names for the line
	Reason    string `json:"reason,omitempty"`     // 1688's words on the line
}

// previewing is how the request wants to be previewed.
func (r *Request) previewing() Previewing {
	if r.Preview == PreviewAsPool && (r.MaxTotal > 0 || r.PriceTolerance != "" || r.HasAlternatives()) {
		return PreviewAlways
	}
	return r.Preview
}

// dearer says whether the request's expected sum is above a bound. A sum that is not known is: a line has no unit price, or it is
// too large to be true.
func (r *Request) dearer(bound Fen) bool {
	sum, known := expected(r.Lines)
	return !known || sum > bound
}

// some are those of a request's lines.
func some(all []Line, at []int) (lines []Line) {
	for _, n := range at {
		lines = append(lines, all[n])
	}
	return lines
}

// expected is the sum of unit price × quantity.
func expected(lines []Line) (sum Fen, known bool) {
	for _, line := range lines {
		if line.UnitPrice == 0 || line.Quantity > int64((math.MaxInt64-sum)/line.UnitPrice) {
			return 0, false
		}
		sum += line.UnitPrice * Fen(line.Quantity)
	}
	return sum, true
}

// tradeType is the first in the first quote's list that all of them list, "" if there is none: the creating call then leaves the
// choice to 1688.
func tradeType(quotes []Quote) string {
	for _, name := range quotes[0].TradeTypes {
		if listedByAll(quotes, name) {
			return name
		}
	}
	return ""
}

func listedByAll(quotes []Quote, name string) bool {
	for _, quote := range quotes {
		listed := false
		for _, other := range quote.TradeTypes {
			listed = listed || other == name
		}
		if !listed {
			return false
		}
	}
	return true
}
