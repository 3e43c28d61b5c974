package worker

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
)

// beside finds out which of the orders that 1688 made of this one holds what: the answer that told of them does not say. Where the look-up
// does not tell either, or not yet, it stays unknown; that the orders exist is known already.
func (o *deal) beside(ctx context.Context, answer *Answer) {
	if answer.Verdict != Placed || len(answer.Orders) < 2 {
		return
	}
	found := o.Market.Find(ctx, o.order().AppKey, o.order().Reference)
	if found.Verdict != Placed {
		return
	}
	answer.Orders = slices.Clone(answer.Orders)
	for i := range answer.Orders {
		placed := &answer.Orders[i]
		if at := slices.IndexFunc(found.Orders, func(f PlacedOrder) bool { return f.ID == placed.ID }); at >= 0 {
			placed.Holds, placed.Discount = found.Orders[at].Holds, cmp.Or(placed.Discount, found.Orders[at].Discount)
		}
	}
}

// asQuoted adds the discount that the preview named to the one order that was made, if it costs what the preview said: the answer of
// the order itself does not name it.
func (o *Order) asQuoted(answer *Answer) {
	if len(answer.Orders) != 1 || o.quoted.Discount == 0 || answer.Orders[0].Discount > 0 || answer.Orders[0].Total != o.quoted.Total {
		return
	}
	answer.Orders = slices.Clone(answer.Orders)
	answer.Orders[0].Discount = o.quoted.Discount
}

// allotted says of each of several orders which lines it holds, if 1688 said so of all of them, and none holds anything that was not
// asked for.
func allotted(order *Order, placed []PlacedOrder) []PlacedOrder {
	if len(placed) < 2 {
		return placed
	}
	lines := make([][]int, len(placed))
	for i, p := range placed {
		for _, sku := range p.Holds {
			if !sku.isIn(order.Lines) {
				return placed
			}
		}
		for n, line := range order.Lines {
			if line.isIn(p.Holds) {
				lines[i] = append(lines[i], n)
			}
		}
		if len(lines[i]) == 0 {
			return placed
		}
	}
	placed = slices.Clone(placed)
	for i := range placed {
		placed[i].Lines = lines[i]
	}
	return placed
}

// covered are the lines of the request that an order of it holds.
func (e *Ended) covered(order PlacedOrder) []int {
	if order.Lines == nil {
		return e.Child.Lines
	}
	var lines []int
	for i, line := range e.Child.Lines {
		if slices.Contains(order.Lines, e.Child.Goods[i]) {
			lines = append(lines, line)
		}
	}
	return lines
}

// shares splits an order's money over the lines of the request that were bought with it, by what they were expected to cost. There
// are none if one of these lines has no expected price, or it is not known which lines the order holds, or how much of them.
func (e *Ended) shares(all []Line, order PlacedOrder) []Share {
	if len(e.Claim.Part.Orders) > 1 && !e.alone(order) || order.Total+order.Postage+order.Discount == 0 {
		return nil
	}
	var shares []Share
	var weights []Fen
	var bought []Line
	for _, n := range e.covered(order) {
		if _, failed := failureOf(all[n], e.Claim.Part.Failed); failed {
			continue
		}
		shares, bought = append(shares, Share{Line: n}), append(bought, all[n])
		weights = append(weights, all[n].UnitPrice*Fen(all[n].Quantity))
	}
	if _, known := expected(bought); !known || len(bought) == 0 {
		return nil
	}
	goods := apportion(max(0, order.Total-order.Postage), weights)
	postage, discount := apportion(order.Postage, weights), apportion(order.Discount, weights)
	for i := range shares {
		shares[i].Goods, shares[i].Postage, shares[i].Discount = goods[i], postage[i], discount[i]
	}
	return shares
}

// alone says whether it is known which lines an order holds, and no other order of the reference holds a part of one.
func (e *Ended) alone(order PlacedOrder) bool {
	for _, other := range e.Claim.Part.Orders {
		if other.Lines == nil || other.ID != order.ID && slices.ContainsFunc(other.Lines, func(n int) bool { return slices.Contains(order.Lines, n) }) {
			return false
		}
	}
	return true
}

// apportion splits a sum by weights whose own sum fits, by largest remainder: each part is what it should be, rounded down or up to
// the fen, and together they are the sum. Of equal remainders the first is rounded up.
func apportion(sum Fen, weights []Fen) []Fen {
	var all Fen
	for _, weight := range weights {
		all += weight
	}
	parts, rests, order := make([]Fen, len(weights)), make([]uint64, len(weights)), make([]int, len(weights))
	sum = max(sum, 0)
	left := sum
	for i, weight := range weights {
		high, low := bits.Mul64(uint64(sum), uint64(weight))
		part, rest := bits.Div64(high, low, uint64(all))
		parts[i], rests[i], order[i] = Fen(part), rest, i
		left -= parts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rests[b], rests[a]) })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}
