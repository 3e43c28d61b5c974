package alibaba

import (
	"fmt"

	"autopurchase/worker"
)

// readCreate decides what a create call came to. An order id decides before anything else that the answer says.
func readCreate(order worker.Order, got response, private []string) Reply {
	var answer created
	if err := decode(got.body, &answer); err != nil {
		return unknown(fmt.Sprintf("1688: HTTP %d: %v", got.status, err))
	}
	v := newVerdict(&answer, order.Lines, private)
	orders, err := ordersIn(v.levels)
	switch gateway := answer.err(private); {
	case err != nil:
		return unknown("1688: " + err.Error())
	case len(orders) > 0:
		return v.placed(orders)
	case gateway != nil:
		return gateway.reply()
	case got.status >= 500:
		return unknown(fmt.Sprintf("1688: HTTP %d", got.status))
	default:
		return v.notPlaced()
	}
}

// verdict is what an answer says apart from its order ids.
type verdict struct {
	levels []*created
	failed []worker.FailedOffer
	went   went
	why    complaint
	reason string // why, in words
}

func newVerdict(answer *created, lines []worker.Line, private []string) verdict {
	levels := answer.levels()
	why := complaintIn(levels)
	return verdict{
		levels: levels,
		failed: failedIn(levels, lines, private),
		went:   succeeded(levels),
		why:    why,
		reason: why.words(private),
	}
}

// placed says that orders exist, and what a person should check.
func (v verdict) placed(orders []worker.PlacedOrder) Reply {
	answer := worker.Answer{Verdict: worker.Placed, Code: worker.CodePlaced, Orders: orders, Failed: v.failed}
	if len(v.failed) > 0 {
		answer.Code = worker.CodePartial
	}
	switch {
	case v.went == saidNo:
		answer.Reason = "ordered, although the answer says success:false: check it; " + v.reason
	case v.lacksOrder():
		answer.Reason = "ordered, but a part of it has no order id: check it; " + v.reason
	}
	return Reply{Answer: answer}
}

// lacksOrder says that the platform split the order, and that one of the parts came to nothing.
func (v verdict) lacksOrder() bool {
	for _, level := range v.levels {
		for _, o := range level.Orders {
			if id, err := o.OrderID.orderID(); id == "" && err == nil {
				return true
			}
		}
	}
	return false
}

// notPlaced tells a refusal from an answer that says nothing definite.
func (v verdict) notPlaced() Reply {
	code, known := refusal(v.why.code)
	reason, coded := v.reason, v.why.code != ""
	if !coded && len(v.failed) > 0 {
		code, reason, coded = v.failed[0].Code, v.failed[0].Reason, true
		known = code != worker.CodeRefused
	}
	definite := known || v.went == saidNo && coded && !isFault(v.why.code)
	if v.went == saidYes || !definite {
		return unknown("1688's answer names no order and no definite reason; " + reason)
	}
	return Reply{Answer: worker.Answer{Verdict: worker.Refused, Code: code, Reason: reason, Failed: v.failed}}
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
