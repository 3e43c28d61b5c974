package worker

// cancelledBy begins the reason of what a person took back.
const cancelledBy = "cancelled by "

// note is the reason that the claim, and so the result, keeps.
func (c Cancellation) note() string {
	if c.Why == "" {
		return cancelledBy + c.By
	}
	return cancelledBy + c.By + ": " + c.Why
}

// toldOf says in words how an order stands that was to be cancelled.
func toldOf(reference string, claim Claim) CancelledOrder {
	order := CancelledOrder{Reference: reference, State: claim.State, Cancelled: claim.State == ClaimCancelled}
	switch claim.State {
	case ClaimCancelled:
		order.Reason = claim.Part.Reason
	case ClaimSent:
		order.Reason = "too late: it was sent, and waits for its answer or is looked up"
	case ClaimUnknown:
		order.Reason = "too late: it was sent without an answer and waits for a person: resolve it"
	default:
		order.Reason = "too late: it " + tell(claim.Part)
	}
	return order
}

// foretold says what would become of an order.
func foretold(reference string, claim Claim) CancelledOrder {
	if claim.State == "" || claim.State == ClaimDrawn {
		return CancelledOrder{Reference: reference, Cancelled: true, State: claim.State, Reason: "was not sent"}
	}
	return toldOf(reference, claim)
}

// told says how an order of a decided request ended.
func (r Result) told(child Child) CancelledOrder {
	claim := r.recall(child)
	switch {
	case claim.State == "" && r.Outcome != OutcomeUnknown: // it broke a rule
		claim.State, claim.Part = ClaimState(r.Outcome), Part{State: ClaimState(r.Outcome), Reason: r.Reason}
	case claim.State == "":
		claim.State = ClaimUnknown
	case claim.State == ClaimRefused && Dispose(claim.Part.Code).Outcome == OutcomeCancelled:
		claim.State = ClaimCancelled
	}
	return toldOf(child.Order.Reference, claim)
}
