package worker

import "slices"

// Child is one of the orders that a request is split into.
type Child struct {
	Order Order
	Lines []int // of the request that it covers, from 0
	Goods []int // for each of Lines, which of the order's lines it is, or is a part of
}

// goods names what a line asks for, and of whom.
type goods struct{ seller, offerID, specID string }

// Split groups a request's lines by seller, in the order in which the sellers first appear, and cuts each group at MaxSKUs:
// 1688 takes one seller and at most so many lines in an order. Lines of one seller that ask for the same offer and spec are one
// line of an order, with their quantities added up: 1688 names what it left out by offer and spec, so that two lines could not be
// told apart, nor how much was ordered. Each child has its own reference and so its own claim; the same request always splits the
// same way, whatever was chosen of its alternatives: these take the places of what was asked for. The orders have no app key yet.
func Split(r *Request) []Child {
	var children []Child
	open := map[string]int{} // seller → its child that still has room
	type spot struct{ child, line int }
	same := map[goods]spot{}
	for i, line := range r.Lines {
		name := goods{line.Seller, line.OfferID, line.SpecID}
		if s, found := same[name]; found {
			children[s.child].join(s.line, i, line)
			continue
		}
		at, found := open[line.Seller]
		if !found || len(children[at].Order.Lines) == MaxSKUs {
			at = len(children)
			open[line.Seller] = at
			children = append(children, newChild(r, at+1))
		}
		same[name] = spot{at, len(children[at].Order.Lines)}
		children[at].add(i, line)
	}
	if r.Choice != nil && len(r.Choice.Chosen) > 0 {
		for i, bought := 0, r.bought(); i < len(children); i++ {
			children[i] = children[i].of(bought)
		}
	}
	return children
}

// of is the same order of other goods for the request's lines. What asks for the same then is one line of it.
func (c Child) of(lines []Line) Child {
	c.Order.Lines = nil
	other := Child{Order: c.Order}
	for _, i := range c.Lines {
		at := slices.IndexFunc(other.Order.Lines, func(l Line) bool { return l.OfferID == lines[i].OfferID && l.SpecID == lines[i].SpecID })
		if at < 0 {
			other.add(i, lines[i])
		} else {
			other.join(at, i, lines[i])
		}
	}
	return other
}

// add makes a line of the request one of the order's.
func (c *Child) add(i int, line Line) {
	c.Lines, c.Goods = append(c.Lines, i), append(c.Goods, len(c.Order.Lines))
	c.Order.Lines = append(c.Order.Lines, line)
}

// join adds a line of the request to one of the order's. The lower of two prices is the one to keep, and an alternative must be one
// for both.
func (c *Child) join(at, i int, line Line) {
	c.Lines, c.Goods = append(c.Lines, i), append(c.Goods, at)
	whole := &c.Order.Lines[at]
	whole.Quantity += line.Quantity
	whole.UnitPrice, whole.MaxPrice = lower(whole.UnitPrice, line.UnitPrice), lower(whole.MaxPrice, line.MaxPrice)
	whole.Alternatives = common(whole.Alternatives, line.Alternatives)
}

// lower is the lower of two prices; one of 0 was not said.
func lower(a, b Fen) Fen {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// sellerOf names the seller of an order's lines, "" when nobody said.
func sellerOf(order *Order) string { return order.Lines[0].Seller }

func newChild(r *Request, n int) Child {
	return Child{Order: Order{
		Reference: Reference(r.Tenant, EncodeRef(r.ID), n),
		Flow:      r.Flow,
		Message:   r.Note,
		DeliverTo: r.DeliverTo,
	}}
}
