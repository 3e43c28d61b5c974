package worker

import "cmp"

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
// same way. The orders have no app key yet.
func Split(r Request) []Child {
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
		child := &children[at]
		same[name] = spot{at, len(child.Order.Lines)}
		child.Lines, child.Goods = append(child.Lines, i), append(child.Goods, len(child.Order.Lines))
		child.Order.Lines = append(child.Order.Lines, line)
	}
	return children
}

// join adds a line of the request to one of the order's. The lower of two expected prices is the one to keep.
func (c *Child) join(at, i int, line Line) {
	c.Lines, c.Goods = append(c.Lines, i), append(c.Goods, at)
	whole := &c.Order.Lines[at]
	whole.Quantity += line.Quantity
	if whole.UnitPrice == 0 || line.UnitPrice > 0 {
		whole.UnitPrice = min(cmp.Or(whole.UnitPrice, line.UnitPrice), line.UnitPrice)
	}
}

// sellerOf names the seller of an order's lines, "" when nobody said.
func sellerOf(order Order) string { return order.Lines[0].Seller }

func newChild(r Request, n int) Child {
	return Child{Order: Order{
		Reference: Reference(r.Tenant, EncodeRef(r.ID), n),
		Flow:      r.Flow,
		Message:   r.Note,
		DeliverTo: r.DeliverTo,
	}}
}
