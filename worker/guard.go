package worker

import (
	"fmt"
	"strconv"
	"strings"
)

// ceiling is the highest unit price within the tolerance of an expected one: expected × (100 + tolerance) / 100, rounded down to
// the fen, so that what is paid is never above it. Without a tolerance it is the expected price itself.
func ceiling(expected Fen, tolerance string) Fen {
	return expected * (hundredPercent + hundredths(tolerance)) / hundredPercent
}

const hundredPercent = 100 * 100 // in hundredths of a percent

// hundredths reads a percentage, as the request schema has it, into hundredths of a percent.
func hundredths(percent string) Fen {
	whole, decimals, _ := strings.Cut(percent, ".")
	n, _ := strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64) // "" is 0
	return Fen(n)
}

// guard compares an order with what 1688 would make of it, and says why it is not to be bought, if it is not: what cannot be
// ordered by API comes first, then what 1688 says of the lines, then their prices.
func guard(order Order, tolerance string, quotes []Quote) (refused Part, pass bool) {
	for _, check := range []func() []FailedOffer{
		func() []FailedOffer { return notOrderable(quotes) },
		func() []FailedOffer { return turnedDown(quotes) },
		func() []FailedOffer { return changedPrices(order.Lines, tolerance, quotes) },
	} {
		if failed := check(); len(failed) > 0 {
			return Part{State: ClaimRefused, Code: failed[0].Code, Reason: failed[0].Reason, Failed: failed}, false
		}
	}
	return Part{}, true
}

// notOrderable lists the lines of orders for which 1688 lists no way to pay for them by API.
func notOrderable(quotes []Quote) (failed []FailedOffer) {
	for _, quote := range quotes {
		if len(quote.TradeTypes) > 0 {
			continue
		}
		for _, line := range quote.Lines {
			reason := "1688's preview lists no trade mode: it cannot be ordered by API"
			if line.Reason != "" {
				reason += "; " + line.Reason
			}
			failed = append(failed, FailedOffer{OfferID: line.OfferID, SpecID: line.SpecID, Code: CodeNotOrderable, Reason: reason})
		}
		if len(quote.Lines) == 0 {
			failed = append(failed, FailedOffer{Code: CodeNotOrderable, Reason: "1688's preview lists no trade mode for a part of it"})
		}
	}
	return failed
}

// turnedDown lists the lines that 1688 would not take.
func turnedDown(quotes []Quote) (failed []FailedOffer) {
	for _, quote := range quotes {
		for _, line := range quote.Lines {
			if line.Code != "" {
				failed = append(failed, FailedOffer{OfferID: line.OfferID, SpecID: line.SpecID, Code: line.Code, Reason: line.Reason})
			}
		}
	}
	return failed
}

// changedPrices lists the lines with an expected price of which 1688 asks more than is tolerated, or does not say how much.
func changedPrices(lines []Line, tolerance string, quotes []Quote) (failed []FailedOffer) {
	for _, line := range lines {
		limit, price := lower(ceiling(line.UnitPrice, tolerance), line.MaxPrice), priceOf(line, quotes)
		if limit == 0 {
			continue
		}
		if price > 0 && price <= limit {
			continue
		}
		reason := fmt.Sprintf("1688 asks %s yuan for one, at most %s are tolerated", price.Yuan(), limit.Yuan())
		if price == 0 {
			reason = "1688's preview does not name its price"
		}
		failed = append(failed, FailedOffer{OfferID: line.OfferID, SpecID: line.SpecID, Code: CodePriceChanged, Reason: reason})
	}
	return failed
}

// priceOf is the highest price that the quotes have for a line, 0 if none has any.
func priceOf(line Line, quotes []Quote) (price Fen) {
	for _, quote := range quotes {
		for _, quoted := range quote.Lines {
			if quoted.OfferID == line.OfferID && quoted.SpecID == line.SpecID {
				price = max(price, quoted.UnitPrice)
			}
		}
	}
	return price
}

// overBudget is how an order ends that would bring its request above max_total.
func overBudget(sum, most Fen) Part {
	return Part{State: ClaimRefused, Code: CodeOverBudget,
		Reason: fmt.Sprintf("max_total: goods and postage come to %s yuan, above %s", sum.Yuan(), most.Yuan())}
}

// costs adds up goods and postage.
func costs(quotes []Quote) (sum Fen) {
	for _, quote := range quotes {
		sum += quote.Total
	}
	return sum
}

// spent is what the orders of a request that exist, or may, come to: what 1688 said, else what was expected, as far as that is
// known.
func spent(r *Request, ended []*Ended) (sum Fen) {
	for _, e := range ended {
		told := Fen(0)
		for _, order := range e.Claim.Part.Orders {
			told += order.Total
		}
		mayExist := e.Claim.Part.State == ClaimUnknown || len(e.Claim.Part.Orders) > 0
		if told == 0 && mayExist {
			told, _ = expected(some(r.bought(), e.Child.Lines))
		}
		sum += told
	}
	return sum
}
