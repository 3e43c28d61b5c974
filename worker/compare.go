package worker

// compared takes what a look-up found together with what was asked for: the lines that 1688's orders do not hold are those that
// it left out. Where the two cannot be matched for sure, the order counts in full, so that no key is over-drawn.
func compared(order *Order, answer Answer) Answer {
	if answer.Verdict != Placed || len(answer.Ordered) == 0 || len(answer.Failed) > 0 {
		return answer
	}
	for _, sku := range answer.Ordered {
		if !sku.isIn(order.Lines) {
			return answer
		}
	}
	for _, line := range order.Lines {
		if !line.isIn(answer.Ordered) {
			answer.Failed = append(answer.Failed, FailedOffer{OfferID: line.OfferID, SpecID: line.SpecID, Code: CodeRefused,
				Reason: "1688 left it out of the order; the answer that said why was lost"})
		}
	}
	return answer
}

// is says whether a line asks for the SKU. An offer with one SKU may be asked for, and shown, without it.
func (s SKU) is(line Line) bool {
	return s.OfferID == line.OfferID && (s.SpecID == line.SpecID || s.SpecID == "" || line.SpecID == "")
}

func (s SKU) isIn(lines []Line) bool {
	for _, line := range lines {
		if s.is(line) {
			return true
		}
	}
	return false
}

func (l Line) isIn(skus []SKU) bool {
	for _, sku := range skus {
		if sku.is(l) {
			return true
		}
	}
	return false
}
