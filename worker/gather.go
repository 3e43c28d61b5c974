package worker

// Ended is a child order and how it ended.
type Ended struct {
	Child *Child
	Claim Claim
}

// Gather makes the one result of a request from how its child orders ended. It is made of the claims alone, so that a
// redelivery gathers the same result again.
func Gather(r *Request, ended []*Ended) Result {
	result := Result{Tenant: r.Tenant, RequestID: r.ID}
	for _, e := range ended {
		result.add(r, e)
	}
	result.Outcome, result.Code, result.Reason = conclude(ended)
	if r.Pay == PayAuto {
		result.Pay = PayAuto
	}
	return result
}

// add takes one child's orders, failed lines and counts into the result of a request.
func (r *Result) add(of *Request, e *Ended) {
	part := e.Claim.Part
	if r.AppKey == "" {
		r.AppKey = e.Claim.AppKey
	}
	r.Attempt = max(r.Attempt, e.Claim.Attempt)
	if part.At.After(r.DecidedAt) {
		r.DecidedAt = part.At
	}
	switch part.State {
	case ClaimPlaced, ClaimPartial:
		r.Products += e.Claim.Products
		r.addOrders(of, e)
		r.addFailed(of, e)
	case ClaimUnknown:
		r.Unknown = append(r.Unknown, OpenOrder{
			OutOrderID: e.Claim.Reference, AppKey: e.Claim.AppKey, AlsoOn: e.Claim.AlsoOn, Products: e.Claim.Products,
			Lines: e.Child.Lines, Alternatives: of.chosen(e.Child.Lines),
		})
	default:
		for i := range e.Child.Lines {
			failed, own := failureOf(e.Child.line(i), part.Failed)
			if !own {
				failed = FailedOffer{Code: part.Code, Reason: part.Reason}
			}
			r.Failed = append(r.Failed, failedLine(of, e.Child, i, failed))
		}
	}
}

func (r *Result) addOrders(of *Request, e *Ended) {
	lines := of.bought()
	for i, order := range e.Claim.Part.Orders {
		placed := ResultOrder{
			OrderID: order.ID, OutOrderID: e.Claim.Reference, AppKey: e.Claim.AppKey, AlsoOn: e.Claim.AlsoOn,
			Total: order.Total, Postage: order.Postage, Discount: order.Discount, Lines: e.covered(order), Shares: e.shares(lines, order),
		}
		placed.Alternatives = of.chosen(placed.Lines)
		if i == 0 {
			placed.Products = e.Claim.Products
		}
		r.Orders = append(r.Orders, placed)
	}
}

func (r *Result) addFailed(of *Request, e *Ended) {
	for i := range e.Child.Lines {
		if failed, own := failureOf(e.Child.line(i), e.Claim.Part.Failed); own {
			r.Failed = append(r.Failed, failedLine(of, e.Child, i, failed))
		}
	}
}

// failureOf finds what is said of one line.
func failureOf(line Line, failures []FailedOffer) (FailedOffer, bool) {
	for _, failed := range failures {
		if failed.OfferID == line.OfferID && failed.SpecID == line.SpecID {
			return failed, true
		}
	}
	return FailedOffer{}, false
}

// line is the order's line that the i-th of the child's is.
func (c *Child) line(i int) Line { return c.Order.Lines[c.Goods[i]] }

// failedLine says of the i-th of a child's lines why it was not bought.
func failedLine(of *Request, c *Child, i int, why FailedOffer) FailedLine {
	line := c.line(i)
	failed := FailedLine{Line: c.Lines[i], OfferID: line.OfferID, SpecID: line.SpecID, Code: why.Code, Reason: why.Reason, Tried: why.Tried}
	for _, chosen := range of.chosen(c.Lines[i : i+1]) {
		failed.Alternative = chosen.Alternative
	}
	return failed
}

// conclude gives one outcome to a request: an unknown part outweighs all, since somebody has to look; parts that agree
// speak for the whole; anything else is partial.
func conclude(ended []*Ended) (Outcome, Code, string) {
	first := ended[0].Claim.Part
	mixed := false
	for _, e := range ended {
		if e.Claim.Part.State == ClaimUnknown {
			return OutcomeUnknown, e.Claim.Part.Code, e.Claim.Part.Reason
		}
		mixed = mixed || Dispose(e.Claim.Part.Code).Outcome != Dispose(first.Code).Outcome
	}
	if mixed {
		return OutcomePartial, CodePartial, "some lines were not bought: see failed_lines"
	}
	return Dispose(first.Code).Outcome, first.Code, first.Reason
}

// Decide turns a definite answer about an order into the part it settles, and how much of the order was really ordered.
func Decide(order *Order, answer *Answer) (Part, Size) {
	part := Part{State: ClaimPlaced, Code: CodePlaced, Reason: answer.Reason, Orders: allotted(order, answer.Orders), Failed: answer.Failed}
	switch {
	case answer.Verdict == Refused:
		part.State, part.Code = ClaimRefused, answer.Code
		if Dispose(answer.Code).Outcome != OutcomeRefused {
			part.Code = CodeRefused
		}
		return part, Size{}
	case len(answer.Failed) > 0:
		part.State, part.Code = ClaimPartial, CodePartial
	}
	return part, SizeOf(ordered(order.Lines, answer.Failed))
}

// ordered leaves out the lines that 1688 left out.
func ordered(lines []Line, failed []FailedOffer) []Line {
	var kept []Line
next:
	for _, line := range lines {
		for _, f := range failed {
			if f.OfferID == line.OfferID && f.SpecID == line.SpecID {
				continue next
			}
		}
		kept = append(kept, line)
	}
	return kept
}
