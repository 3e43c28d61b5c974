package worker

import "fmt"

// payable compares what 1688 wants for an order now with what was ordered and agreed.
type payable struct {
	now       Fen // goods and postage; 0 when 1688 does not say
	ordered   Fen // when it was placed; 0 when 1688 did not say
	agreed    Fen // the most that a person agreed to since; 0 for nothing
	tolerance string
	others    Fen // the request's other orders, as far as 1688 said
	most      Fen // the request's max_total; 0 when not said
}

// refusal says why it must not be paid without a person's word, "" if it may. A total that fell is a change like one that rose: a
// seller may have left goods out. What a person agreed to stands above all that.
func (p payable) refusal() string {
	spread := ceiling(p.ordered, p.tolerance) - p.ordered
	switch {
	case p.now <= 0:
		return "1688 does not say what is payable"
	case p.agreed > 0 && p.now <= p.agreed:
		return ""
	case p.agreed > 0:
		return fmt.Sprintf("%s is payable, and a person agreed to no more than %s", p.now.Yuan(), p.agreed.Yuan())
	case p.most > 0 && p.now+p.others > p.most:
		return fmt.Sprintf("%s is payable for the request's orders, and its max_total is %s", (p.now + p.others).Yuan(), p.most.Yuan())
	case p.ordered == 0 && p.most == 0:
		return fmt.Sprintf("%s is payable, and 1688 did not say what the order came to when it was placed", p.now.Yuan())
	case p.ordered > 0 && (p.now > p.ordered+spread || p.now < p.ordered-spread):
		return fmt.Sprintf("%s is payable, and it came to %s when it was placed", p.now.Yuan(), p.ordered.Yuan())
	}
	return ""
}
