package worker

// Child is one of the orders that a request is split into, and which lines of the request it covers (from 0).
type Child struct {
	Order Order
	Lines []int
}

// Split groups a request's lines by seller, in the order in which the sellers first appear, and cuts each group at MaxSKUs:
// 1688 takes one seller and at most so many lines in an order. Each child has its own reference and so its own claim; the
// same request always splits the same way. The orders have no app key yet.
func Split(r Request) []Child {
	var children []Child
	open := map[string]int{} // seller → its child that still has room
	for i, line := range r.Lines {
		at, found := open[line.Seller]
		if !found || len(children[at].Lines) == MaxSKUs {
			at = len(children)
			open[line.Seller] = at
			children = append(children, newChild(r, at+1))
		}
		child := &children[at]
		child.Order.Lines = append(child.Order.Lines, line)
		child.Lines = append(child.Lines, i)
	}
	return children
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
