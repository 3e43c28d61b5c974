package sim1688

import "fmt"

// catalogue returns the offers as they stand: present prices, and the least stock any SKU has left.
func (b *books) catalogue() []Offer {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Offer, 0, len(b.offers))
	for _, o := range b.offers {
		g := b.shelf[o.OfferID]
		offer := g.Offer
		offer.Stock = g.left[g.specs()[0]]
		for _, left := range g.left {
			offer.Stock = min(offer.Stock, left)
		}
		list = append(list, offer)
	}
	return list
}

// setStock sets what is left of one SKU, or of every SKU of the offer if spec is empty.
func (b *books) setStock(offerID, spec string, stock int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.shelf[offerID]
	switch {
	case g == nil:
		return fmt.Errorf("offer_id: %q is not in the catalogue", offerID)
	case stock < 0:
		return fmt.Errorf("stock: %d is negative", stock)
	case spec == "":
		g.restock(stock)
	case !g.has(spec):
		return fmt.Errorf("spec_id: %q is not of offer %s", spec, offerID)
	default:
		g.left[spec] = stock
	}
	return nil
}

// setPrice sets what the offer costs from now on; orders that exist keep their price.
func (b *books) setPrice(offerID string, fen int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.shelf[offerID]
	switch {
	case g == nil:
		return fmt.Errorf("offer_id: %q is not in the catalogue", offerID)
	case fen < 0:
		return fmt.Errorf("price_fen: %d is negative", fen)
	}
	g.PriceFen = fen
	return nil
}
