package sim1688

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// Offer is one entry of the catalogue. Money is fen.
type Offer struct {
	OfferID     string   `json:"offer_id"` // decimal digits
	SpecIDs     []string `json:"spec_ids"` // 32 hex digits each; empty for an offer without SKUs
	Seller      string   `json:"seller"`   // member id of the supplier; one order has one supplier
	PriceFen    int64    `json:"price_fen"`
	PostFen     int64    `json:"post_fen"`               // an order pays the highest postage of its lines once
	DiscountFen int64    `json:"discount_fen,omitempty"` // is taken off an order once, the highest of its lines
	Stock       int64    `json:"stock"`                  // of each SKU
	MinQuantity int64    `json:"min_quantity"`           // of one line; 0 means 1
	NotByAPI    bool     `json:"not_by_api"`             // the preview lists no trade mode: it can be seen, and not be ordered
}

var (
	offerIDForm = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
	specIDForm  = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

func (o Offer) validate() error {
	if !offerIDForm.MatchString(o.OfferID) {
		return fmt.Errorf("offer_id: %q is not 1 to 18 digits", o.OfferID)
	}
	for _, spec := range o.SpecIDs {
		if !specIDForm.MatchString(spec) {
			return fmt.Errorf("spec_ids: %q is not 32 hex digits", spec)
		}
	}
	if o.Seller == "" {
		return errors.New("seller: missing")
	}
	if o.PriceFen < 0 || o.PostFen < 0 || o.DiscountFen < 0 || o.Stock < 0 || o.MinQuantity < 0 {
		return errors.New("price_fen, post_fen, discount_fen, stock and min_quantity: must not be negative")
	}
	if o.DiscountFen > o.PriceFen {
		return errors.New("discount_fen: must not be above price_fen")
	}
	return nil
}

const (
	catalogueOffers  = 60
	catalogueSellers = 8
	plentyOfStock    = 1_000_000_000 // a benchmark shall not sell the catalogue out
)

// DefaultCatalogue returns the same 60 offers of 8 sellers every time: most with one to four SKUs and plenty of stock, the last
// ones for refusals: not orderable by API, price 0, out of stock, a minimum quantity of 10, and one without SKUs.
func DefaultCatalogue() []Offer {
	offers := make([]Offer, catalogueOffers)
	for i := range offers {
		offers[i] = sampleOffer(i)
	}
	last := offers[catalogueOffers-5:]
	last[0].NotByAPI = true
	last[1].PriceFen = 0
	last[2].Stock = 0
	last[3].MinQuantity = 10
	last[4].SpecIDs = nil
	return offers
}

func sampleOffer(i int) Offer {
	seller := i % catalogueSellers
	id := strconv.Itoa(610_000_000_000 + i*104_729)
	offer := Offer{
		OfferID:     id,
		Seller:      "b2b-22000000000" + strconv.Itoa(10+seller),
		PriceFen:    int64(199 + i*137%9_800),
		PostFen:     int64(seller % 3 * 400),
		Stock:       plentyOfStock,
		MinQuantity: 1,
	}
	for n := range 1 + i%4 {
		sum := md5.Sum([]byte(id + "/" + strconv.Itoa(n)))
		offer.SpecIDs = append(offer.SpecIDs, hex.EncodeToString(sum[:]))
	}
	return offer
}

// good is an offer on the shelf: what is left of each SKU changes under the books' lock. An offer without SKUs keeps its stock
// under the empty specId.
type good struct {
	Offer
	left map[string]int64
}

func newGood(o Offer) *good {
	g := &good{Offer: o, left: make(map[string]int64, len(o.SpecIDs))}
	g.restock(o.Stock)
	return g
}

func (g *good) specs() []string {
	if len(g.SpecIDs) == 0 {
		return []string{""}
	}
	return g.SpecIDs
}

func (g *good) restock(stock int64) {
	for _, spec := range g.specs() {
		g.left[spec] = stock
	}
}

func (g *good) has(spec string) bool { return slices.Contains(g.specs(), spec) }
