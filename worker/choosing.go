package worker

import "slices"

// maxPreviews is how often one order is previewed while it is chosen what is bought.
const maxPreviews = 20

// choosing is an order for which it is still open what is bought. Each of its lines stands for what was asked for, or for one of the
// alternatives, and only goes on to the next.
type choosing struct {
	asked Child
	lines []Line          // of the request
	at    []int           // for each of the order's lines, which of its alternatives it stands for, from 1; 0: what was asked for
	tried [][]FailedOffer // for each of them, why it went on, or cannot
}

// newChoosing begins with what was asked for. An alternative that names that, or what another before it does, counts for nothing.
func newChoosing(asked Child, lines []Line) *choosing {
	n := len(asked.Order.Lines)
	asked.Order.Lines = slices.Clone(asked.Order.Lines)
	for k := range asked.Order.Lines {
		line := &asked.Order.Lines[k]
		named := []Alternative{{OfferID: line.OfferID, SpecID: line.SpecID}}
		for _, a := range line.Alternatives {
			if !slices.ContainsFunc(named, a.same) {
				named = append(named, a)
			}
		}
		line.Alternatives = named[1:]
	}
	return &choosing{asked: asked, lines: lines, at: make([]int, n), tried: make([][]FailedOffer, n)}
}

// child is the order as it stands. An alternative that another line asks for, or stands for too, is one line of it with that.
func (c *choosing) child() Child {
	lines := slices.Clone(c.lines)
	for i, n := range c.asked.Lines {
		k := c.asked.Goods[i]
		if c.at[k] > 0 {
			lines[n] = lines[n].instead(c.asked.Order.Lines[k].Alternatives[c.at[k]-1])
		}
	}
	return c.asked.of(lines)
}

// next goes on with the lines that 1688 refused of the order as it stands, and says whether there is something to go on to for each
// of them. A refusal that names no line is about the only one, if there is one only.
func (c *choosing) next(now Child, refused Part) bool {
	failed := refused.Failed
	if len(now.Order.Lines) == 1 && len(failed) == 0 {
		line := now.Order.Lines[0]
		failed = []FailedOffer{{OfferID: line.OfferID, SpecID: line.SpecID, Code: refused.Code, Reason: refused.Reason}}
	}
	moved, all := false, true
	for at, line := range now.Order.Lines {
		why, is := failureOf(line, failed)
		if !is {
			continue
		}
		for _, k := range c.latest(now, at) {
			c.tried[k] = append(c.tried[k], why)
			if Dispose(why.Code).Elsewhere && c.at[k] < len(c.asked.Order.Lines[k].Alternatives) {
				c.at[k]++
				moved = true
			}
			all = all && !c.over(k)
		}
	}
	return moved && all
}

// latest are the lines that one of the order as it stands is made of: those that came to it by an alternative, if there are any. What
// was asked for is not given up for another line's alternative.
func (c *choosing) latest(now Child, at int) (own []int) {
	came := false
	for i, goods := range now.Goods {
		k := c.asked.Goods[i]
		if goods != at || slices.Contains(own, k) || came && c.at[k] == 0 {
			continue
		}
		if c.at[k] > 0 && !came {
			came, own = true, nil
		}
		own = append(own, k)
	}
	return own
}

// over says whether nothing is left for a line.
func (c *choosing) over(k int) bool { return len(c.tried[k]) > c.at[k] }

// refused is how the order ends if it cannot be bought: its lines for which nothing is left failed as they were asked for.
func (c *choosing) refused(part Part) Part {
	var failed []FailedOffer
	for k, tried := range c.tried {
		if !c.over(k) {
			continue
		}
		line := c.asked.Order.Lines[k]
		f := FailedOffer{OfferID: line.OfferID, SpecID: line.SpecID, Code: tried[0].Code, Reason: tried[0].Reason}
		for _, why := range tried[1:] {
			f.Tried = append(f.Tried, why.Code)
		}
		failed = append(failed, f)
	}
	if len(failed) > 0 {
		part.Code, part.Reason, part.Failed = failed[0].Code, failed[0].Reason, failed
	}
	return part
}

// choice is what is bought of the request if these are its orders.
func (r *Request) choice(children []Child) []Chosen {
	some := []Chosen{} // not null
	for _, child := range children {
		for i, n := range child.Lines {
			bought, asked := Alternative{OfferID: child.line(i).OfferID, SpecID: child.line(i).SpecID}, r.Lines[n]
			if bought.same(Alternative{OfferID: asked.OfferID, SpecID: asked.SpecID}) {
				continue
			}
			some = append(some, Chosen{Line: n, Alternative: slices.IndexFunc(asked.Alternatives, bought.same) + 1, OfferID: bought.OfferID, SpecID: bought.SpecID})
		}
	}
	slices.SortFunc(some, func(x, y Chosen) int { return x.Line - y.Line })
	return some
}
