package sim1688

import (
	"slices"
	"time"
)

// refusal is a business error of the platform: success false with a code. A nil *refusal is consent.
type refusal struct {
	code, message string
	line          int // index of the line at fault, -1 for the whole order
}

func refuse(code string, line int) *refusal {
	return &refusal{code: code, message: meaning(code), line: line}
}

// purchase is one create call, read and ready to be entered.
type purchase struct {
	account *account
	ref     string
	lines   []Line
	split   bool          // the platform makes several orders of it
	late    time.Duration // until it shows by reference
	made    time.Time     // zero for now

	district string // where it goes; "" if that has no code
}

// maxSKUs is how many SKUs one order may have.
const maxSKUs = 50

// place checks a purchase against the shelf and enters its orders, all or none.
func (b *books) place(p purchase) ([]entry, *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.reserve(p.lines); err != nil {
		return nil, err
	}
	b.calls++
	var placed []entry
	for i, lines := range parts(p) {
		e := b.order(p, lines)
		if i > 0 && len(p.lines) == 1 && !b.units {
			e.Products = 0 // one line is one product, over however many orders it is split
		}
		b.file(e)
		p.account.products += e.Products
		p.account.orders++
		placed = append(placed, *e)
	}
	return placed, nil
}

// reserve takes the lines off the shelf and writes their prices into them; if one is refused, all are put back. The caller
// holds the lock.
func (b *books) reserve(lines []Line) *refusal {
	for i := range lines {
		if code := b.take(&lines[i], lines[0].OfferID); code != "" {
			b.giveBack(lines[:i])
			return refuse(code, i)
		}
	}
	return nil
}

func (b *books) take(line *Line, firstOffer string) (code string) {
	g := b.shelf[line.OfferID]
	switch {
	case g == nil || g.NotByAPI:
		return "500_001"
	case g.Seller != b.shelf[firstOffer].Seller:
		return "500_002"
	case line.SpecID == "" && len(g.SpecIDs) > 0:
		return "500_002"
	case !g.has(line.SpecID):
		return "500_003"
	case g.PriceFen == 0:
		return "500_008"
	case line.Quantity < g.MinQuantity:
		return "500_005"
	case line.Quantity > g.left[line.SpecID]:
		return "500_004"
	}
	g.left[line.SpecID] -= line.Quantity
	line.PriceFen = g.PriceFen
	return ""
}

func (b *books) giveBack(lines []Line) {
	for _, line := range lines {
		if g := b.shelf[line.OfferID]; g != nil && g.has(line.SpecID) {
			g.left[line.SpecID] += line.Quantity
		}
	}
}

func (b *books) order(p purchase, lines []Line) *entry {
	now := b.now()
	if !p.made.IsZero() {
		now = p.made
	}
	e := &entry{Order: Order{
		OutOrderID: p.ref, AppKey: p.account.AppKey, Member: p.account.Member,
		Call: b.calls, District: p.district, Lines: lines, Status: statusUnpaid, CreatedAt: now, Payments: []Payment{}, Parcels: []Parcel{},
	}}
	if p.late > 0 { // else it shows at once
		e.visible = b.steady().Add(p.late)
	}
	for _, line := range lines {
		g := b.shelf[line.OfferID]
		e.seller = g.Seller
		e.PostFen, e.Discount = max(e.PostFen, g.PostFen), max(e.Discount, g.DiscountFen)
		e.TotalFen += line.PriceFen * line.Quantity
		if b.units {
			e.Products += line.Quantity
		} else {
			e.Products++
		}
	}
	e.TotalFen += e.PostFen - e.Discount
	return e
}

// parts divides a purchase that the platform splits: one order per line, or, of a single line with two or more pieces, one
// piece and the rest.
func parts(p purchase) [][]Line {
	switch {
	case !p.split:
		return [][]Line{p.lines}
	case len(p.lines) == 1 && p.lines[0].Quantity > 1:
		one, rest := p.lines[0], p.lines[0]
		one.Quantity, rest.Quantity = 1, rest.Quantity-1
		return [][]Line{{one}, {rest}}
	}
	return slices.Collect(slices.Chunk(p.lines, 1))
}

// cancel ends an unpaid order of a buyer and puts its goods back. The count of the key stays: what was ordered was ordered.
func (b *books) cancel(member, orderID string) (entry, *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byID[orderID]
	switch {
	case e == nil || e.Member != member:
		return entry{}, refuse("SIM_ORDER_NOT_FOUND", -1)
	case e.Status != statusUnpaid:
		return entry{}, refuse("SIM_ORDER_NOT_UNPAID", -1)
	case b.now().Sub(e.CreatedAt) < cancelPause:
		return entry{}, refuse("CLOSE_ORDER_TOO_FAST", -1)
	}
	e.Status = statusCancelled
	b.giveBack(e.Lines)
	return *e, nil
}

// cancelPause is how old an order must be before it may be cancelled.
const cancelPause = 10 * time.Second
